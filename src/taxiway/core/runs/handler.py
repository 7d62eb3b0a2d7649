"""What a kind of run must know how to do. Features register one handler per kind; the engine calls it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from taxiway.core.store.database import Tx
from taxiway.model.run import Run, RunState, Step
from taxiway.plugin import StepContext


@dataclass(frozen=True)
class StepResult:
    """What a step came to. `output` is JSON without secrets."""

    output: Mapping[str, Any] = field(default_factory=dict)
    state: Literal["succeeded", "skipped"] = "succeeded"


class RunHandler(Protocol):
    """Executes the steps of one kind of run. Steps run in order; each is committed before the next begins.

    `execute` may be called again for the same step after an interruption, a retry, or a wait: `ctx.checkpoint` keeps
    what must not be done twice. It raises TaxiwayError for expected failures. `finish` runs in the transaction that
    ends the run and returns the run's output: it may write rows and emit events, and must not block.
    """

    def execute(self, run: Run, step: Step, ctx: StepContext) -> StepResult: ...

    def runs_after_failure(self, run: Run, step: Step) -> bool:
        """Whether the step is to run although an earlier one failed (cleanup)."""
        ...

    def probe(self, run: Run, step: Step, ctx: StepContext) -> StepResult | None:
        """For steps with recovery `probe`: the result when the interrupted call did its work, None to run it again."""
        ...

    def check_undo(self, run: Run, step: Step) -> None:
        """Raise ChangedSinceError with what others changed since, which has to be confirmed by name before any step is
        taken back, and ConflictError when `undo` would refuse this step anyhow. It changes nothing."""
        ...

    def undo(self, run: Run, step: Step, ctx: StepContext) -> None:
        """Take back what `step.created` lists, in reverse order, and of what others changed since only what is
        `ctx.confirmed`. Must be safe to repeat."""
        ...

    def finish(self, tx: Tx, run: Run, state: RunState) -> Mapping[str, Any]: ...


class BaseHandler:
    """Defaults: nothing runs after a failure, probing means running again, undo has nothing to do."""

    def runs_after_failure(self, run: Run, step: Step) -> bool:
        return False

    def probe(self, run: Run, step: Step, ctx: StepContext) -> StepResult | None:
        return None

    def check_undo(self, run: Run, step: Step) -> None:
        return None

    def undo(self, run: Run, step: Step, ctx: StepContext) -> None:
        return None

    def finish(self, tx: Tx, run: Run, state: RunState) -> Mapping[str, Any]:
        return {}
