"""What becomes of a step whose worker went away is what its action declares."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from factories.served import Served, served
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.scaffolder.contrib import FEATURE as SCAFFOLDER
from taxiway.model.run import Created, Recovery, Run
from taxiway.plugin import StepContext
from taxiway.worker.main import Worker

TASKS = "/api/scaffolder/v2/tasks"


@dataclass
class Remote:
    """An action on something outside: its first call does the work, and never gets to say so."""

    recovery: Recovery
    key: str = "remote:make"
    description: str = "Make something outside"
    input_schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "object"})
    output_schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "object"})
    supports_dry_run: bool = True
    made: list[str] = field(default_factory=list)
    working: threading.Event = field(default_factory=threading.Event)

    def run(self, ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any]:
        if ctx.is_dry_run:
            return {"id": "x"}
        self.made.append(values["name"])
        if not self.working.is_set():
            self.working.set()
            ctx.cancelled.wait(30)
        return {"id": f"id of {values['name']}"}

    def probe(self, ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return {"id": f"found {values['name']}"} if values["name"] in self.made else None

    def undo(self, ctx: StepContext, created: Sequence[Created]) -> None:
        return None


@pytest.fixture
def interrupted(
    server: Served, add_template: Callable[..., str], finished: Callable[[str], Run]
) -> Callable[[Remote, Mapping[str, Any]], Run]:
    """The run of a template with one step, whose worker is replaced while the step's first call is under way."""

    def run(remote: Remote, step: Mapping[str, Any]) -> Run:
        server.platform.registry.add("action", remote, "test")
        ref = add_template({"steps": [{"id": "make", "action": "remote:make", **step}], "output": {}})
        with server.client(server.token("developer", "user:default/dev")) as client:
            made = client.post(TASKS, json={"templateRef": ref, "values": {}})
            assert made.status_code == 201, made.text
        first = Worker(server.platform, [])
        first.start()
        assert remote.working.wait(10)
        first.stop()
        second = Worker(server.platform, [])
        second.start()
        try:
            return finished(made.json()["id"])
        finally:
            second.stop()

    return run


@pytest.fixture
def server(tmp_path: Path, entry_points: list[Any]) -> Any:
    """Without a worker."""
    with served(tmp_path / "data", features=[ACCESS, CATALOG, SCAFFOLDER], plugins=entry_points) as running:
        yield running


ONE = {"input": {"name": "a"}}
LOOP = {"each": ["a", "b"], "input": {"name": "${{ each.value }}"}}


def test_a_probed_action_is_asked_and_not_called_again(interrupted: Callable[..., Run]) -> None:
    remote = Remote("probe")
    run = interrupted(remote, ONE)
    assert (run.state, run.steps[0].output) == ("succeeded", {"id": "found a"})
    assert remote.made == ["a"]


def test_in_a_loop_each_turn_is_asked_and_the_missing_ones_are_made(interrupted: Callable[..., Run]) -> None:
    remote = Remote("probe")
    run = interrupted(remote, LOOP)
    assert (run.state, run.steps[0].output) == ("succeeded", {"id": ["found a", "id of b"]})
    assert remote.made == ["a", "b"]


def test_an_idempotent_action_is_called_again(interrupted: Callable[..., Run]) -> None:
    remote = Remote("idempotent")
    assert interrupted(remote, ONE).state == "succeeded"
    assert remote.made == ["a", "a"]


def test_an_action_that_nobody_can_ask_waits_for_a_person(interrupted: Callable[..., Run]) -> None:
    remote = Remote("manual")
    run = interrupted(remote, ONE)
    assert run.state == "needs_attention"
    assert remote.made == ["a"]
    time.sleep(0.2)
    assert remote.made == ["a"]
