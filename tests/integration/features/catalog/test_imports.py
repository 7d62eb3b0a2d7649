"""Imports through the API, with a worker: dry run, apply, again, undo, and who may bring what."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from factories.catalog import component
from factories.served import Served
from taxiway.features.catalog import service
from taxiway.features.catalog.service import import_work
from taxiway.features.catalog.service.apply import judge
from taxiway.features.catalog.service.import_files import remove_old
from taxiway.kit.paging import encode_cursor
from taxiway.worker.main import Worker

IMPORTS = "/api/catalog/v1/imports"
BLUEPRINT = {"identifier": "service", "schema": {}, "relations": {"dependsOn": {"target": "service", "many": True}}}


@pytest.fixture
def working(server: Served) -> Iterator[Served]:
    worker = Worker(server.platform, [])
    worker.start()
    yield server
    server.platform.stopping.set()
    worker.stop()


def entity(name: str, **more: Any) -> dict[str, Any]:
    return {"identifier": name, "blueprint": "service", "team": "checkout", **more}


def start(client: httpx.Client, *documents: Any, format: str = "port", **more: Any) -> httpx.Response:
    named = [
        {"name": f"{number}.json", "content": one if isinstance(one, str) else json.dumps(one)}
        for number, one in enumerate(documents, 1)
    ]
    return client.post(IMPORTS, json={"format": format, "name": "acme", "documents": named, **more})


def ended(client: httpx.Client, run_id: str, state: str = "succeeded") -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        run = client.get(f"/api/runs/v1/runs/{run_id}").json()
        if run["state"] in ("succeeded", "failed", "cancelled", "undone") and (run["state"] == state or run["error"]):
            assert run["state"] == state, run["error"]
            return run
        time.sleep(0.02)
    raise AssertionError("the run does not end")


def imported(client: httpx.Client, *documents: Any, **more: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    answer = start(client, *documents, **more)
    assert answer.status_code == 202, answer.text
    run = ended(client, answer.json()["run_id"])
    return {**run["output"], "run_id": run["id"]}, report(client, run["id"])


def report(client: httpx.Client, run_id: str, limit: int = 500) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        query = {"limit": limit, **({"cursor": cursor} if cursor else {})}
        answer = client.get(f"{IMPORTS}/{run_id}/report", params=query)
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return items


def names(client: httpx.Client) -> list[str]:
    found = client.get("/api/catalog/entities", params={"filter": "metadata.annotations.port.io/identifier"}).json()
    return sorted(one["metadata"]["name"] for one in found)


def test_a_dry_run_changes_nothing_and_says_what_would_become_of_each(working: Served) -> None:
    with working.client(working.token()) as admin:
        counts, items = imported(admin, [BLUEPRINT, entity("orders"), entity("a b")])
        assert names(admin) == []
        assert (counts["entity"], counts["new"], counts["problems"]) == (3, 3, 0)
        assert [item["ref"] for item in items] == [
            "kind:default/service",
            "service:default/orders",
            "service:default/a-b",
        ]
        said = {"field": "/2/identifier", "fate": "changed", "to": "/metadata/name"}
        assert (items[2]["ref"], said.items() <= items[2]["fields"][0].items()) == ("service:default/a-b", True)
        assert report(admin, counts["run_id"], limit=1) == items
        assert admin.get("/api/catalog/locations").json() == []


def test_what_was_imported_is_there_is_followed_and_can_be_undone(working: Served) -> None:
    with working.client(working.token()) as admin:
        first, _ = imported(admin, [BLUEPRINT, entity("orders"), entity("carts")], apply=True)
        assert (first["created"], first["deleted"]) == (4, 0)  # with the kind and the import's Location
        found = admin.get("/api/catalog/entities/by-name/service/default/orders").json()
        assert found["metadata"]["annotations"]["backstage.io/managed-by-location"] == "import:port/acme/1.json"
        assert found["metadata"]["annotations"]["backstage.io/managed-by-origin-location"] == "import:port/acme"
        assert found["relations"] == [{"type": "ownedBy", "targetRef": "group:default/checkout"}]
        second, _ = imported(admin, [BLUEPRINT, entity("orders", title="Orders")], apply=True)
        assert (second["created"], second["updated"], second["unchanged"], second["deleted"]) == (0, 1, 2, 1)
        assert names(admin) == ["Service", "orders"]
        assert admin.post(f"/api/runs/v1/runs/{second['run_id']}/undo").status_code == 202
        ended(admin, second["run_id"], "undone")
        assert names(admin) == []
        assert admin.get("/api/catalog/locations").json() == []


def test_what_a_blueprint_computes_is_computed_here(working: Served) -> None:
    computed = {
        "mirrorProperties": {"city": {"title": "City", "path": "team.city"}},
        "calculationProperties": {"yearly": {"type": "number", "calculation": ".properties.cost * 12"}},
    }
    sums = {"target": "app", "calculationSpec": {"calculationBy": "property", "func": "sum", "property": "yearly"}}
    blueprints = [
        {
            "identifier": "app",
            "schema": {"properties": {"cost": {"type": "number"}}},
            "relations": {"team": {"target": "unit"}},
            **computed,
        },
        {
            "identifier": "unit",
            "schema": {"properties": {"city": {"type": "string"}}},
            "aggregationProperties": {"total": sums},
        },
    ]
    entities = [{"identifier": "north", "blueprint": "unit", "properties": {"city": "Oslo"}}] + [
        {"identifier": f"a{n}", "blueprint": "app", "properties": {"cost": n}, "relations": {"team": "north"}}
        for n in (1, 2)
    ]
    with working.client(working.token()) as admin:
        counts, _ = imported(admin, blueprints, entities, apply=True)
        assert (counts["entity"], counts["problems"]) == (5, 0)

        def value(ref: str, name: str) -> Any:
            answer = admin.get(f"/api/catalog/v1/properties/{ref}").json()
            return {one["name"]: one["value"] for one in answer["items"]}.get(name)

        deadline = time.monotonic() + 30
        while value("unit/default/north", "total") != 36 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert [value("app/default/a2", name) for name in ("city", "yearly")] == ["Oslo", 24]
        assert value("unit/default/north", "total") == 36


def test_unregistering_an_import_removes_all_of_it_and_refreshing_says_to_import_again(working: Served) -> None:
    with working.client(working.token()) as admin:
        imported(admin, [entity("orders")], apply=True)
        refreshed = admin.post("/api/catalog/refresh", json={"entityRef": "component:default/orders"})
        assert refreshed.status_code == 409
        assert "import its documents again" in refreshed.text
        assert admin.get("/api/catalog/v1/problems").json()["items"] == []
        (location,) = admin.get("/api/catalog/locations").json()
        assert (location["data"]["type"], location["data"]["target"]) == ("import", "port/acme")
        assert admin.delete(f"/api/catalog/locations/{location['data']['id']}").status_code == 204
        assert names(admin) == []


def test_what_is_unregistered_while_it_is_imported_brings_nothing_any_more(
    working: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform, batches = working.platform, iter(range(9))

    def judged(*given: Any) -> Any:
        if next(batches) == 2:
            [location] = service.list_locations(platform)
            service.unregister_location(platform.system("test"), location.id)
        return judge(*given)

    monkeypatch.setattr(import_work, "BATCH", 1)
    monkeypatch.setattr(import_work, "judge", judged)
    with working.client(working.token()) as admin:
        run_id = start(admin, [entity(name) for name in ("orders", "carts", "prices")], apply=True).json()["run_id"]
        assert "was unregistered while it was read" in str(ended(admin, run_id, "failed")["error"])
        assert names(admin) == []


def test_another_sources_entity_stays_its_own_and_is_told_before(working: Served, publish: Any) -> None:
    publish("shop", {"catalog-info.yaml": component("orders")})
    with working.client(working.token()) as admin:
        admin.post("/api/catalog/locations", json={"type": "git", "target": "shop//catalog-info.yaml"})
        for apply in (False, True):
            counts, items = imported(admin, [entity("orders"), entity("carts")], apply=apply)
            assert counts["problems"] == 1
            assert "another source" in items[0]["problem"]
        assert names(admin) == ["carts"]
        problems = admin.get("/api/catalog/v1/problems", params={"code": "conflict"}).json()["items"]
        assert [problem["ref"] for problem in problems] == ["component:default/orders"]


def test_people_and_teams_come_with_trust_only(working: Served) -> None:
    documents = [{"identifier": "t", "blueprint": "_team"}, entity("orders")]
    platform = working.platform
    owner = {"kind": "Group", "apiVersion": "backstage.io/v1alpha1", "metadata": {"name": "makers"}}
    owner["spec"] = {"type": "team", "children": [], "members": ["dev"]}
    user = {
        "kind": "User",
        "apiVersion": "backstage.io/v1alpha1",
        "metadata": {"name": "dev"},
        "spec": {"memberOf": []},
    }
    from taxiway.plugin import SourcedEntity

    sourced = [SourcedEntity(one, "file:/org.yaml") for one in (owner, user)]
    ctx = platform.system("test")
    platform.store.write(lambda tx: service.apply_entities(tx, ctx, sourced, "org", full=False))
    with working.client(working.token("developer", "user:default/dev")) as dev:
        assert start(dev, documents).status_code == 403
        counts, items = imported(dev, documents, apply=True, owner="makers", name="mine")
        assert [bool(item["problem"]) for item in items] == [True, False]
        assert names(dev) == ["orders"]
        counts, items = imported(dev, [BLUEPRINT, entity("carts")], apply=True, owner="makers", name="kinds")
        assert ["catalog.location.trust" in item["problem"] for item in items] == [True, True]
        assert names(dev) == ["orders"]
    with working.client(working.token("developer", "user:default/stranger")) as stranger:
        assert stranger.get(f"{IMPORTS}/{counts['run_id']}/report").status_code == 403
        assert start(stranger, documents, owner="makers", name="mine").status_code == 403
    with working.client(working.token()) as admin:
        imported(admin, documents, apply=True, owner="makers", name="theirs")
        assert names(admin) == ["orders", "t"]
    with working.client(working.token("developer", "user:default/dev")) as dev:
        answer = start(dev, documents, apply=True, owner="makers", name="theirs")
        assert "catalog.location.trust" in ended(dev, answer.json()["run_id"], "failed")["error"]


def test_a_document_sent_before_is_its_senders_only(working: Served) -> None:
    with working.client(working.token()) as admin:
        sent = admin.post(f"{IMPORTS}/documents", json={"content": json.dumps([entity("orders")])})
        assert sent.status_code == 201
        named = {"format": "port", "name": "acme", "documents": [{"name": "big.json", **sent.json()}]}
        run_id = admin.post(IMPORTS, json=named).json()["run_id"]
        assert ended(admin, run_id)["output"]["entity"] == 1
        with working.client(working.token("admin", "user:default/other")) as other:
            refused = other.post(IMPORTS, json=named)
            assert (refused.status_code, refused.json()["code"]) == (422, "catalog.import_document")


@pytest.mark.parametrize(
    "wrong",
    [
        {"format": "jira"},
        {"name": "no name!"},
        {"documents": []},
        {"documents": [{"name": "a"}]},
        {"documents": [{"name": "a", "content": "", "digest": "sha256:0"}]},
        {"documents": [{"name": "a", "digest": "sha256:" + "0" * 64}]},
        {"documents": [{"name": "a", "digest": "../../etc/passwd"}]},
        {"kinds": {"a": "Spaceship"}},
        {"base": "relative"},
        {"base": "/a\0"},
        {"documents": [{"name": "a\nb", "content": "[]"}]},
        {"kinds": {"a\0": "Group"}},
        {"owner": "a:b:c/"},
    ],
)
def test_a_request_that_makes_no_sense_is_refused(working: Served, wrong: dict[str, Any]) -> None:
    body = {"format": "port", "name": "acme", "documents": [{"name": "a.json", "content": "[]"}], **wrong}
    with working.client(working.token()) as admin:
        answer = admin.post(IMPORTS, json=body)
        assert answer.status_code == 422, answer.text


def test_reports_are_of_imports_and_cursors_are_ours(working: Served) -> None:
    with working.client(working.token()) as admin:
        run_id = start(admin, [entity("orders")]).json()["run_id"]
        ended(admin, run_id)
        for cursor in ("x", encode_cursor(["x"]), encode_cursor([float("inf")]), encode_cursor([])):
            assert admin.get(f"{IMPORTS}/{run_id}/report", params={"cursor": cursor}).status_code == 422
        for offset in (-5, 3, 10**18):
            assert (
                admin.get(f"{IMPORTS}/{run_id}/report", params={"cursor": encode_cursor([offset])}).status_code == 200
            )
        assert admin.get(f"{IMPORTS}/no-such-run/report").status_code == 404
        platform, days = working.platform, working.platform.settings.catalog.import_days

        def grow_old() -> None:
            for path in platform.artifacts.root.glob("sha256/*/*"):
                os.utime(path, times=(0, time.time() - (days + 1) * 86400))

        assert remove_old(platform) == 0
        grow_old()
        again = start(admin, [entity("orders")]).json()["run_id"]
        ended(admin, again)
        assert remove_old(platform) == 0, "the same document is needed anew, and so is its report"
        grow_old()
        assert remove_old(platform) == 2
        gone = admin.get(f"{IMPORTS}/{run_id}/report")
        assert (gone.status_code, gone.json()["code"]) == (404, "catalog.import_report")
        assert "import again" in gone.json()["detail"]


def test_locations_of_a_configuration_are_registered_and_the_others_said(
    working: Served, publish: Any, tmp_path: Path
) -> None:
    publish("shop", {"catalog-info.yaml": component("orders")})
    (tmp_path / "files" / "org.yaml").write_text(component("carts"))
    config = """
