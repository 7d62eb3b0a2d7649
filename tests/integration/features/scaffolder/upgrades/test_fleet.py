"""All services of a golden path follow it, canaries first, and stop where something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from taxiway.model.run import Run

from .conftest import FILES, FORM, V1, Desk, until

NAMES = [f"s{number}" for number in range(6)]
REFS = [f"component:default/{name}" for name in NAMES]


@pytest.fixture
def fleet(desk: Desk) -> str:
    """Six services that lag behind; the reference of their golden path."""
    ref = desk.template(FILES)
    for name in NAMES:
        desk.make(ref, name)
    desk.template({"new.txt": "new\n"})
    return ref


@pytest.fixture
def start(desk: Desk, fleet: str) -> Callable[..., str]:
    def start(**options: Any) -> str:
        answer = desk.client.post(f"{V1}/fleet-upgrades", json={"template_ref": fleet, **options})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    return start


def children(desk: Desk, run_id: str) -> dict[str, Run]:
    found = desk.client.get("/api/runs/v1/runs", params={"kind": "upgrade", "limit": 100}).json()["items"]
    runs = [desk.server.platform.runs.get(item["id"]) for item in found]
    return {str(run.subject): run for run in runs if run.parent_id == run_id}


def subjects(items: Any) -> list[str]:
    return [item["subject"] for item in items]


def test_canaries_go_first_and_the_rest_follows(desk: Desk, start: Callable[..., str]) -> None:
    run = desk.finished(start(canary=2, pace=3))
    assert run.state == "succeeded", run.error
    assert run.output is not None
    assert subjects(run.output["upgraded"]) == REFS
    assert all(item["pull"] == 1 for item in run.output["upgraded"])
    made = children(desk, run.id)
    canaries_done = max(made[ref].ended_at or 0 for ref in REFS[:2])
    assert all(made[ref].created_at >= canaries_done for ref in REFS[2:])
    assert {desk.state(ref)["state"] for ref in REFS} == {"proposed"}
    again = desk.client.post(f"{V1}/fleet-upgrades", json={"template_ref": "path"})
    assert again.status_code == 409, "nobody lags behind any more"


def test_one_that_cannot_be_upgraded_stops_the_fleet_which_says_who_was_not_reached(
    desk: Desk, start: Callable[..., str]
) -> None:
    desk.forge.delete_repository("s2", archive=True)
    run = desk.finished(start(canary=1, pace=1))
    assert run.state == "failed"
    assert run.output is not None
    assert subjects(run.output["upgraded"]) == REFS[:2]
    assert subjects(run.output["failed"]) == [REFS[2]]
    assert "archived" in run.output["failed"][0]["error"]
    assert run.output["not_reached"] == REFS[3:]
    assert set(children(desk, run.id)) == set(REFS[:3])
    log = [line.text for _, line in desk.server.platform.runs.logs(run.id, step=None, after=0, limit=100)]
    assert f"not reached: 1 failed: {REFS[2]}" in log
    assert desk.state(REFS[3])["state"] == "behind"


def test_more_failures_may_be_allowed_and_a_retry_goes_on(desk: Desk, start: Callable[..., str]) -> None:
    desk.forge.delete_repository("s2", archive=True)
    run = desk.finished(start(canary=1, pace=2, stop_after_failures=2))
    assert run.state == "failed"
    assert run.output is not None
    assert subjects(run.output["upgraded"]) == [REFS[0], REFS[1], *REFS[3:]]
    assert run.output["not_reached"] == []
    with desk.server.client(desk.server.token("admin")) as admin:
        assert admin.post(f"/api/runs/v1/runs/{run.id}/retry").status_code in (200, 202)
    until(lambda: desk.server.platform.runs.get(run.id).segment > run.segment)
    second = desk.finished(run.id)
    assert second.output is not None
    assert subjects(second.output["upgraded"]) == [REFS[0], REFS[1], *REFS[3:]]
    assert all(item.get("pull") == 1 for item in second.output["upgraded"])
    assert len(children(desk, run.id)) == 6, "nobody is upgraded twice"


def test_new_questions_are_answered_for_all(desk: Desk, start: Callable[..., str]) -> None:
    form = {**FORM, "required": ["owner", "tier"], "properties": {**FORM["properties"], "tier": {"type": "string"}}}
    desk.template({"tier.txt": "${{ values.tier }}\n"}, form)
    unanswered = desk.finished(start(subjects=NAMES[:2]))
    assert unanswered.output is not None
    assert "asks for tier" in unanswered.output["failed"][0]["error"]
    assert unanswered.output["not_reached"] == REFS[1:2]
    answered = desk.finished(start(subjects=NAMES[:2], answers={"tier": "gold"}))
    assert answered.state == "succeeded", answered.error
    pull = desk.client.get("/api/pulls/v1/pulls/s1/1").json()
    assert desk.read(pull["head"], "tier.txt", "s1") == "gold\n"


def test_a_canary_that_fails_keeps_all_others_from_it(desk: Desk, start: Callable[..., str]) -> None:
    desk.forge.delete_repository("s0", archive=True)
    run = desk.finished(start(canary=1, pace=5, stop_after_failures=9))
    assert run.state == "failed"
    assert run.output is not None
    assert run.output["not_reached"] == REFS[1:]


def test_cancel_ends_the_children(desk: Desk, start: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    from taxiway.features.scaffolder.upgrade_run import UpgradeHandler

    def waiting(self: Any, run: Run, step: Any, ctx: Any) -> Any:
        ctx.wait_for("never")

    monkeypatch.setattr(UpgradeHandler, "execute", waiting)
    run_id = start(canary=0, pace=3)
    until(lambda: [run.state for run in children(desk, run_id).values()] == ["waiting"] * 3)
    desk.client.post(f"/api/runs/v1/runs/{run_id}/cancel")
    run = desk.finished(run_id)
    assert run.state == "cancelled"
    assert run.output is not None
    assert run.output["not_reached"] == REFS
    until(lambda: {child.state for child in children(desk, run_id).values()} == {"cancelled"})


def test_undo_closes_the_pull_requests(desk: Desk, start: Callable[..., str]) -> None:
    run = desk.finished(start(subjects=NAMES[:2]))
    assert run.state == "succeeded", run.error
    desk.client.post(f"/api/runs/v1/runs/{run.id}/undo")
    until(lambda: desk.server.platform.runs.get(run.id).state == "undone")
    assert desk.client.get("/api/pulls/v1/pulls", params={"state": "open"}).json()["items"] == []
    assert {desk.state(ref)["state"] for ref in REFS} == {"behind"}


def test_undo_leaves_what_was_merged(desk: Desk, start: Callable[..., str]) -> None:
    run = desk.finished(start(subjects=NAMES[:2]))
    desk.merge({"repository": "s0", "number": 1})
    child = children(desk, run.id)[REFS[0]]
    refused = desk.client.post(f"/api/runs/v1/runs/{child.id}/undo")
    until(lambda: refused.status_code == 409 or desk.server.platform.runs.get(child.id).state == "failed")
    desk.client.post(f"/api/runs/v1/runs/{run.id}/undo")
    until(lambda: desk.server.platform.runs.get(run.id).state == "undone")
    states = {name: desk.client.get(f"/api/pulls/v1/pulls/{name}/1").json()["state"] for name in NAMES[:2]}
    assert states == {"s0": "merged", "s1": "closed"}


def test_services_that_do_not_lag_behind_cannot_be_named(desk: Desk, fleet: str) -> None:
    body = {"template_ref": fleet, "subjects": ["component:default/other"]}
    answer = desk.client.post(f"{V1}/fleet-upgrades", json=body)
    assert answer.status_code == 409
    assert "component:default/other" in answer.text
