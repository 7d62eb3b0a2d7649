"""Removes events that are older than is kept, from the beginning of the log. A schedule of the worker calls it.

What goes is noted first, signed, beside the checkpoints: without this note a log that does not begin at 1 is a log that
somebody cut. The newest event always stays, and so does what a subscriber has not seen yet.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, delete, func, select

from taxiway.core.events.checkpoints import write_checkpoint
from taxiway.core.store.database import Store, Tx
from taxiway.core.store.tables import event, event_cursor, event_personal
from taxiway.kit.clock import MICROSECONDS, Clock

NAME = "events.old"
EVERY_SECONDS = 86_400
DAY = 86_400 * MICROSECONDS
BATCH = 5000


def remove_old_events(
    store: Store, clock: Clock, data: Path, days: int | None, subscribers: Collection[str] = ()
) -> int:
    """Remove sealed events of more than `days` days ago (None: none) that `subscribers` have seen; returns how many."""
    removed, before = 0, clock.now() - (days or 0) * DAY
    while days is not None:
        with store.read() as conn:
            last = _last(conn, before, subscribers)
            if last is None:
                break
            seq, hash_ = last
        write_checkpoint(data, seq, hash_, clock.now(), pruned=True)
        removed += store.write(partial(_remove, seq=seq))
    return removed


def _last(conn: Connection, before: int, subscribers: Collection[str]) -> tuple[int, str] | None:
    """The last event of the next batch to go, as (seq, hash)."""
    first, newest = conn.execute(select(func.min(event.c.seq), func.max(event.c.seq))).one()
    if first is None:
        return None
    # The clock may have been put back: what goes ends before the first event that is young enough.
    young = conn.execute(select(func.min(event.c.seq)).where(event.c.seq.is_not(None), event.c.at >= before)).scalar()
    theirs = event_cursor.c.subscriber.in_(list(subscribers))
    seen = conn.execute(select(func.min(event_cursor.c.seq)).where(theirs)).scalar()
    bounds = [first + BATCH - 1, newest - 1, *([young - 1] if young else []), *([seen] if seen is not None else [])]
    if min(bounds) < first:
        return None
    row = conn.execute(select(event.c.seq, event.c.hash).where(event.c.seq == min(bounds))).one()
    return row.seq, row.hash


def _remove(tx: Tx, seq: int) -> int:
    gone = event.c.seq <= seq
    tx.conn.execute(delete(event_personal).where(event_personal.c.event_id.in_(select(event.c.id).where(gone))))
    return int(tx.conn.execute(delete(event).where(gone)).rowcount)
