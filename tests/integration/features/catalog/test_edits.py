"""Entities edited where they live: diff, pull request, commit, who may, and what is in the way."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from factories.catalog_desk import EDITS, CatalogDesk, desk
from taxiway.cli.main import run

__all__ = ["desk"]


def at(name: str, kind: str = "component") -> str:
    return f"{EDITS}/{kind}/default/{name}"


def lines(diff: str) -> list[str]:
    return [line for line in diff.splitlines() if line and line[0] in "+-" and line[:3] not in ("+++", "---")]


def entity(desk: CatalogDesk, name: str) -> dict[str, Any]:
    found: dict[str, Any] = desk.ann.get(f"/api/catalog/entities/by-name/component/default/{name}").json()
    return found


def test_an_edit_is_seen_proposed_merged_and_in_the_catalog(desk: CatalogDesk) -> None:
    name = desk.registered()
    source = desk.ann.get(at(name)).json()
    assert source["is_editable"]
    assert source["text"].startswith("# The shop\napiVersion")
    assert "kind: API" not in source["text"]
    fields = {item["pointer"]: item for item in source["fields"]}
    assert fields["/spec/lifecycle"]["value"] == "experimental"
    assert fields["/spec/owner"] | {"value": ""} == {
        "pointer": "/spec/owner",
        "title": "Owner",
        "shape": "reference",
        "required": True,
        "default_kind": "group",
        "options": [],
        "description": None,
        "minimum": None,
        "maximum": None,
        "value": "",
    }
    change = {"fields": {"/spec/lifecycle": "production", "/metadata/title": "The shop: orders"}}
    seen = desk.ann.post(f"{at(name)}/preview", json=change).json()
    assert seen["problems"] == []
    assert lines(seen["diff"]) == [
        "+  title: 'The shop: orders'",
        "-  lifecycle: experimental # for now",
        "+  lifecycle: production # for now",
    ]
    made = desk.ann.post(at(name), json=change, headers={"if-match": f'"{source["etag"]}"'})
    assert made.status_code == 201, made.text
    pull = desk.get(name, made.json()["pull"])
    assert (pull["author"], pull["title"]) == (
        "user:default/ann",
        f"{name}: change spec.lifecycle, metadata.title",
    )
    assert desk.text(name, pull["head"]).count("\n") == desk.text(name).count("\n") + 1
    assert entity(desk, name)["spec"]["lifecycle"] == "experimental"
    merged = desk.bob.post(f"/api/pulls/v1/pulls/{name}/{made.json()['pull']}/merge", json={})
    assert merged.status_code == 200, merged.text
    assert desk.until(lambda: entity(desk, name)["spec"]["lifecycle"] == "production")


HALL = """apiVersion: example.com/v1
kind: Hall
metadata: {name: NAME}
spec:
  owner: group:default/shop
  slots: 4   # for now
  heated: true
