"""Runs over HTTP with a real worker: list, follow, logs, going on after a break."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from factories.served import Served, served
from taxiway.core.context import Platform
from taxiway.core.operations import Feature
from taxiway.core.runs.handler import BaseHandler, StepResult
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.model.access import Principal
from taxiway.model.run import Run, RunSpec, Step, StepDefinition
from taxiway.plugin import StepContext
from taxiway.worker.main import run_worker


class Talker(BaseHandler):
    """Steps that say something, bring something into being, or wait for an approval."""

    def execute(self, run: Run, step: Step, ctx: StepContext) -> StepResult:
        if step.action == "wait":
            ctx.wait_for("approval", None)
        ctx.log(f"hello from {step.id}, grüß GOTT [x]^]")
        ctx.created("thing", step.id, {"n": 1})
        return StepResult({"said": step.id})


def register(platform: Platform) -> None:
    platform.runs.register("talk", Talker())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    feature = Feature("talk", {}, [], register)
    with served(tmp_path / "data", features=[ACCESS, feature]) as running:
        worker = threading.Thread(target=run_worker, args=(running.platform, running.platform.stopping))
        worker.start()
        yield running
        running.platform.stopping.set()
        worker.join(10)


def start(server: Served, *actions: str) -> str:
    steps = [StepDefinition(f"step{n}", f"Step {n}", action) for n, action in enumerate(actions)]
    spec = RunSpec("talk", "Talk", steps, owner="group:default/team")
    maker = Principal("user:default/maker", frozenset({"developer"}))
    return server.platform.store.write(lambda tx: server.platform.runs.start(tx, maker, spec))


def follow(server: Served, run_id: str, until: str, last: str | None = None) -> list[tuple[str, str | None, Any]]:
    """Events (name, id, data) of a run until one named `until`."""
    headers = {"last-event-id": last} if last else {}
    found: list[tuple[str, str | None, Any]] = []
    client = server.client(server.token("viewer"))
    with client.stream("GET", f"/api/runs/v1/runs/{run_id}/events", headers=headers) as answer:
        fields: dict[str, str] = {}
        for line in answer.iter_lines():
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
            elif fields:
                found.append((fields["event"], fields.get("id"), json.loads(fields["data"])))
                fields = {}
                if found[-1][0] == until or (until == "waiting" and found[-1][2].get("state") == "waiting"):
                    return found
    return found


def test_a_run_is_followed_to_its_end(server: Served) -> None:
    run_id = start(server, "say", "say", "say")
    events = follow(server, run_id, "end")
    assert events[-1][2] == {"state": "succeeded"}
    texts = [data["text"] for name, _, data in events if name == "log"]
    assert [text for text in texts if text.startswith("hello")] == [
        f"hello from step{n}, grüß GOTT [x]^]" for n in range(3)
    ]
    ids = [int(identifier) for name, identifier, _ in events if name == "log" and identifier]
    assert ids == sorted(ids)
    resumed = follow(server, run_id, "end", last=str(ids[0]))
    assert [int(identifier) for name, identifier, _ in resumed if name == "log" and identifier] == ids[1:]
    run: Mapping[str, Any] = server.client(server.token("viewer")).get(f"/api/runs/v1/runs/{run_id}").json()
    assert [step["state"] for step in run["steps"]] == ["succeeded"] * 3
    assert run["steps"][0]["created"] == [{"kind": "thing", "name": "step0", "data": {"n": 1}}]

    later = start(server, "say")
    follow(server, later, "end")
    client, found, cursor = server.client(server.token("viewer")), [], None
    while True:  # line by line across the runs, the newest first
        query = {"text": "HELLO from", "limit": 1, **({"cursor": cursor} if cursor else {})}
        page = client.get("/api/runs/v1/logs", params=query).json()
        found += [(line["run_id"], line["step_id"]) for line in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == [(later, "step0"), (run_id, "step2"), (run_id, "step1"), (run_id, "step0")]
    for text, lines in (("GRÜß gott [X]^", 4), ("ß*", 0), ("ß gott ?x", 0), ("Ü[^x]", 0), ("hello%step", 0)):
        assert len(client.get("/api/runs/v1/logs", params={"text": text}).json()["items"]) == lines, text
    assert client.get("/api/runs/v1/logs", params={"text": "hello", "kind": "deploy"}).json()["items"] == []
    assert client.get("/api/runs/v1/logs", params={"text": "hello", "cursor": "x"}).status_code == 422
    assert run["actions"] == []


def test_logs_are_paged_by_step_and_seq(server: Served) -> None:
    run_id = start(server, "say", "say")
    follow(server, run_id, "end")
    client = server.client(server.token("viewer"))
    lines = client.get(f"/api/runs/v1/runs/{run_id}/logs").json()["items"]
    behind = client.get(f"/api/runs/v1/runs/{run_id}/logs", params={"after": lines[0]["seq"]}).json()["items"]
    assert behind == lines[1:]
    one = client.get(f"/api/runs/v1/runs/{run_id}/logs", params={"step": "step1"}).json()["items"]
    assert {line["step_id"] for line in one} == {"step1"}


def test_an_approval_comes_from_somebody_else(server: Served) -> None:
    run_id = start(server, "wait")
    follow(server, run_id, "waiting")
    path = f"/api/runs/v1/runs/{run_id}"
    maker = server.client(server.token("platform", "user:default/maker"))
    assert "approve" not in maker.get(path).json()["actions"]
    assert maker.post(path + "/approvals", json={"decision": "approved"}).status_code == 403
    other = server.client(server.token("platform", "user:default/other"))
    assert "approve" in other.get(path).json()["actions"]
    assert other.post(path + "/approvals", json={"decision": "maybe"}).status_code == 422
    assert other.post(path + "/approvals", json={"decision": "approved"}).status_code == 202
    assert follow(server, run_id, "end")[-1][2] == {"state": "succeeded"}


def test_runs_are_listed_newest_first_in_pages(server: Served) -> None:
    made = [start(server, "say") for _ in range(3)]
    client = server.client(server.token("viewer"))
    first = client.get("/api/runs/v1/runs", params={"limit": 2, "kind": "talk"}).json()
    second = client.get("/api/runs/v1/runs", params={"limit": 2, "kind": "talk", "cursor": first["next_cursor"]}).json()
    assert [item["id"] for item in first["items"] + second["items"]] == made[::-1]
    assert second["next_cursor"] is None
    assert client.get("/api/runs/v1/runs", params={"cursor": "rubbish"}).status_code == 422
    assert client.get("/api/runs/v1/runs/nothing").status_code == 404


REQUIRED = {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"}


def test_the_log_of_events_is_listed_followed_and_verified(server: Served) -> None:
    run_id = start(server, "say")
    follow(server, run_id, "end")
    client = server.client(server.token("admin"))
    found: list[dict[str, Any]] = []
    with client.stream("GET", "/api/events/v1/stream", headers={"last-event-id": "0"}) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                found.append(json.loads(line[6:]))
            if found and found[-1]["type"] == "dev.taxiway.run.ended.v1":
                break
    assert [event["seq"] for event in found] == list(range(1, len(found) + 1))
    mine = client.get("/api/events/v1/events", params={"subject": f"run:{run_id}"}).json()["items"]
    assert {event["type"] for event in mine} >= {"dev.taxiway.run.started.v1", "dev.taxiway.run.ended.v1"}
    assert client.get("/api/events/v1/events", params={"type": "dev.taxiway.token."}).json()["items"]
    for event in mine:
        assert set(event) >= REQUIRED
        assert (event["specversion"], event["datacontenttype"]) == ("1.0", "application/json")
        assert datetime.fromisoformat(event["time"]).utcoffset() == timedelta(0)
        assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in event)
        assert None not in event.values()
        assert event in found
    assert client.get("/api/events/v1/verify").json()["ok"] is True
    assert server.client(server.token("developer")).get("/api/events/v1/verify").status_code == 403
