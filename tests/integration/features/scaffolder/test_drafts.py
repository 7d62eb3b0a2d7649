"""Half-filled forms are kept without secrets, handed on, finished, or given up on a page; quotas hold."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select, update

from factories.scaffolding import Desk, desk
from taxiway.cli import drafts, scaffold
from taxiway.cli.create import create
from taxiway.cli.errors import CliError
from taxiway.core.store.tables import plugin_record
from taxiway.features.scaffolder.tables import draft as draft_table
from taxiway.features.scaffolder.tables import wizard as wizard_table

DRAFTS = "/api/scaffolder/v1/drafts"
MAX, OWNER = "user:default/max", "group:default/makers"
PAGES = [
    {
        "title": "What",
        "required": ["name"],
        "properties": {
            "name": {"type": "string"},
            "key": {"type": "string", "ui:field": "Secret"},
            "login": {"type": "object", "properties": {"user": {"type": "string"}, "pin": {"writeOnly": True}}},
        },
        "dependencies": {"name": {"properties": {"late": {"type": "string", "ui:widget": "password"}}}},
    }
]


@pytest.fixture(scope="module")
def at() -> Iterator[Desk]:
    with desk() as there:
        told = {"id": "tell", "action": "debug:log", "input": {"message": "made ${{ parameters.name }}"}}
        there.template({"parameters": PAGES, "steps": [told]}, "made")
        yield there


def save(client: httpx.Client, **values: Any) -> dict[str, Any]:
    made = client.post(DRAFTS, json={"template_ref": "template:default/made", "values": values, "reached": 1})
    assert made.status_code == 201, made.text
    return dict(made.json())


def test_a_draft_keeps_no_secret_and_is_its_holders(at: Desk) -> None:
    given = {"name": "orders", "key": "k-1", "late": "k-2", "login": {"user": "u", "pin": "k-3"}}
    with at.client() as mine, at.client(subject=MAX) as his:
        draft = save(mine, **given)
        assert (draft["title"], draft["values"]) == ("made: orders", {"name": "orders", "login": {"user": "u"}})
        assert [one["id"] for one in mine.get(DRAFTS).json()["items"]] == [draft["id"]]
        assert his.get(DRAFTS).json()["items"] == []
        place = f"{DRAFTS}/{draft['id']}"
        assert (his.get(place).status_code, his.delete(place).status_code) == (404, 404)
        changed = mine.put(place, json={"values": {"name": "shop"}, "reached": 0, "version": 1})
        assert (changed.json()["title"], changed.json()["version"]) == ("made: shop", 2)
        deep = '{"a":' * 900 + "1" + "}" * 900
        body = f'{{"template_ref": "template:default/made", "values": {{"login": {deep}}}}}'
        refused = mine.post(DRAFTS, content=body, headers={"content-type": "application/json"})
        assert 400 <= refused.status_code < 500, refused.text
        stale = mine.put(place, json={"values": {}, "version": 1})
        assert (stale.status_code, stale.json()["code"]) == (409, "scaffolder.stale_draft")
        far = mine.put(place, json={"values": {}, "version": 10**30})
        assert (far.status_code, far.json()["code"]) == (422, "input.invalid")
        long = mine.put(place, json={"values": {"name": -26699919627850498048}, "version": 2})
        assert long.json()["values"] == {"name": -2.66999196278505e19}, "as JavaScript reads it"
        assert mine.delete(place).status_code == 204
        assert mine.get(place).status_code == 404


def test_another_person_goes_on_with_a_draft_and_runs_it(at: Desk) -> None:
    with at.client() as mine, at.client(subject=MAX) as his:
        draft = save(mine, name="orders")
        place = f"{DRAFTS}/{draft['id']}"
        unknown = mine.post(f"{place}/hand-over", json={"to": "nobody", "version": 1})
        assert (unknown.status_code, unknown.json()["code"]) == (422, "scaffolder.no_person")
        handed = mine.post(f"{place}/hand-over", json={"to": "max", "note": "you know the name", "version": 1})
        assert handed.json()["holder"] == MAX
        (seen,) = mine.get(DRAFTS).json()["items"]
        assert (seen["is_mine"], seen["values"], mine.get(place).status_code) == (False, {}, 404)
        (got,) = his.get(DRAFTS).json()["items"]
        assert (got["note"], got["handed_by"], got["values"]) == (
            "you know the name",
            "user:default/dev",
            {"name": "orders"},
        )
        body = {"values": got["values"], "draftId": draft["id"]}
        assert at.post("template:default/made", secrets={"key": "k-9"}, **body).status_code == 404, "it is his now"
        with at.served.platform.store.read() as conn:
            kept = conn.execute(select(plugin_record.c.key).where(plugin_record.c.key.like("scaffolder/%/key"))).all()
        assert kept == [], "what was not started keeps no secrets"
        made = at.post("template:default/made", subject=MAX, **body)
        assert made.status_code == 201, made.text
        run = at.end(made.json()["id"])
        assert (run.state, run.created_by) == ("succeeded", MAX)
        assert his.get(DRAFTS).json()["items"] == []


def test_a_draft_that_is_too_old_is_gone(at: Desk) -> None:
    with at.client() as client:
        draft = save(client, name="old")
        at.served.platform.store.write(lambda tx: tx.conn.execute(update(draft_table).values(updated_at=1)))
        assert client.get(f"{DRAFTS}/{draft['id']}").status_code == 404
        assert client.get(DRAFTS).json()["items"] == []
        save(client, name="new")
    with at.served.platform.store.read() as conn:
        assert len(conn.execute(draft_table.select()).all()) == 1


def test_forms_are_counted_by_the_page_on_which_they_were_given_up(
    at: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ref = at.template({"parameters": PAGES, "steps": [{"action": "debug:log", "input": {"message": "m"}}]}, "counted")
    ran, kept, review, first, open_ = (str(uuid4()) for _ in range(5))
    with at.client() as client:

        def reach(wizard: str, page: int) -> int:
            return client.put(
                f"/api/scaffolder/v1/wizards/{wizard}", json={"template_ref": ref, "page": page}
            ).status_code

        assert {reach(one, 0) for one in (ran, kept, review, first)} == {204}
        assert [reach(one, 1) for one in (ran, review, review)] == [204] * 3
        assert (reach(review, 0), reach(first, 2), reach("x", 0)) == (204, 422, 422), "back is no step back"
        with at.client("viewer") as viewer:
            told = viewer.put(f"/api/scaffolder/v1/wizards/{open_}", json={"template_ref": ref, "page": 0})
            assert told.status_code == 403
        body = {"template_ref": ref, "values": {"name": "n"}, "wizard_id": kept}
        assert client.post(DRAFTS, json=body).status_code == 201
        made = at.post(ref, values={"name": "n"}, wizardId=ran)
        assert made.status_code == 201, made.text
        at.served.platform.store.write(
            lambda tx: tx.conn.execute(update(wizard_table).values(updated_at=tx.now - 7200 * 1_000_000))
        )
        assert reach(open_, 0) == 204
        items = client.get("/api/scaffolder/v1/golden-paths").json()["items"]
    found = next(item for item in items if item["template"] == ref)["wizards"]
    assert {name: found[name] for name in ("opened", "tasks", "drafts", "abandoned")} == {
        "opened": 5,
        "tasks": 1,
        "drafts": 1,
        "abandoned": 2,
    }
    assert [tuple(page.values()) for page in found["pages"]] == [(0, "What", 5, 1), (1, "Review", 2, 1)]
    monkeypatch.setenv("TAXIWAY_URL", at.served.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", at.served.token("developer", "user:default/dev"))
    scaffold.wizards("counted")
    assert "5 opened, 1 ended in a task, 1 were kept as a draft" in capsys.readouterr().err


def quota_check(at: Desk, ref: str, values: dict[str, Any]) -> dict[str, Any]:
    with at.client() as client:
        plan = client.post("/api/scaffolder/v1/plans", json={"template_ref": ref, "values": values}).json()
    return next(check for check in plan["checks"] if check["id"] == "quota")


def test_an_owner_has_so_many_services_of_a_golden_path(at: Desk) -> None:
    document = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": "${{ parameters.name }}"},
        "spec": {"type": "service", "lifecycle": "production", "owner": "makers"},
    }
    steps = [
        {"action": "catalog:write", "input": {"entity": document}},
        {"action": "publish:git", "input": {"name": "${{ parameters.name }}", "owner": OWNER}},
        {"action": "catalog:register", "input": {"repository": "${{ parameters.name }}"}},
    ]
    ref = at.template({"taxiway:quota": {"services": 1}, "steps": steps}, "few")
    first, second = ({"name": name, "owner": "makers"} for name in ("one", "two"))
    assert quota_check(at, ref, first)["detail"] == "group:default/makers: 0 of 1 services are used"
    run = at.end(at.post(ref, values=first).json()["id"])
    assert run.state == "succeeded", run.error
    assert quota_check(at, ref, second)["verdict"] == "failed"
    refused = at.post(ref, values=second)
    assert refused.status_code == 403
    assert "group:default/makers has 1 services of this golden path, and may have 1" in refused.text
    assert at.post(ref, values={"name": "two"}).status_code == 201, "another owner has a quota of his own"


def test_an_owner_has_so_many_tasks_of_a_golden_path_at_a_time(at: Desk) -> None:
    waits = {"id": "wait", "action": "debug:log", "taxiway:wait": {"signal": "go"}, "input": {"message": "on"}}
    ref = at.template({"taxiway:quota": {"running": 1}, "steps": [waits]}, "slow")
    first = at.post(ref).json()["id"]
    at.end(first, "waiting")
    refused = at.post(ref)
    assert (refused.status_code, "wait until one has ended" in refused.text) == (403, True)
    with at.client("platform") as client:
        assert client.post(f"/api/runs/v1/runs/{first}/signals/go", json={"data": {}}).status_code < 300
    assert at.end(first).state == "succeeded"
    platform = at.served.platform
    start = partial(platform.services["scaffolder"].create_task, platform.system("test"), ref, {}, {})
    assert start(request_key="once") == start(request_key="once"), "a start that is repeated is not one more"
    assert at.post(ref).status_code == 201


def test_the_commands_save_hand_over_and_go_on(
    at: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAXIWAY_URL", at.served.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", at.served.token("developer", "user:default/dev"))
    assert create("made", save=True, values='{"login": {"user": "u"}}') == 0
    draft = capsys.readouterr().err.split()[-1]
    drafts.hand_over(draft, "max", message="name it")
    drafts.list_drafts(output="json")
    assert '"holder": "user:default/max"' in capsys.readouterr().out
    monkeypatch.setenv("TAXIWAY_TOKEN", at.served.token("developer", MAX))
    assert drafts.run(draft, name="shop") == 0
    assert "made shop" in capsys.readouterr().out
    with pytest.raises(CliError, match="you hold no such draft"):
        drafts.drop(draft)