"""


def test_fields_of_a_declared_kind_keep_their_types(desk: CatalogDesk) -> None:
    spec = {
        "owner": {"type": "string"},
        "slots": {"type": "integer", "minimum": 1, "description": "How many lorries"},
        "heated": {"type": "boolean"},
        "opened": {"type": "string", "format": "date", "title": "Since"},
        "class": {"enum": ["a", "b"]},
        "zones": {"type": "array", "items": {"enum": ["cold", "dry"]}},
        "hours": {"type": "array", "items": {"type": "number"}},
        "plan": {"type": "object"},
    }
    relations = [{"field": "owner", "type": "ownedBy", "inverse": "ownerOf", "defaultKind": "Group"}]
    said = {"apiVersions": ["example.com/v1"], "schema": {"type": "object", "properties": spec}, "relations": relations}
    hall = {"apiVersion": "taxiway.dev/v1", "kind": "Kind", "metadata": {"name": "Hall"}, "spec": said}
    assert desk.boss.post("/api/catalog/v1/push/halls", content=json.dumps(hall)).json()["problems"] == []
    form = desk.ann.get(f"{EDITS}/form", params={"kind": "Hall"}).json()
    fields = {item["pointer"].removeprefix("/spec/"): item for item in form["fields"] if "/spec/" in item["pointer"]}
    assert {name: item["shape"] for name, item in fields.items()} == {
        "owner": "reference",
        "slots": "integer",
        "heated": "boolean",
        "opened": "date",
        "class": "enum",
        "zones": "enums",
        "hours": "numbers",
    }
    assert (fields["slots"]["description"], fields["slots"]["minimum"]) == ("How many lorries", 1)
    assert (fields["opened"]["title"], fields["zones"]["options"]) == ("Since", ["cold", "dry"])
    name = desk.registered(HALL)
    change = {"/spec/slots": 12, "/spec/heated": False, "/spec/opened": "2026-02-01", "/spec/hours": [6, 22.5]}
    seen = desk.ann.post(f"{at(name, 'hall')}/preview", json={"fields": change}).json()
    assert seen["problems"] == []
    assert lines(seen["diff"])[:4] == [
        "-  slots: 4   # for now",
        "-  heated: true",
        "+  slots: 12   # for now",
        "+  heated: false",
    ]
    assert {item["pointer"]: item["value"] for item in seen["fields"]}["/spec/opened"] == "2026-02-01"
    wrong = desk.ann.post(f"{at(name, 'hall')}/preview", json={"fields": {"/spec/slots": "many"}}).json()
    assert "slots" in wrong["problems"][0]["detail"]


def test_a_commit_needs_an_unprotected_branch_and_the_right_to_push(desk: CatalogDesk) -> None:
    name = desk.registered()
    change = {"fields": {"/spec/type": "library"}, "how": "commit"}
    made = desk.ann.post(at(name), json=change).json()
    assert made["pull"] is None
    assert desk.forge.resolve(name, "main") == made["commit"]
    assert "  type:   library\n" in desk.text(name)
    assert desk.until(lambda: entity(desk, name)["spec"]["type"] == "library")
    desk.protect(name, allow_push=False)
    assert desk.ann.get(at(name)).json()["is_protected"]
    refused = desk.ann.post(at(name), json={**change, "fields": {"/spec/type": "website"}})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed.repositories.write")


def test_an_owner_of_the_entity_alone_proposes_and_does_not_commit(desk: CatalogDesk) -> None:
    name = desk.registered()
    theirs = at(f"{name}-api", "api")
    change = {"fields": {"/spec/lifecycle": "deprecated"}}
    assert not desk.guard.get(at(name)).json()["is_editable"]
    assert desk.guard.post(at(name), json=change).status_code == 403
    assert desk.guard.post(theirs, json={**change, "how": "commit"}).status_code == 403
    made = desk.guard.post(theirs, json=change)
    assert made.status_code == 201, made.text
    pull = desk.get(name, made.json()["pull"])
    assert pull["author"] == "user:default/guard"
    head = desk.text(name, pull["head"])
    assert "$text: ./openapi.yaml" in head
    assert head.replace("deprecated", "production") == desk.text(name)


def test_a_file_that_moved_on_is_a_conflict(desk: CatalogDesk) -> None:
    name = desk.registered()
    etag = desk.ann.get(at(name)).headers["etag"]
    change = {"fields": {"/spec/type": "library"}}
    desk.commit(name, "main", {"b": "2\n"})
    assert desk.ann.post(at(name), json=change, headers={"if-match": etag}).status_code == 201
    desk.commit(name, "main", {"catalog-info.yaml": desk.text(name).replace("java", "go")})
    refused = desk.ann.post(at(name), json=change, headers={"if-match": etag})
    assert (refused.status_code, refused.json()["code"]) == (412, "catalog.file_moved")


def test_the_text_of_one_document_is_judged_and_the_others_stay(desk: CatalogDesk) -> None:
    name = desk.registered()
    text = desk.ann.get(at(name)).json()["text"]

    def said(own: str) -> Any:
        return desk.ann.post(f"{at(name)}/preview", json={"text": own})

    assert said(text).json()["is_changed"] is False
    wrong = said(text.replace("owner: group:default/shop", "owner: ''")).json()["problems"]
    assert [(item["line"], item["code"]) for item in wrong] == [(11, "invalid")]
    renamed = said(text.replace(f"name: {name}", "name: other")).json()["problems"]
    assert "instead of component:default/" in renamed[0]["detail"]
    for own in (text + "---\n" + text, "a: [", "", text + "\nkind: System\n"):
        assert said(own).status_code == 422, own
    both = {"text": text.replace("java", "kotlin"), "fields": {"/spec/lifecycle": "production"}}
    seen = desk.ann.post(f"{at(name)}/preview", json=both).json()
    assert len(lines(seen["diff"])) == 4
    assert {"/spec/lifecycle": "production"}.items() <= {f["pointer"]: f["value"] for f in seen["fields"]}.items()
    made = desk.ann.post(at(name), json={"text": text.replace("java", "kotlin"), "how": "commit"})
    assert made.status_code == 201, made.text
    assert desk.text(name).count("kotlin") == 1
    assert desk.text(name).endswith("$text: ./openapi.yaml\n")
    invalid = desk.ann.post(at(name), json={"fields": {"/spec/owner": None}})
    assert (invalid.status_code, invalid.json()["code"]) == (422, "catalog.invalid_edit")
    same = desk.ann.post(at(name), json={"fields": {"/spec/lifecycle": "experimental"}})
    assert (same.status_code, same.json()["code"]) == (422, "catalog.no_change")


def test_what_cannot_be_edited_says_why_and_what_to_do(desk: CatalogDesk) -> None:
    document = (
        '{"apiVersion":"backstage.io/v1alpha1","kind":"System","metadata":{"name":"pushed"},"spec":{"owner":"a"}}'
    )
    desk.boss.post("/api/catalog/v1/push/cmdb", content=document, headers={"content-type": "application/x-ndjson"})
    told = desk.boss.get(at("pushed", "system")).json()
    assert (told["is_editable"], told["reason"]) == (False, "It is pushed by 'cmdb'.")
    assert "Change it where" in told["remedy"]
    refused = desk.boss.post(at("pushed", "system"), json={"fields": {"/spec/owner": "b"}})
    assert (refused.status_code, refused.json()["code"]) == (409, "catalog.not_editable")
    shared = desk.registered("""apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: NAME, title: &t One, description: *t}
