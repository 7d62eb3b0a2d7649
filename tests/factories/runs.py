"""Runs for tests: a handler whose steps are functions, and a platform with a worker that works on them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from factories.platform import context, principal
from taxiway.core.context import Platform
from taxiway.core.runs.durable import DurableRuns
from taxiway.core.runs.handler import BaseHandler, StepResult
from taxiway.model.errors import UnavailableError
from taxiway.model.run import ENDED, Run, RunSpec, Step, StepDefinition
from taxiway.plugin import StepContext
from taxiway.worker.main import Worker

ALEX, KIM = principal("alex"), principal("kim")


class Scripted(BaseHandler):
    """Steps are functions by action name; `undone` keeps the order of undo."""

    def __init__(self, **actions: Callable[[StepContext], Any]) -> None:
        self.actions = actions
        self.undone: list[str] = []
        self.undo_fails: set[str] = set()
        self.calls: list[str] = []

    def execute(self, run: Run, step: Step, ctx: StepContext) -> StepResult:
        self.calls.append(step.id)
        result = self.actions[step.action](ctx)
        return StepResult(result if isinstance(result, Mapping) else {})

    def runs_after_failure(self, run: Run, step: Step) -> bool:
        return step.action == "cleanup"

    def undo(self, run: Run, step: Step, ctx: StepContext) -> None:
        if step.id in self.undo_fails:
            raise UnavailableError("the engine does not answer")
        for created in reversed(step.created):
            self.undone.append(created.name)

    def finish(self, tx: Any, run: Run, state: str) -> Mapping[str, Any]:
        return {"steps": sum(step.state == "succeeded" for step in run.steps), "ended": state}


class Bench:
    """A platform with a running worker."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.runs: DurableRuns = platform.runs
        self.worker = Worker(platform, ())

    def start(self, kind: str, *actions: str, who: Any = ALEX, **options: Any) -> str:
        steps = [StepDefinition(f"s{n}", action, action) for n, action in enumerate(actions, 1)]
        spec = RunSpec(kind, kind, steps, **options)
        return self.platform.store.write(lambda tx: self.runs.start(tx, who, spec))

    def wait(self, run_id: str, *states: str, seconds: float = 10) -> Run:
        wanted = states or tuple(ENDED)
        end = time.monotonic() + seconds
        while (run := self.runs.get(run_id)).state not in wanted:
            assert time.monotonic() < end, f"{run.state} instead of {wanted}: {run}"
            time.sleep(0.01)
        return run

    def ctx(self, who: Any = ALEX) -> Any:
        return context(self.platform, who)
