"""The feed that every process's index follows: one row for each entity that was inserted, changed or deleted.

Rows are written in the transaction of the change itself. Those that write entities take turns on PostgreSQL, so that no
lower `seq` becomes visible after a higher one. Old rows are dropped: whoever is that far
behind reads everything anew.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, select, text

from taxiway.core.store.bulk import insert_rows
from taxiway.features.catalog.tables import index_change

KEPT = 4_000
TURN = 7_007_002
INSERT, UPDATE, DELETE, TOUCH, MANY = 1, 2, 3, 4, 5
COLUMNS = ("entity_id", "op", "ref", "added", "removed")


@dataclass(frozen=True)
class Change:
    """What happened to an entity: `added` and `removed` are ids of facets. MANY new ones are told as the first of their
    ids, which follow each other, with the last one in `ref`: what they are is read from their tables."""

    entity_id: int
    op: int
    ref: str
    added: Sequence[int] = ()
    removed: Sequence[int] = ()

    @property
    def count(self) -> int:
        """How many entities it is about."""
        return int(self.ref) - self.entity_id + 1 if self.op == MANY else 1


def take_turn(conn: Connection) -> None:
    """Wait until no other transaction writes entities, and keep others waiting until the commit."""
    if conn.dialect.name == "postgresql":  # SQLite has one writer at a time
        conn.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": TURN})


def append(conn: Connection, changes: Sequence[Change]) -> None:
    """Tell all indexes of `changes`, with this transaction's commit."""
    if not changes:
        return
    rows = [(c.entity_id, c.op, c.ref, _packed(c.added), _packed(c.removed)) for c in changes]
    insert_rows(conn, index_change, COLUMNS, rows)
    newest = last_seq(conn)
    conn.execute(delete(index_change).where(index_change.c.seq <= newest - KEPT))


def touch(conn: Connection) -> None:
    """Tell all indexes that documents are served differently now: what is wrong with their sources has changed."""
    take_turn(conn)
    append(conn, [Change(0, TOUCH, "")])


def last_seq(conn: Connection) -> int:
    """The newest row's place; 0 when there never was one."""
    return conn.scalar(_LAST) or 0


def behind(conn: Connection, seq: int, limit: int) -> list[tuple[int, Change]] | None:
    """(place, change) of what came after `seq`; None when it is more than `limit`, or no longer there in full."""
    columns = (index_change.c.seq, *(index_change.c[name] for name in COLUMNS))
    query = select(*columns).where(index_change.c.seq > seq).order_by(index_change.c.seq).limit(limit + 1)
    rows = conn.execute(query).all()
    if len(rows) > limit or (rows and rows[0][0] != seq + 1 and _dropped(conn, seq)):
        return None
    return [(row[0], Change(row[1], row[2], row[3], _unpacked(row[4]), _unpacked(row[5]))) for row in rows]


_LAST = select(func.max(index_change.c.seq))


def _dropped(conn: Connection, seq: int) -> bool:
    # Rolled back transactions leave holes too: only rows older than the oldest one can have been dropped.
    oldest = conn.scalar(select(func.min(index_change.c.seq)))
    return oldest is not None and oldest > seq + 1


def _packed(ids: Iterable[int]) -> bytes | None:
    return array("q", ids).tobytes() or None


def _unpacked(data: Any) -> Sequence[int]:
    return array("q", bytes(data)) if data else ()