spec: {type: service, lifecycle: production, owner: group:default/shop}
""")
    refused = desk.ann.post(f"{at(shared)}/preview", json={"fields": {"/metadata/title": "Two"}})
    assert (refused.status_code, refused.json()["code"]) == (422, "catalog.not_in_place")
    assert desk.ann.get(at("nobody")).status_code == 404


def test_a_new_entity_is_registered_when_its_pull_request_is_merged(desk: CatalogDesk) -> None:
    name = desk.make()
    document = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": name},
        "spec": {"type": "service", "lifecycle": "production", "owner": "shop"},
    }
    body = {"repository": name, "document": document}
    seen = desk.ann.post(f"{EDITS}/preview", json=body).json()
    assert (seen["path"], seen["problems"]) == ("catalog-info.yaml", [])
    assert lines(seen["diff"])[0] == "+apiVersion: backstage.io/v1alpha1"
    assert desk.guard.post(EDITS, json=body).status_code == 403
    made = desk.ann.post(EDITS, json=body).json()
    more: dict[str, str | None] = {"a.yaml": "a: [\n", "api/openapi.yaml": "openapi: 3.1.0\n"}
    desk.commit(name, desk.get(name, made["pull"])["head"], more)
    merged = desk.bob.post(f"/api/pulls/v1/pulls/{name}/{made['pull']}/merge", json={})
    assert merged.status_code == 200, merged.text
    assert desk.until(lambda: entity(desk, name).get("kind") == "Component")
    targets = [item["data"]["target"] for item in desk.boss.get("/api/catalog/locations").json()]
    assert [one for one in targets if one.startswith(f"{name}//")] == [f"{name}//catalog-info.yaml"]
    again = desk.ann.post(f"{EDITS}/preview", json=body).json()
    assert [item["code"] for item in again["problems"]] == ["conflict"]
    second = {**document, "metadata": {"name": f"{name}-two"}}
    desk.ann.post(EDITS, json={"repository": name, "document": second, "how": "commit"})
    assert desk.until(lambda: entity(desk, f"{name}-two").get("kind") == "Component")


def test_what_no_file_could_hold_is_refused_at_once(desk: CatalogDesk) -> None:
    name = desk.registered()
    deep: Any = "x"
    for _ in range(300):
        deep = [deep]
    strange: list[dict[str, Any]] = [{"/spec/x": deep}, {"/spec" + "/a" * 5000: 1}]
    for fields in (*strange, {"/metadata/tags/" + "9" * 5000: "x"}):
        refused = desk.ann.post(f"{at(name)}/preview", json={"fields": fields})
        assert (refused.status_code, refused.json()["code"]) == (422, "catalog.bad_field"), fields
    long = desk.ann.post(f"{at(name)}/preview", json={"fields": {"/spec/x": 10**30}}).json()
    assert "x: 1e+30" in str(long), "a number is what JavaScript makes of it"
    added = desk.ann.post(f"{EDITS}/preview", json={"repository": name, "path": "b.yaml", "document": {"a": deep}})
    assert (added.status_code, added.json()["code"]) == (422, "catalog.bad_field")
    started = time.process_time()
    blank = desk.ann.post(f"{EDITS}/preview", json={"repository": name, "path": "b.yaml", "text": "\n" * 200_000})
    assert blank.json()["problems"]
    assert time.process_time() - started < 5
    desk.protect(name)
    hidden = desk.guard.post(f"{EDITS}/preview", json={"repository": name, "path": "a", "text": "x"})
    assert hidden.status_code == 403, "whose it is not learns nothing of its files"


def test_the_command_line_edits_and_applies(
    desk: CatalogDesk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    name = desk.registered()
    monkeypatch.setenv("TAXIWAY_URL", desk.server.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", desk.server.token("platform", "user:default/boss"))
    words = ["catalog", "edit", name, "--set", "spec.lifecycle=production", "--set", 'metadata.tags=["go"]']
    assert run([*words, "--dry-run"]) == 0
    assert "+  lifecycle: production # for now" in capsys.readouterr().out
    assert run(words) == 0
    assert capsys.readouterr().out.strip() == f"{name}#1"
    assert run(["catalog", "edit", name, "--unset", "metadata.description", "--commit"]) == 0
    assert "description" not in desk.text(name)
    capsys.readouterr()
    assert run(["catalog", "edit", name, "--file", str(tmp_path / "none.yaml")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    file = tmp_path / "served.yaml"
    assert run(["catalog", "get", f"api:{name}-api"]) == 0
    file.write_text(capsys.readouterr().out)
    assert run(["catalog", "apply", str(file)]) == 0
    assert capsys.readouterr().out == f"api:default/{name}-api: unchanged\n"
    file.write_text(file.read_text().replace("lifecycle: production", "lifecycle: deprecated"))
    assert run(["catalog", "apply", str(file), "--dry-run"]) == 0
    assert lines(capsys.readouterr().out) == ["-  lifecycle: production", "+  lifecycle: deprecated"]
    file = tmp_path / "more.yaml"
    file.write_text(
        desk.text(name).replace("type:   service", "type: website")
        + "---\napiVersion: backstage.io/v1alpha1\nkind: System\nmetadata: {name: applied}\nspec: {owner: shop}\n"
    )
    assert run(["catalog", "apply", str(file)]) == 0
    said = capsys.readouterr().out
    assert f"component:default/{name}" in said
    assert "pull request" in said
    assert "system:default/applied" in said
    assert desk.boss.get("/api/catalog/entities/by-name/system/default/applied").status_code == 200
