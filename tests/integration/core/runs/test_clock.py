"""Timers, leases and turns while the wall clock jumps under a working engine."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from factories.platform import MemoryLog, build_platform, fresh_store, principal
from taxiway.core.runs.handler import BaseHandler, StepResult
from taxiway.core.runs.schedules import Schedules
from taxiway.kit.clock import MICROSECONDS, ManualClock, SystemClock
from taxiway.model.run import ENDED, Run, RunSpec, Step, StepDefinition
from taxiway.plugin import StepContext
from taxiway.worker.main import Worker

DAY_SECONDS = 86_400


class Waiting(BaseHandler):
    """Waits for a second, then for a topic that nobody wakes, looked at again after a second."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.calls = 0

    def execute(self, run: Run, step: Step, ctx: StepContext) -> StepResult:
        self.calls += 1
        if step.action == "timer":
            ctx.wait_for("timer:a", 1)
        elif not self.ready.is_set():
            ctx.wait_for("nobody", 1)
        return StepResult()


@pytest.mark.parametrize("action", ["timer", "topic"])
def test_a_clock_that_is_put_back_a_day_keeps_no_parked_run(tmp_path: Path, action: str, database_url: str) -> None:
    file, handler = tmp_path / "offset", Waiting()
    platform = build_platform(tmp_path / "data", url=database_url, clock=SystemClock(file))
    platform.runs.register("k", handler)
    file.write_text(str(DAY_SECONDS))
    worker = Worker(platform, ())
    worker.start()
    try:
        spec = RunSpec("k", "k", [StepDefinition("s", action, action)])
        run_id = platform.store.write(lambda tx: platform.runs.start(tx, principal("alex"), spec))
        end = time.monotonic() + 10
        while platform.runs.get(run_id).state != "waiting":
            assert time.monotonic() < end
            time.sleep(0.01)
        began = time.monotonic()
        file.write_text(str(-DAY_SECONDS))
        handler.ready.set()
        while (run := platform.runs.get(run_id)).state not in ENDED:
            assert time.monotonic() < end, run
            time.sleep(0.01)
        assert run.state == "succeeded"
        assert time.monotonic() - began < 6
    finally:
        worker.stop()
        platform.store.close()


def test_a_turn_that_a_clock_which_ran_ahead_has_put_off_is_taken_now(tmp_path: Path) -> None:
    clock = ManualClock(at=2_000_000_000 * MICROSECONDS)
    store = fresh_store(f"sqlite:///{tmp_path / 's.db'}", tmp_path, clock)
    schedules = Schedules(store, clock, MemoryLog())
    schedules.register("sweep", 60, lambda: None)
    schedules.prepare()
    clock.at -= DAY_SECONDS * MICROSECONDS
    assert schedules.due() == ["sweep"]
    assert schedules.due() == []
    clock.advance(60)
    assert schedules.due() == ["sweep"]
    store.close()
