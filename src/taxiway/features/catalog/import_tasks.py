"""The run kind `import`: converts the documents of another portal, and applies them when it is asked to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.core.runs.handler import BaseHandler, StepResult
from taxiway.core.store.database import Tx
from taxiway.features.catalog import service
from taxiway.features.catalog.service.import_work import Work, run_import
from taxiway.model.errors import NotFoundError
from taxiway.model.run import Run, RunState, Step
from taxiway.plugin import StepContext


class ImportHandler(BaseHandler):
    """Running it again converges. Undo unregisters what the import is a source of, with all that it brought."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def execute(self, run: Run, step: Step, ctx: StepContext) -> StepResult:
        op = OpContext(self._platform, ctx.principal, run.id)
        work = Work(op, run.input, ctx.cancelled.is_set, ctx.log, ctx.created)
        return StepResult(run_import(work, ctx.checkpoint))

    def undo(self, run: Run, step: Step, ctx: StepContext) -> None:
        op = OpContext(self._platform, ctx.principal, run.id)
        for made in reversed(step.created):
            try:
                gone = service.unregister_location(op, made.data["location_id"])
            except NotFoundError:
                continue  # unregistered in the meantime
            ctx.log(f"{made.name} is unregistered: {len(gone)} entities are gone")

    def finish(self, tx: Tx, run: Run, state: RunState) -> Mapping[str, Any]:
        return dict(run.steps[0].output or {}) if run.steps else {}
