"""Executes one segment of a claimed run: its steps, each start and result committed under the fence.

Called by the engine in a thread of its own. It claims nothing, renews nothing, and never writes without the fence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from taxiway.core.runs import again, repository
from taxiway.core.runs.ending import FREE, cancel_tree, end_run, remove_workspace
from taxiway.core.runs.handler import StepResult
from taxiway.core.runs.logs import Flusher, RunLog
from taxiway.core.runs.parts import Control, FencedError, Parts
from taxiway.core.runs.rows import plain, principal_of
from taxiway.core.runs.stepping import ParkedError, Stepping
from taxiway.core.store.database import Tx
from taxiway.core.store.tables import run as run_table
from taxiway.kit.clock import MICROSECONDS
from taxiway.kit.processes import RUN_MARKER, kill_marked
from taxiway.model.errors import TaxiwayError, UnavailableError
from taxiway.model.run import ENDED, RunState, Step
from taxiway.plugin import StepContext

SETTLED = frozenset({"succeeded", "skipped"})
Outcome = StepResult | ParkedError | Exception


class Segment:
    """One segment. `execute` returns when the run ended, parked, needs attention, or was taken by another worker."""

    def __init__(self, parts: Parts, control: Control, flusher: Flusher) -> None:
        self._parts, self._control, self._flusher = parts, control, flusher
        self._unsaved: list[tuple[str, dict[str, Any]]] = []

    def execute(self) -> None:
        """Do the work. FencedError when another worker took the run."""
        run_id = self._control.claim.run_id
        with self._parts.store.read() as conn:
            self._run = repository.load(conn, run_id)
            extra = conn.execute(
                run_table.select().with_only_columns(run_table.c.principal).where(run_table.c.id == run_id)
            ).one()
        self._principal = principal_of(extra.principal)
        self._handler = self._parts.handlers[self._run.kind]
        self._log = RunLog(self._parts, self._control, self._flusher)
        self._redactor = self._parts.redactions.open()
        try:
            self._parts.workspace(run_id).mkdir(parents=True, exist_ok=True, mode=0o700)
            self._dispatch()
        finally:
            self._parts.redactions.close(self._redactor)

    @property
    def _state(self) -> RunState:
        return self._run.state

    def _dispatch(self) -> None:
        interrupted = any(step.state == "interrupted" for step in self._run.steps)
        if interrupted or self._state in ("undoing", "cancelling"):
            kill_marked(RUN_MARKER, self._run.id)
        if self._state == "undoing":
            self._undo()
        elif self._state == "cancelling":
            self._end("cancelled", None)
        else:
            self._forward()

    def _forward(self) -> None:
        failure: str | None = None
        for position in range(len(self._run.steps)):
            step = self._run.steps[position]
            if step.state in SETTLED:
                continue
            if step.state == "failed":  # in this segment, which parked in a step behind it
                failure = failure or f"step {step.id} failed: {step.error}"
                continue
            if failure is not None and not self._handler.runs_after_failure(self._run, step):
                continue
            outcome = self._work(step)
            if outcome is None:
                return
            if isinstance(outcome, Exception):
                failure = failure or f"step {step.id} failed: {self._reason(step, outcome)}"
        self._end("failed" if failure else "succeeded", failure)

    def _work(self, step: Step) -> StepResult | Exception | None:
        """Run a step to its result or error; None when the segment is over with it."""
        was_interrupted = step.state == "interrupted"
        if was_interrupted and step.recovery == "manual":
            self._need_attention(step)
            return None
        has_run = was_interrupted or again.is_next_try(step)
        if not self._begin(step):
            return None
        step = self._step(step.id)
        while True:
            outcome = self._call(step, self._probing if has_run and step.recovery == "probe" else self._running)
            if not isinstance(outcome, ParkedError):
                break
            if self._park(step, outcome):
                return None
        if isinstance(outcome, Exception) and self._pause(step, outcome):
            return None
        self._settle(step, outcome)
        if self._control.cancelled.is_set():
            self._end("cancelled", None)
            return None
        return outcome

    def _running(self, step: Step, context: StepContext) -> StepResult:
        return self._handler.execute(self._run, step, context)

    def _probing(self, step: Step, context: StepContext) -> StepResult:
        found = self._handler.probe(self._run, step, context)
        return found if found is not None else self._running(step, context)

    def _call(self, step: Step, call: Callable[[Step, StepContext], StepResult]) -> Outcome:
        stepping = Stepping(self._parts, self._control, self._log, self._redactor, self._run, step)
        self._mark = stepping.mark
        try:
            result = call(step, stepping.context(self._principal))
            return replace(result, output=self._redactor.document(plain(result.output, "the output of the step")))
        except ParkedError as parked:
            return parked
        except FencedError:
            raise
        except Exception as error:
            if self._control.fenced:
                raise FencedError(self._run.id) from error
            return error
        finally:
            if stepping.changed and not self._control.fenced:
                self._refresh(step.id)

    def _refresh(self, step_id: str) -> None:
        """Take over what a step recorded, for the steps after it."""
        with self._parts.store.read() as conn:
            now = next(step for step in repository.load(conn, self._run.id).steps if step.id == step_id)
        steps = [
            replace(step, created=now.created, checkpoints=now.checkpoints) if step.id == step_id else step
            for step in self._run.steps
        ]
        self._run = replace(self._run, steps=steps)

    def _reason(self, step: Step, error: Exception) -> str:
        if isinstance(error, TaxiwayError):
            return self._redactor.values(error.detail)
        return f"{type(error).__name__} inside {step.action}: this is a fault; see the log of the server"

    def _step(self, step_id: str) -> Step:
        return next(step for step in self._run.steps if step.id == step_id)

    def _remember(self, step_id: str, values: Mapping[str, Any]) -> None:
        known = {key: value for key, value in values.items() if key in ("state", "attempt", "output", "error")}
        steps = [replace(step, **known) if step.id == step_id else step for step in self._run.steps]
        self._run = replace(self._run, steps=steps)

    def _save(self, tx: Tx) -> None:
        for step_id, values in self._unsaved:
            repository.set_step(tx, self._run.id, step_id, **values)

    def _commit(self, work: Callable[[Tx], Any]) -> Any:
        """One fenced commit that also saves the results that were not saved yet."""
        if self._control.fenced:
            raise FencedError(self._run.id)
        result = self._log.carry(work)
        self._unsaved = []
        return result

    def _begin(self, step: Step) -> bool:
        """Commit the start of a step and the results before it; False when the run is to be cancelled instead."""
        attempt = step.attempt + (0 if step.state == "waiting" and not again.is_next_try(step) else 1)
        values = {"state": "running", "attempt": attempt, "error": None, "ended_at": None}

        def work(tx: Tx) -> bool:
            state = repository.guard(tx, self._control.claim)
            self._save(tx)
            if state == "cancelling":
                return False
            started = {"started_at": tx.now} if step.started_at is None or step.state != "waiting" else {}
            repository.set_step(tx, self._run.id, step.id, **values, **started)
            self._tell(tx)
            return True

        if not self._commit(work):
            self._end("cancelled", None)
            return False
        self._remember(step.id, values)
        return True

    def _settle(self, step: Step, outcome: StepResult | Exception) -> None:
        values: dict[str, Any] = {"ended_at": self._parts.clock.now()}
        if isinstance(outcome, StepResult):
            values |= {"state": outcome.state, "output": outcome.output, "error": None}
        else:
            stopped = self._control.cancelled.is_set()
            values |= {"state": "cancelled" if stopped else "failed", "error": self._reason(step, outcome)}
            if not isinstance(outcome, TaxiwayError):
                self._parts.log.error(
                    "step failed",
                    run=self._run.id,
                    step=step.id,
                    error=self._redactor.values(repr(outcome)),
                    where=_where(outcome),
                )
        self._unsaved.append((step.id, values))
        self._remember(step.id, values)

    def _park(self, step: Step, parked: ParkedError) -> bool:
        """Park the run, unless what it waits for came already: then False, and the step is called again."""
        run_id, topic = self._run.id, parked.topic

        def came(tx: Tx) -> bool:
            if topic.startswith("run:"):
                # The child is locked first, as in its own end: either it has ended, or its end will find us waiting
                return repository.load_for_update(tx, topic.removeprefix("run:")).state in ENDED
            if topic.startswith("approval:"):
                return repository.decision_of(tx.conn, run_id, topic.split(":", 2)[2]) is not None
            return self._parts.wakes.since(topic, self._mark)

        def work(tx: Tx) -> str:
            here = came(tx)
            state = repository.guard(tx, self._control.claim)
            self._save(tx)
            if state == "cancelling":
                return "cancel"
            if here or (not topic.startswith("run:") and came(tx)):
                return "again"
            values = {**FREE, "waiting_for": topic, "wake_at": parked.wake_at}
            if state == "undoing":
                values["intent"] = "undo"
            else:
                repository.set_step(tx, run_id, step.id, state="waiting")
            repository.set_run(tx, run_id, state="waiting", **values)
            self._tell(tx)
            return "parked"

        verdict = self._commit(work)
        if verdict == "cancel":
            self._unsaved.append((step.id, {"state": "cancelled"}))
            self._end("cancelled", None)
        return bool(verdict != "again")

    def _pause(self, step: Step, error: Exception) -> bool:
        """Park the run until the step is tried again by itself; False when it fails with this error."""
        step, reason = self._step(step.id), self._reason(step, error)
        next_try = again.next_try(step, error, self._parts.step_retries)
        if next_try is None or self._control.cancelled.is_set():
            return False
        told = f"{reason}\ntrying again in {next_try.seconds:g} s ({next_try.number} of {self._parts.step_retries})"
        self._log.add(self._redactor, step.id, told, "system")

        def work(tx: Tx) -> bool:
            state = repository.guard(tx, self._control.claim)
            self._save(tx)
            if state == "cancelling":
                return False
            waiting = {"state": "waiting", "error": reason, "checkpoints": again.counted(step, next_try.number)}
            repository.set_step(tx, self._run.id, step.id, **waiting)
            wake_at = tx.now + int(next_try.seconds * MICROSECONDS)
            parked = {**FREE, "waiting_for": f"retry:{step.id}", "wake_at": wake_at}
            repository.set_run(tx, self._run.id, state="waiting", **parked)
            self._tell(tx)
            return True

        if not self._commit(work):
            self._unsaved.append((step.id, {"state": "cancelled", "error": reason}))
            self._end("cancelled", None)
        return True

    def _need_attention(self, step: Step) -> None:
        error = f"step {step.id} was interrupted and nobody can tell what it did: look, then resume, cancel or undo"

        def work(tx: Tx) -> None:
            repository.guard(tx, self._control.claim)
            self._save(tx)
            repository.set_run(tx, self._run.id, state="needs_attention", error=error, **FREE)
            self._tell(tx)

        self._commit(work)

    def _end(self, state: RunState, error: str | None) -> None:
        """End the run. A `finish` that fails makes it failed, with that reason."""
        ended, reason = state, error
        for finish in (True, True, False):
            try:
                self._commit(partial(self._end_in, state=ended, error=reason, finish=finish))
                break
            except (FencedError, UnavailableError):
                raise  # the store's trouble is not the run's: it is given back, and ends later
            except Exception as failure:
                if not finish:
                    raise
                self._parts.log.error("finish failed", run=self._run.id, error=self._redactor.values(repr(failure)))
                ended = "cancelled" if state == "cancelled" else "failed"
                detail = failure.detail if isinstance(failure, TaxiwayError) else type(failure).__name__
                reason = reason or self._redactor.values(f"recording the result failed: {detail}")
        if ended in ("succeeded", "undone"):
            remove_workspace(self._parts, self._run.id)

    def _end_in(self, tx: Tx, state: RunState, error: str | None, finish: bool) -> None:
        run_id = self._run.id
        if state == "cancelled":
            for child in repository.descendants(tx.conn, run_id):
                cancel_tree(tx, self._parts, child)
        was = repository.guard(tx, self._control.claim)
        self._save(tx)
        if was == "cancelling" and state == "succeeded":
            state = "cancelled"
        current = repository.load(tx.conn, run_id)
        if state == "cancelled":
            for step in current.steps:
                if step.state in ("running", "waiting", "interrupted"):
                    repository.set_step(tx, run_id, step.id, state="cancelled", ended_at=tx.now)
            current = repository.load(tx.conn, run_id)
        end_run(tx, self._parts, current, state, error, finish=finish)

    def _tell(self, tx: Tx) -> None:
        tx.after_commit(lambda: self._parts.signals.notify(f"run:{self._run.id}"))

    def _undo(self) -> None:
        """Take back step by step, last first. A failure ends the run as failed; undo can then be asked for again."""
        for step in reversed(self._run.steps):
            if step.state == "undone" or (step.state in ("pending", "skipped") and not step.created):
                continue
            while isinstance(outcome := self._call(step, self._undoing), ParkedError):
                if self._park(step, outcome):
                    return
            if isinstance(outcome, Exception):
                reason = self._reason(step, outcome)
                self._unsaved.append((step.id, {"state": "failed", "error": reason, "checkpoints": {}}))
                self._end("failed", f"undo of step {step.id} failed: {reason}")
                return
            self._undone(step)
        self._end("undone", None)

    def _undone(self, step: Step) -> None:
        def work(tx: Tx) -> None:
            repository.guard(tx, self._control.claim)
            repository.set_step(tx, self._run.id, step.id, state="undone", error=None, checkpoints={})
            self._tell(tx)

        self._commit(work)
        self._remember(step.id, {"state": "undone"})

    def _undoing(self, step: Step, context: StepContext) -> StepResult:
        self._handler.undo(self._run, step, context)
        return StepResult()


def _where(error: BaseException) -> str:
    """File and line of the innermost frame; the message itself may hold values, a traceback's frames do not."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
