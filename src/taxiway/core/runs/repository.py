"""All SQL of runs but the engine's claims. Writes of a worker go through `guard`, which the fence stops."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, func, insert, or_, select, update

from taxiway.core.cursors import last_seen, position_of
from taxiway.core.runs.parts import Claim, FencedError
from taxiway.core.runs.rows import line_of, plain, principal_document, run_of, step_of
from taxiway.core.store.database import Tx
from taxiway.core.store.scoped import visible
from taxiway.core.store.tables import approval, run, run_log, run_step
from taxiway.core.store.upsert import upsert_for
from taxiway.kit.paging import Page, encode_cursor, page_of
from taxiway.model.access import Principal, Scope
from taxiway.model.errors import InputError, NotFoundError
from taxiway.model.run import Run, RunSpec, Step, StepDefinition
from taxiway.model.workload import LogLine

# Statements that every step needs are built once: building one costs more than running it.
RUN = select(run).where(run.c.id == bindparam("run"))
STEPS = select(run_step).where(run_step.c.run_id == bindparam("run")).order_by(run_step.c.index)
INSERT_STEP = insert(run_step)
GUARD = (
    update(run)
    .where(run.c.id == bindparam("run"), run.c.fence == bindparam("mine"), run.c.executor == bindparam("me"))
    .values(version=run.c.version + 1)
    .returning(run.c.state)
)
SEARCHED_RUNS = 100
FOUND = (run.c.id.label("run_id"), run.c.title, run.c.kind, run.c.state, run.c.subject)
FILTERS = ("state", "kind", "subject", "parent_id", "created_by")


def insert_run(tx: Tx, run_id: str, principal: Principal, spec: RunSpec) -> str:
    """Insert a queued run with its steps; the id of the earlier one when its request key was used."""
    values = {
        "id": run_id,
        "kind": spec.kind,
        "title": spec.title,
        "state": "queued",
        "input": plain(spec.input, "input"),
        "definition": plain(spec.definition, "definition"),
        "subject": spec.subject,
        "owner": spec.owner,
        "parent_id": spec.parent_id,
        "request_key": spec.request_key,
        "plan": plain(spec.plan, "plan"),
        "principal": principal_document(principal),
        "created_by": principal.subject,
        "created_at": tx.now,
    }
    if tx.conn.execute(_insert_run(tx.conn.dialect.name), values).scalar() is None:
        same = select(run.c.id).where(run.c.kind == spec.kind, run.c.request_key == spec.request_key)
        return str(tx.conn.execute(same).scalar_one())
    if spec.steps:
        tx.conn.execute(INSERT_STEP, [_step_row(run_id, index, step) for index, step in enumerate(spec.steps)])
    return run_id


@cache
def _insert_run(dialect: str) -> Any:
    inserted = upsert_for(dialect, run).on_conflict_do_nothing(index_elements=["kind", "request_key"])
    return inserted.returning(run.c.id)


def _step_row(run_id: str, index: int, step: StepDefinition) -> dict[str, Any]:
    definition = {"input": step.input, "if": step.condition, "each": step.each}
    definition |= {"options": step.options} if step.options else {}
    return {
        "run_id": run_id,
        "id": step.id,
        "index": index,
        "name": step.name,
        "action": step.action,
        "state": "pending",
        "recovery": step.recovery,
        "definition": plain(definition, f"step {step.id}"),
        "created": [],
        "checkpoints": {},
    }


def load(conn: Connection, run_id: str, *, steps: bool = True) -> Run:
    """The run, with its steps unless nobody asks for them. NotFoundError when there is none."""
    row = conn.execute(RUN, {"run": run_id}).first()
    if row is None:
        raise NotFoundError(f"there is no run {run_id}")
    found = conn.execute(STEPS, {"run": run_id}) if steps else ()
    return run_of(row, [step_of(step) for step in found])


def load_for_update(tx: Tx, run_id: str) -> Run:
    """Like `load`, with the row locked first, so that its state cannot change before the transaction ends."""
    tx.conn.execute(select(run.c.id).where(run.c.id == run_id).with_for_update())
    return load(tx.conn, run_id)


def list_runs(conn: Connection, scope: Scope, filters: Mapping[str, Any], limit: int, cursor: str | None) -> Page[Run]:
    """Newest first, without steps."""
    query = select(run).where(visible(scope, run.c.owner)).order_by(run.c.id.desc()).limit(limit + 1)
    for name, value in filters.items():
        if name not in FILTERS:
            raise InputError(f"runs cannot be filtered by '{name}': use one of {', '.join(FILTERS)}")
        if value is not None:
            many = [value] if isinstance(value, str) else list(value)
            query = query.where(run.c[name].in_(many))
    if (last := last_seen(cursor, str)) is not None:
        query = query.where(run.c.id < last)
    rows = conn.execute(query).all()
    return page_of([run_of(row) for row in rows], limit, lambda item: [item.id])


def waiting_for_approval(conn: Connection, limit: int, before: str | None = None) -> list[Run]:
    """Runs that wait for an approval, newest first, with their steps; those that were made `before` a run."""
    waits = select(run).where(run.c.state == "waiting", run.c.waiting_for.startswith("approval:"))
    if before is not None:
        waits = waits.where(run.c.id < before)
    return _with_steps(conn, conn.execute(waits.order_by(run.c.id.desc()).limit(limit)).all())


def load_all(conn: Connection, run_ids: Collection[str]) -> list[Run]:
    """Those of some runs that are there, with their steps."""
    return _with_steps(conn, conn.execute(select(run).where(run.c.id.in_(run_ids))).all())


def _with_steps(conn: Connection, rows: Sequence[Row[Any]]) -> list[Run]:
    query = select(run_step).where(run_step.c.run_id.in_([row.id for row in rows]))
    steps: dict[str, list[Step]] = {row.id: [] for row in rows}
    for step in conn.execute(query.order_by(run_step.c.run_id, run_step.c.index)) if rows else ():
        steps[step.run_id].append(step_of(step))
    return [run_of(row, steps[row.id]) for row in rows]


def read_logs(conn: Connection, run_id: str, step: str | None, after: int, limit: int) -> Sequence[tuple[str, LogLine]]:
    """Lines behind `after`, in order."""
    query = select(run_log).where(run_log.c.run_id == run_id, run_log.c.seq > after).order_by(run_log.c.seq)
    if step is not None:
        query = query.where(run_log.c.step_id == step)
    return [line_of(row) for row in conn.execute(query.limit(limit))]


def search_logs(
    conn: Connection, scope: Scope, text: str, filters: Mapping[str, Any], limit: int, cursor: str | None
) -> Page[tuple[Mapping[str, Any], str, LogLine]]:
    """(run_id, title, kind, state and subject of the run; step id; line) of the lines that hold `text` in any case:
    newest run first, its last line first.

    One page looks through the newest `SEARCHED_RUNS` runs behind the cursor: it may be empty and not be the last.
    """
    runs = select(*FOUND).where(visible(scope, run.c.owner)).order_by(run.c.id.desc()).limit(SEARCHED_RUNS)
    for name, value in filters.items():
        runs = runs.where(run.c[name] == value)
    lines = select(run_log).where(_holds(conn, text))
    if place := position_of(cursor, str, int):
        run_id, seq = place
        runs = runs.where(run.c.id <= run_id)
        lines = lines.where(or_(run_log.c.run_id < run_id, and_(run_log.c.run_id == run_id, run_log.c.seq < seq)))
    there: dict[str, Mapping[str, Any]] = {row.run_id: dict(row._mapping) for row in conn.execute(runs)}
    if not there:
        return Page([], None)
    oldest = min(there)
    lines = lines.where(run_log.c.run_id.in_(list(there)))
    rows = conn.execute(lines.order_by(run_log.c.run_id.desc(), run_log.c.seq.desc()).limit(limit + 1)).all()
    items = [(there[row.run_id], *line_of(row)) for row in rows]
    page = page_of(items, limit, lambda item: [item[0]["run_id"], item[2].seq])
    if page.next_cursor is None and len(there) == SEARCHED_RUNS:
        return Page(page.items, encode_cursor([oldest, 0]))
    return page


def _holds(conn: Connection, text: str) -> ColumnElement[bool]:
    """Whether a line holds `text` in any case."""
    if conn.dialect.name != "sqlite" or text.isascii():
        return run_log.c.text.icontains(text, autoescape=True)
    # SQLite's LIKE folds nothing but ASCII.
    return run_log.c.text.op("GLOB")(f"*{''.join(map(_in_any_case, text))}*")


def _in_any_case(char: str) -> str:
    """A character in a pattern of SQLite's GLOB."""
    cases = {one for one in (char, char.lower(), char.upper()) if len(one) == 1}
    return f"[{''.join(sorted(cases))}]" if len(cases) > 1 or char in "*?[" else char


