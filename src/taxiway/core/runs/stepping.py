"""Builds the `StepContext` of a step: what it logs, creates, checkpoints, waits for and resolves is recorded here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select

from taxiway.core.runs import repository
from taxiway.core.runs.logs import RunLog
from taxiway.core.runs.parts import Control, FencedError, Parts
from taxiway.core.runs.redact import Redactor
from taxiway.core.runs.rows import created_document, plain
from taxiway.core.store.database import Tx
from taxiway.core.store.tables import run as run_table
from taxiway.core.store.tables import run_step
from taxiway.kit.clock import MICROSECONDS
from taxiway.kit.spans import seconds_since, stamp
from taxiway.model.access import Principal
from taxiway.model.errors import InternalError, NotFoundError, PolicyDeniedError, TimedOutError
from taxiway.model.run import ENDED, Created, Run, Step
from taxiway.plugin import StepContext

APPROVERS = "approvers"
"""The checkpoint in which a step says who is to decide."""
ESCALATED = "escalated"
"""The checkpoint with who may decide as well since nobody did: {attempt, refs}. It is for that attempt of the step
alone: when the step is tried again, those are asked first who were at first."""
CONFIRMED = "taxiway:confirmed"
"""The checkpoint with the names of what may be taken back although others changed it since."""
FALLBACK_SECONDS = 10.0
"""A run that waits for a topic looks again after this time, whatever was missed."""


class ParkedError(BaseException):
    """Raised through a step that must wait: the segment parks the run. No Exception, so that handlers let it pass."""

    def __init__(self, topic: str, wake_at: int | None) -> None:
        super().__init__(topic)
        self.topic, self.wake_at = topic, wake_at


def approval_topic(run_id: str, step_id: str) -> str:
    """What a run waits for in `waiting_for` while a person has to decide."""
    return f"approval:{run_id}:{step_id}"


def asked(run: Run, name: str) -> Any:
    """A checkpoint of what waits for an approval: of the step, or of the part of it (a turn, a step of a group)."""
    waits = next((step for step in run.steps if step.state == "waiting"), None)
    if waits is None:
        return None
    part = (run.waiting_for or "").removeprefix(approval_topic(run.id, waits.id)).lstrip("/")
    return waits.checkpoints.get(f"{part}/{name}" if part else name)


def approvers(run: Run) -> frozenset[str]:
    """The references that the decision on a waiting run is left to; none: whoever may approve."""
    wanted = frozenset(asked(run, APPROVERS) or ())
    more = asked(run, ESCALATED) or {}
    attempt = next((step.attempt for step in run.steps if step.state == "waiting"), None)
    return wanted | frozenset(more["refs"]) if wanted and more.get("attempt") == attempt else wanted


def signal_topic(run_id: str, step_id: str, topic: str) -> str:
    """What a run waits for in `waiting_for` while a signal is to come."""
    return f"{topic}:{run_id}:{step_id}"


class Stepping:
    """One call of a step."""

    def __init__(self, parts: Parts, control: Control, log: RunLog, redactor: Redactor, run: Run, step: Step) -> None:
        self.parts, self.control, self.log, self.redactor = parts, control, log, redactor
        self.run, self.step = run, step
        self.mark = parts.wakes.mark()
        self.changed = False

    def context(self, principal: Principal) -> StepContext:
        """What the handler gets."""
        run, step = self.run, self.step
        return StepContext(
            run_id=run.id,
            step_id=step.id,
            attempt=step.attempt,
            idempotency_key=f"{run.id}/{step.id}",
            principal=principal,
            workspace=self.parts.workspace(run.id),
            is_dry_run=False,
            cancelled=self.control.cancelled,
            log=lambda text, stream="stdout": self.log.add(self.redactor, step.id, text, stream),
            created=self.created,
            checkpoint=self.checkpoint,
            wait_for_run=self.wait_for_run,
            wait_for=self.wait_for,
            resolve_secret=self.resolve_secret,
            owner=run.owner,
            hide=self.redactor.add,
            confirmed=frozenset(step.checkpoints.get(CONFIRMED) or ()),
            mask=self.redactor.values,
        )

    def created(self, kind: str, name: str, data: Mapping[str, Any]) -> None:
        """Add to the inventory, once for equal entries."""
        entry = self.redactor.document(created_document(Created(kind, name, plain(data, "what was created"))))

        def change(row: Any) -> dict[str, Any]:
            return {} if entry in row.created else {"created": [*row.created, entry]}

        self._change(change)

    def checkpoint(self, key: str, compute: Callable[[], Any]) -> Any:
        """The stored value of `key`, or that of `compute()`, which is stored first."""
        there = self._row().checkpoints
        if key in there:
            return there[key]
        value = plain(compute(), f"checkpoint {key}")
        if self.redactor.document(value) != value:
            raise InternalError(f"checkpoint {key} of step {self.step.id} holds a secret: it must hold a reference")
        self._change(lambda row: {"checkpoints": {**row.checkpoints, key: value}})
        return value

    def wait_for_run(self, run_id: str) -> tuple[str, Mapping[str, Any]]:
        """(state, output) of an ended run; parks until it ends."""
        with self.parts.store.read() as conn:
            row = conn.execute(select(run_table.c.state, run_table.c.output).where(run_table.c.id == run_id)).first()
        if row is None:
            raise NotFoundError(f"step {self.step.id} waits for the run {run_id}, which does not exist")
        if row.state in ENDED:
            return row.state, row.output or {}
        raise ParkedError(f"run:{run_id}", None)

    def wait_for(self, topic: str, seconds: float | None = None) -> None:
        """Park. `approval`, or `approval:<part>` for a part of the step, returns once somebody approved and raises when
        rejected; `timer:<name>` returns when its time is over; `signal:<name>` returns once somebody sent it, with its
        data as the checkpoint of that name, and raises TimedOutError after `seconds`; after any other topic the step is
        called again and looks for itself."""
        now = self.parts.clock.now()
        if topic == "approval" or topic.startswith("approval:"):
            return self._wait_for_approval(topic.partition(":")[2])
        if topic.startswith("signal:"):
            return self._wait_for_signal(topic, seconds)
        if topic.startswith("timer:"):
            noted = self.checkpoint(topic, lambda: {"seconds": seconds or 0, "since": stamp(self.parts.clock)})
            left = noted["seconds"] - seconds_since(self.parts.clock, noted["since"])
            if left <= 0:
                return None
            raise ParkedError(topic, now + int(left * MICROSECONDS))
        span = FALLBACK_SECONDS if seconds is None else seconds
        raise ParkedError(topic, now + int(span * MICROSECONDS))

    def resolve_secret(self, reference: str) -> str:
        """The value, which the log masks from now on."""
        value = self.parts.secrets.get(reference)
        self.redactor.add(value)
        return value

    def _wait_for_approval(self, part: str) -> None:
        key = f"{self.step.id}/{part}" if part else self.step.id
        with self.parts.store.read() as conn:
            row = repository.decision_of(conn, self.run.id, key)
        if row is None:
            raise ParkedError(approval_topic(self.run.id, key), None)
        if row.decision != "approved":
            raise PolicyDeniedError(f"{row.decided_by} rejected it: {row.comment or 'no reason given'}")

    def _wait_for_signal(self, topic: str, seconds: float | None) -> None:
        if topic in self._row().checkpoints:
            return
        wake_at = None
        if seconds is not None:
            noted = self.checkpoint(f"since:{topic}", lambda: stamp(self.parts.clock))
            left = seconds - seconds_since(self.parts.clock, noted)
            if left <= 0:
                name = topic.removeprefix("signal:")
                raise TimedOutError(f"the signal '{name}' did not come within {seconds:g} s")
            wake_at = self.parts.clock.now() + int(left * MICROSECONDS)
        raise ParkedError(signal_topic(self.run.id, self.step.id, topic), wake_at)

    def _row(self) -> Any:
        query = run_step.select().where(run_step.c.run_id == self.run.id, run_step.c.id == self.step.id)
        with self.parts.store.read() as conn:
            return conn.execute(query).one()

    def _change(self, change: Callable[[Any], dict[str, Any]]) -> None:
        query = run_step.select().where(run_step.c.run_id == self.run.id, run_step.c.id == self.step.id)

        def work(tx: Tx) -> None:
            repository.guard(tx, self.control.claim)
            values = change(tx.conn.execute(query).one())
            if values:
                repository.set_step(tx, self.run.id, self.step.id, **values)

        if self.control.fenced:
            raise FencedError(self.run.id)
        self.parts.store.write(work)
        self.changed = True