catalog:
  locations:
    - {type: url, target: "http://127.0.0.1:7007/git/shop.git/catalog-info.yaml"}
    - {type: file, target: files/org.yaml}
    - {type: file, target: /etc/passwd}
    - {type: url, target: "http://169.254.169.254/latest"}
"""
    with working.client(working.token()) as admin:
        more = {"format": "backstage-config", "base": str(tmp_path)}
        for apply in (False, True):
            counts, items = imported(admin, config, apply=apply, **more)
            assert [bool(item["problem"]) for item in items] == [False, False, False, True, True]
        assert counts["registered"] == 2
        listed = [one["data"]["type"] for one in admin.get("/api/catalog/locations").json()]
        assert listed == ["url", "file"]
        assert admin.post(f"/api/runs/v1/runs/{counts['run_id']}/undo").status_code == 202
        ended(admin, counts["run_id"], "undone")
        assert admin.get("/api/catalog/locations").json() == []


def test_thousands_of_entities_are_imported(working: Served) -> None:
    entities = [entity(f"s-{n}", relations={"dependsOn": [f"s-{n - 1}"]}) for n in range(2_000)]
    with working.client(working.token()) as admin:
        counts, items = imported(admin, [BLUEPRINT, *entities], apply=True)
        assert (counts["created"], len(items)) == (2_002, 2_001)