def last_line(conn: Connection, run_id: str) -> tuple[int, int]:
    """(last seq, bytes stored) of a run's log."""
    size = func.coalesce(func.sum(func.length(run_log.c.text)), 0)
    row = conn.execute(select(func.coalesce(func.max(run_log.c.seq), 0), size).where(run_log.c.run_id == run_id)).one()
    return int(row[0]), int(row[1])


def guard(tx: Tx, claim: Claim) -> str:
    """Lock a claimed run, which changes now, and return its state. FencedError when the claim is over."""
    mine = {"run": claim.run_id, "mine": claim.fence, "me": claim.executor}
    state = tx.conn.execute(GUARD, mine).scalar()
    if state is None:
        raise FencedError(claim.run_id)
    return str(state)


def set_run(tx: Tx, run_id: str, **values: Any) -> None:
    """Write into a run that no worker holds, locked by the caller."""
    tx.conn.execute(_update_run(tuple(values)), {"run": run_id, **values})


def set_step(tx: Tx, run_id: str, step_id: str, **values: Any) -> None:
    """Write into a step; the caller has locked its run."""
    tx.conn.execute(_update_step(tuple(values)), {"run": run_id, "step": step_id, **values})


@cache
def _update_run(columns: tuple[str, ...]) -> Any:
    new = {name: bindparam(name, type_=run.c[name].type) for name in columns}
    return update(run).where(run.c.id == bindparam("run")).values(version=run.c.version + 1, **new)


