"""The transactions by which a worker takes runs, gives them back, and takes over those of a dead worker."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import and_, bindparam, func, select, update

from taxiway.core.leases import Leases
from taxiway.core.runs import repository
from taxiway.core.runs.parts import Claim
from taxiway.core.store.database import Store, Tx
from taxiway.core.store.tables import run, run_step
from taxiway.kit.clock import MICROSECONDS

PAUSE_SECONDS = 5
HELD = ("running", "cancelling", "undoing")
WHO_HOLDS = select(run.c.id, run.c.executor).where(run.c.state.in_(HELD), run.c.executor.is_not(None))
CANCELLING = select(run.c.id).where(run.c.executor == bindparam("me"), run.c.state == "cancelling")


def claim_runs(tx: Tx, executor: str, kinds: Sequence[str], limit: int) -> list[Claim]:
    """Take up to `limit` runs, oldest first, each under a new fence."""
    claims = []
    for row in tx.conn.execute(_claimable(tuple(kinds)), {"most": limit}).all():
        state = "cancelling" if row.state == "cancelling" else "undoing" if row.intent == "undo" else "running"
        repository.set_run(
            tx,
            row.id,
            state=state,
            executor=executor,
            fence=row.fence + 1,
            waiting_for=None,
            wake_at=None,
            started_at=tx.now if row.started_at is None else row.started_at,
        )
        claims.append(Claim(row.id, executor, row.fence + 1))
    return claims


def requeue(tx: Tx, executor: str, only: str | None = None) -> list[str]:
    """Queue every run of `executor`, or one of them, again, under a new fence, its running steps marked as
    interrupted."""
    mine = and_(run.c.executor == executor, run.c.state.in_(HELD), *([run.c.id == only] if only else []))
    cancelling = tx.conn.execute(
        update(run)
        .where(mine, run.c.state == "cancelling")
        .values(executor=None, fence=run.c.fence + 1, version=run.c.version + 1)
        .returning(run.c.id)
    ).scalars()
    found = list(cancelling)
    queued = tx.conn.execute(
        update(run)
        .where(mine)
        .values(
            state="queued",
            executor=None,
            fence=run.c.fence + 1,
            segment=run.c.segment + 1,
            version=run.c.version + 1,
        )
        .returning(run.c.id)
    ).scalars()
    found += list(queued)
    if found:
        steps = and_(run_step.c.run_id.in_(found), run_step.c.state == "running")
        tx.conn.execute(update(run_step).where(steps).values(state="interrupted"))
    return found


def held(store: Store) -> dict[str, str]:
    """The runs that somebody works on, and which executor they name."""
    with store.read() as conn:
        return {row.id: row.executor for row in conn.execute(WHO_HOLDS)}


def take_over(tx: Tx, leases: Leases, executor: str) -> list[str]:
    """Requeue the runs of `executor` when it is dead. Its lease is buried in the same transaction."""
    return requeue(tx, executor) if leases.bury(tx, executor) else []


def is_work(store: Store, kinds: Sequence[str]) -> tuple[bool, int | None]:
    """(whether a run may be claimed, when the next parked run is due), without a write."""
    with store.read() as conn:
        row = conn.execute(_work(tuple(kinds))).one()
    return row.free is not None, row.next_wake


# Built once: the engine asks each time that a run begins or ends, and building them costs more than running them.
@cache
def _claimable(kinds: tuple[str, ...]) -> Any:
    query = select(run.c.id, run.c.fence, run.c.state, run.c.intent, run.c.started_at)
    query = query.where(repository.claimable(kinds)).order_by(run.c.id).limit(bindparam("most"))
    return query.with_for_update(skip_locked=True)


@cache
def _work(kinds: tuple[str, ...]) -> Any:
    free = select(run.c.id).where(repository.claimable(kinds)).limit(1).scalar_subquery()
    next_wake = select(func.min(run.c.wake_at)).where(run.c.state == "waiting").scalar_subquery()
    return select(free.label("free"), next_wake.label("next_wake"))


def queue_due(tx: Tx) -> int:
    """Queue the parked runs whose time came."""
    values = {"state": "queued", "waiting_for": None, "wake_at": None, "version": run.c.version + 1}
    return int(tx.conn.execute(update(run).where(repository.due(tx.now)).values(**values)).rowcount)


def queue_early(tx: Tx) -> int:
    """Queue the parked runs whose time has not come, for the clock by which it was set was put back: each looks again
    for itself, and parks anew."""
    values = {"state": "queued", "waiting_for": None, "wake_at": None, "version": run.c.version + 1}
    parked = and_(run.c.state == "waiting", run.c.wake_at > tx.now)
    return int(tx.conn.execute(update(run).where(parked).values(**values)).rowcount)


def cancelling_of(store: Store, executor: str) -> list[str]:
    """Runs of `executor` that somebody wants cancelled."""
    with store.read() as conn:
        return [str(name) for name in conn.execute(CANCELLING, {"me": executor}).scalars()]


def give_back(tx: Tx, claim: Claim) -> None:
    """Queue one claimed run again, after a pause, its running step marked as interrupted."""
    repository.guard(tx, claim)
    tx.conn.execute(
        update(run).where(run.c.id == claim.run_id).values(fence=run.c.fence + 1, segment=run.c.segment + 1)
    )
    steps = and_(run_step.c.run_id == claim.run_id, run_step.c.state == "running")
    tx.conn.execute(update(run_step).where(steps).values(state="interrupted"))
    again = {"state": "waiting", "waiting_for": "timer:again", "wake_at": tx.now + PAUSE_SECONDS * MICROSECONDS}
    values = (
        again if tx.conn.execute(select(run.c.state).where(run.c.id == claim.run_id)).scalar() != "cancelling" else {}
    )
    repository.set_run(tx, claim.run_id, executor=None, **values)
