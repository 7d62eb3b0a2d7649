"""Forgets what is left of runs that ended long ago: files, log lines, at last the runs. The worker's schedules call it.

Works in small transactions, so that nobody waits behind a large one. Events of a run are no part of it: they stay.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, select

from taxiway.core.runs.parts import Parts
from taxiway.core.store.database import Tx
from taxiway.core.store.tables import run, run_log
from taxiway.kit.clock import MICROSECONDS
from taxiway.model.run import ENDED

NAME = "runs.workspaces"
EVERY_SECONDS = 3600
KEEP_SECONDS = 7 * 86_400
ROWS = "runs.rows"
DAY = 86_400 * MICROSECONDS
AT_ONCE = 50
NOTICE = "the log was removed {days} days after the run ended (setting retention.run_log_days)"


def remove_old_workspaces(parts: Parts) -> int:
    """Remove the workspaces of runs that ended more than 7 days ago, or that are not known; returns how many."""
    root, removed = parts.data / "runs", 0
    before = parts.clock.now() - KEEP_SECONDS * MICROSECONDS
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        with parts.store.read() as conn:
            row = conn.execute(select(run.c.state, run.c.ended_at).where(run.c.id == folder.name)).first()
        if row is None or (row.state in ENDED and row.ended_at < before):
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


def remove_old_rows(parts: Parts, run_days: int | None, run_log_days: int | None) -> tuple[int, int]:
    """Remove runs, and the logs of runs, that ended so many days ago (None: none); returns how many of each."""
    runs = logs = 0
    if run_days is not None:
        before = parts.clock.now() - run_days * DAY
        runs = _repeat(parts, lambda conn: _old_runs(conn, before), _remove_runs)
    if run_log_days is not None:
        before = parts.clock.now() - run_log_days * DAY
        logs = _repeat(parts, lambda conn: _old_logs(conn, before), lambda tx, ids: _remove_logs(tx, ids, run_log_days))
    return runs, logs


def _repeat(parts: Parts, find: Callable[[Connection], list[str]], remove: Callable[[Tx, list[str]], None]) -> int:
    done = 0
    while removed := _once(parts, find, remove):
        done += removed
    return done


def _once(parts: Parts, find: Callable[[Connection], list[str]], remove: Callable[[Tx, list[str]], None]) -> int:
    with parts.store.read() as conn:
        ids = find(conn)
    if ids:
        parts.store.write(lambda tx: remove(tx, ids))
    return len(ids)


def _ended(before: int) -> Any:
    return and_(run.c.state.in_(sorted(ENDED)), run.c.ended_at < before)


def _old_runs(conn: Connection, before: int) -> list[str]:
    # A run that still works may ask how its children ended.
    parent = run.alias()
    works = select(parent.c.id).where(parent.c.id == run.c.parent_id, parent.c.state.notin_(sorted(ENDED))).exists()
    query = select(run.c.id).where(_ended(before), ~works).order_by(run.c.id).limit(AT_ONCE)
    return list(conn.execute(query).scalars())


def _remove_runs(tx: Tx, ids: list[str]) -> None:
    # Steps, log lines and approvals go with it. One that was retried since it was looked for stays.
    tx.conn.execute(delete(run).where(run.c.id.in_(ids), run.c.state.in_(sorted(ENDED))))


def _old_logs(conn: Connection, before: int) -> list[str]:
    lines = select(run_log.c.seq).where(run_log.c.run_id == run.c.id, run_log.c.at < before).exists()
    query = select(run.c.id).where(_ended(before), lines).order_by(run.c.id).limit(AT_ONCE)
    return list(conn.execute(query).scalars())


def _remove_logs(tx: Tx, ids: list[str], days: int) -> None:
    """The lines of each step give way to one that says so: an empty log would look as if nothing had been said."""
    ended = select(run.c.id).where(run.c.id.in_(ids), run.c.state.in_(sorted(ENDED)))
    mine = run_log.c.run_id.in_(ended)
    last = select(run_log.c.run_id, run_log.c.step_id, func.max(run_log.c.seq).label("seq")).where(mine)
    found = tx.conn.execute(last.group_by(run_log.c.run_id, run_log.c.step_id)).mappings().all()
    tx.conn.execute(delete(run_log).where(mine))
    notice = {"at": tx.now, "stream": "stdout", "text": NOTICE.format(days=days)}
    if found:
        tx.conn.execute(insert(run_log), [{**row, **notice} for row in found])