@cache
def _update_step(columns: tuple[str, ...]) -> Any:
    new = {name: bindparam(name, type_=run_step.c[name].type) for name in columns}
    mine = and_(run_step.c.run_id == bindparam("run"), run_step.c.id == bindparam("step"))
    return update(run_step).where(mine).values(**new)


def wake_waiting(tx: Tx, topic: str) -> list[str]:
    """Queue the runs that wait for `topic`; returns their ids."""
    waiting = and_(run.c.state == "waiting", run.c.waiting_for == topic)
    statement = (
        update(run).where(waiting).values(state="queued", waiting_for=None, wake_at=None, version=run.c.version + 1)
    )
    return list(tx.conn.execute(statement.returning(run.c.id)).scalars())


def descendants(conn: Connection, run_id: str) -> list[str]:
    """Ids of living child runs and theirs, deepest first: the order in which ending runs lock, too."""
    found: list[str] = []
    level = [run_id]
    while level:
        ended = run.c.state.in_(("succeeded", "failed", "cancelled", "undone"))
        level = list(conn.execute(select(run.c.id).where(run.c.parent_id.in_(level), ~ended)).scalars())
        found = level + found
    return found


def decision_of(conn: Connection, run_id: str, step_id: str) -> Any:
    """The approval row of a step, or None."""
    return conn.execute(select(approval).where(approval.c.run_id == run_id, approval.c.step_id == step_id)).first()


def due(now: int) -> Any:
    """The WHERE clause of parked runs whose time came."""
    return and_(run.c.state == "waiting", run.c.wake_at <= now)


def claimable(kinds: Sequence[str]) -> Any:
    """The WHERE clause of runs that a worker may take."""
    free = or_(run.c.state == "queued", and_(run.c.state == "cancelling", run.c.executor.is_(None)))
    return and_(free, run.c.kind.in_(kinds))
