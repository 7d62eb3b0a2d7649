"""`Runs` on the store: what features call. Every change is one transaction; the engine is woken after its commit.

Authorization is the caller's, with one exception that holds for everybody: nobody approves a run of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, or_

from taxiway.core.events.log import EventLog
from taxiway.core.runs import again, repository
from taxiway.core.runs.ending import cancel_tree
from taxiway.core.runs.follow import Follower
from taxiway.core.runs.handler import RunHandler
from taxiway.core.runs.parts import WORK, Parts
from taxiway.core.runs.redact import ObservedSecrets, Redactions
from taxiway.core.runs.rows import plain
from taxiway.core.runs.schedules import Schedules
from taxiway.core.runs.stepping import CONFIRMED, approvers, signal_topic
from taxiway.core.store.database import Store, Tx
from taxiway.core.store.tables import approval
from taxiway.kit.clock import Clock
from taxiway.kit.ids import NewId
from taxiway.kit.paging import Page
from taxiway.kit.signals import Signals
from taxiway.model.access import Principal, Scope
from taxiway.model.errors import (
    Changed,
    ChangedSinceError,
    ConflictError,
    InputError,
    InternalError,
    NotAllowedError,
    refuse_changed,
)
from taxiway.model.event import EventDraft
from taxiway.model.run import OPERATIONS, Run, RunSpec, Step
from taxiway.model.workload import LogLine
from taxiway.plugin import Logger, Secrets

if TYPE_CHECKING:
    from taxiway.core.context import OpContext

STARTED_EVENT = "dev.taxiway.run.started.v1"
CHANGED_EVENT = "dev.taxiway.run.changed.v1"


class DurableRuns:
    """The runs of one process. `secrets` is what the platform must use: it lets logs mask what passes through it."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        new_id: NewId,
        events: EventLog,
        secrets: Secrets,
        log: Logger,
        data: Path,
        signals: Signals,
        step_retries: int = 0,
    ) -> None:
        redactions = Redactions()
        self.secrets: Secrets = ObservedSecrets(secrets, redactions)
        self.schedules = Schedules(store, clock, log)
        self.parts = Parts(
            store, clock, new_id, events, self.secrets, log, data, signals, redactions, step_retries=step_retries
        )

    def register(self, kind: str, handler: RunHandler) -> None:
        if kind in self.parts.handlers:
            raise ConflictError(f"two handlers for runs of kind '{kind}'")
        self.parts.handlers[kind] = handler

    def start(self, tx: Tx, principal: Principal, spec: RunSpec) -> str:
        if spec.kind not in self.parts.handlers:
            raise InternalError(f"nothing here can do runs of kind '{spec.kind}'")
        if len({step.id for step in spec.steps}) != len(spec.steps):
            raise InputError("two steps have the same id: give each its own", code="run.step_ids")
        fresh = self.parts.new_id()
        run_id = repository.insert_run(tx, fresh, principal, spec)
        if run_id == fresh:
            draft = EventDraft(STARTED_EVENT, f"run:{run_id}", {"kind": spec.kind, "title": spec.title})
            self.parts.events.append(tx, principal, draft, owner=spec.owner)
            self._work_after(tx, run_id)
        return run_id

    def get(self, run_id: str) -> Run:
        with self.parts.store.read() as conn:
            return repository.load(conn, run_id)

    def head(self, run_id: str) -> Run:
        with self.parts.store.read() as conn:
            return repository.load(conn, run_id, steps=False)

    def list(self, scope: Scope, *, filters: Mapping[str, Any], limit: int, cursor: str | None) -> Page[Run]:
        with self.parts.store.read() as conn:
            return repository.list_runs(conn, scope, filters, limit, cursor)

    def waiting_for_approval(self, limit: int, before: str | None = None) -> Sequence[Run]:
        with self.parts.store.read() as conn:
            return repository.waiting_for_approval(conn, limit, before)

    def search_logs(
        self, scope: Scope, text: str, *, filters: Mapping[str, Any], limit: int, cursor: str | None
    ) -> Page[tuple[Mapping[str, Any], str, LogLine]]:
        with self.parts.store.read() as conn:
            return repository.search_logs(conn, scope, text, filters, limit, cursor)

    def logs(self, run_id: str, *, step: str | None, after: int, limit: int) -> Sequence[tuple[str, LogLine]]:
        with self.parts.store.read() as conn:
            return repository.read_logs(conn, run_id, step, after, limit)

    def follow(self, run_id: str, after: int = 0) -> Follower:
        """The run as it stands, then every line behind `after` and every change, until it ended."""
        self.get(run_id)
        return Follower(self.parts, run_id, after)

    def cancel(self, ctx: OpContext, run_id: str) -> Run:
        def work(tx: Tx) -> None:
            self._allowed(repository.load(tx.conn, run_id), "cancel")
            cancel_tree(tx, self.parts, run_id)
            self._changed(tx, ctx, run_id, "cancel")

        self.parts.store.write(work)
        return self.get(run_id)

    def retry(self, ctx: OpContext, run_id: str) -> Run:
        return self._again(ctx, run_id, "retry")

    def resume(self, ctx: OpContext, run_id: str) -> Run:
        return self._again(ctx, run_id, "resume")

    def changed_since(self, run_id: str) -> Sequence[Changed]:
        found = self.get(run_id)
        self._allowed(found, "undo")
        handler, changes = self.parts.handlers[found.kind], dict[str, Changed]()
        for step in reversed(found.steps):
            if step.created and step.state != "undone":
                try:
                    handler.check_undo(found, step)
                except ChangedSinceError as error:
                    changes |= {one.name: one for one in error.changes}
        return list(changes.values())

    def undo(self, ctx: OpContext, run_id: str, confirmed: Collection[str] = ()) -> Run:
        refuse_changed(self.changed_since(run_id), confirmed)

        def work(tx: Tx) -> None:
            run = repository.load_for_update(tx, run_id)
            self._allowed(run, "undo")
            for step in run.steps:
                checkpoints = {**step.checkpoints, CONFIRMED: sorted(confirmed)}
                repository.set_step(tx, run_id, step.id, checkpoints=checkpoints)
            self._queue(tx, run, intent="undo")
            self._changed(tx, ctx, run_id, "undo")

        self.parts.store.write(work)
        return self.get(run_id)

    def decide(self, ctx: OpContext, run_id: str, decision: str, comment: str) -> Run:
        if decision not in ("approved", "rejected"):
            raise InputError("decide with 'approved' or 'rejected'", code="run.decision")

        def work(tx: Tx) -> None:
            run = repository.load_for_update(tx, run_id)
            topic = run.waiting_for or ""
            if run.state != "waiting" or not topic.startswith("approval:"):
                raise ConflictError(f"the run is {run.state} and waits for no approval", code="run.not_waiting")
            actors = {ctx.principal.subject, ctx.principal.on_behalf_of}
            if run.created_by in actors:
                raise NotAllowedError("you started this run: somebody else has to approve it", code="run.own_approval")
            step_id = topic.split(":", 2)[2]
            wanted = approvers(run)
            if wanted and not wanted & ctx.principal.ownership:
                raise NotAllowedError(
                    f"this is for {', '.join(sorted(wanted))} to decide: ask them", code="run.not_an_approver"
                )
            values = {
                "id": self.parts.new_id(),
                "run_id": run_id,
                "step_id": step_id,
                "decision": decision,
                "comment": comment,
                "decided_by": ctx.principal.subject,
                "decided_at": tx.now,
            }
            tx.conn.execute(insert(approval).values(**values))
            repository.set_run(tx, run_id, segment=run.segment + 1)
            repository.wake_waiting(tx, topic)
            self._changed(tx, ctx, run_id, decision, comment=comment)
            self._work_after(tx, run_id)

        self.parts.store.write(work)
        return self.get(run_id)

    def signal(self, ctx: OpContext, run_id: str, name: str, data: Mapping[str, Any]) -> Run:
        def work(tx: Tx) -> None:
            run = repository.load_for_update(tx, run_id)
            waits = next((step for step in run.steps if step.state == "waiting"), None)
            topic = f"signal:{name}"
            if waits is None or run.waiting_for != signal_topic(run_id, waits.id, topic):
                raise ConflictError(f"the run is {run.state} and waits for no '{name}'", code="run.not_waiting")
            checkpoints = {**waits.checkpoints, topic: plain(data, "the data of the signal")}
            repository.set_step(tx, run_id, waits.id, checkpoints=checkpoints)
            repository.set_run(tx, run_id, segment=run.segment + 1)
            repository.wake_waiting(tx, run.waiting_for)
            self._changed(tx, ctx, run_id, "signal", name=name)
            self._work_after(tx, run_id)

        self.parts.store.write(work)
        return self.get(run_id)

    def wake(self, tx: Tx, topic: str) -> int:
        wakes, signals = self.parts.wakes, self.parts.signals
        wakes.bump(topic)
        tx.after_commit(lambda: wakes.bump(topic))
        woken = repository.wake_waiting(tx, topic)
        for run_id in woken:
            tx.after_commit(partial(signals.notify, f"run:{run_id}"))
        if woken:
            tx.after_commit(lambda: signals.notify(WORK))
        return len(woken)

    def _again(self, ctx: OpContext, run_id: str, operation: str) -> Run:
        def work(tx: Tx) -> None:
            run = repository.load_for_update(tx, run_id)
            self._allowed(run, operation)
            self._reset(tx, run)
            self._queue(tx, run, intent=None)
            self._changed(tx, ctx, run_id, operation)

        self.parts.store.write(work)
        return self.get(run_id)

    def _reset(self, tx: Tx, run: Run) -> None:
        """The first step that did not succeed goes on from its checkpoints; those behind it start afresh."""
        done = ("succeeded", "skipped")
        first = next((step.index for step in run.steps if step.state not in done), len(run.steps))
        for step in run.steps:
            if step.index < first:
                continue
            values: dict[str, Any] = {"state": "pending", "output": None, "error": None, "ended_at": None}
            kept = step.index == first and step.state != "undone"
            values["checkpoints"] = again.uncounted(step.checkpoints) if kept else {}
            if step.state == "undone":
                values["created"] = []
            repository.set_step(tx, run.id, step.id, **values)
            self._forget_decision(tx, run.id, step)

    def _forget_decision(self, tx: Tx, run_id: str, step: Step) -> None:
        """A step that runs anew is decided anew; what was decided before stays in the event log."""
        parts = approval.c.step_id.startswith(f"{step.id}/", autoescape=True)
        mine = or_(approval.c.step_id == step.id, parts)
        tx.conn.execute(delete(approval).where(approval.c.run_id == run_id, mine))

    def _queue(self, tx: Tx, run: Run, intent: str | None) -> None:
        values: dict[str, Any] = {"output": None, "error": None, "ended_at": None, "segment": run.segment + 1}
        repository.set_run(tx, run.id, state="queued", intent=intent, executor=None, **values)
        self._work_after(tx, run.id)

    def _work_after(self, tx: Tx, run_id: str) -> None:
        signals = self.parts.signals
        tx.after_commit(lambda: signals.notify(WORK))
        tx.after_commit(lambda: signals.notify(f"run:{run_id}"))

    def _changed(self, tx: Tx, ctx: OpContext, run_id: str, operation: str, **more: str) -> None:
        run = repository.load(tx.conn, run_id)
        data = {"kind": run.kind, "operation": operation, "state": run.state, **more}
        self.parts.events.append(tx, ctx.principal, EventDraft(CHANGED_EVENT, f"run:{run_id}", data), owner=run.owner)

    def _allowed(self, run: Run, operation: str) -> None:
        possible = OPERATIONS[run.state]
        if operation not in possible:
            rest = f"possible: {', '.join(possible)}" if possible else "wait until it has ended"
            raise ConflictError(f"a run that is {run.state} does not take {operation} ({rest})", code="run.state")
