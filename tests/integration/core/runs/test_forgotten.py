"""A run whose worker is gone without a word does not say that it runs for ever."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from factories.platform import build_platform, principal
from taxiway.core.runs.handler import BaseHandler, StepResult
from taxiway.core.runs.parts import FencedError
from taxiway.core.runs.segment import Segment
from taxiway.model.run import ENDED, Run, RunSpec, Step, StepDefinition
from taxiway.plugin import StepContext
from taxiway.worker.main import Worker


class Nothing(BaseHandler):
    def execute(self, run: Run, step: Step, ctx: StepContext) -> StepResult:
        return StepResult()


def test_a_run_that_no_thread_works_on_is_queued_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    platform, execute, lost = build_platform(tmp_path / "data", url=database_url), Segment.execute, []

    def lose_the_first(segment: Segment) -> None:
        if not lost:
            lost.append(segment)
            raise FencedError("as if somebody else had it")
        execute(segment)

    monkeypatch.setattr(Segment, "execute", lose_the_first)
    platform.runs.register("k", Nothing())
    worker = Worker(platform, ())
    worker.start()
    try:
        spec = RunSpec("k", "k", [StepDefinition("s", "s", "s")])
        run_id = platform.store.write(lambda tx: platform.runs.start(tx, principal("alex"), spec))
        end = time.monotonic() + 10
        while (run := platform.runs.get(run_id)).state not in ENDED:
            assert time.monotonic() < end, run
            time.sleep(0.02)
        assert run.state == "succeeded"
        log: Any = platform.log
        assert any("nobody who works on it" in event for _, event, _ in log.lines)
    finally:
        worker.stop()
        platform.store.close()
