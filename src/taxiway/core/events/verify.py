"""Checks the chain and the checkpoints: finds an edit, a gap, a deleted tail and a chain that was computed anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from taxiway.core.events import chain
from taxiway.core.events.checkpoints import BadCheckpointError, read_checkpoints
from taxiway.core.store.database import Store
from taxiway.core.store.tables import event, event_personal

BATCH = 1000
MISSING_AFTER = 200
"""A chain longer than this without any checkpoint is one whose checkpoints were taken away."""


@dataclass(frozen=True)
class Verdict:
    """`checked` events were read; `problem` says what is wrong first, None when nothing is."""

    ok: bool
    checked: int
    problem: str | None = None


def verify(store: Store, data: Path) -> Verdict:
    """Read everything once, in one snapshot. What retention removed is not checked; that it did is signed."""
    try:
        lines = list(read_checkpoints(data))
    except BadCheckpointError as error:
        return Verdict(False, 0, str(error))
    known = {item.seq: item.hash for item in lines if not item.pruned}
    with store.read() as conn:
        seq, previous = _beginning(conn, {item.seq: item.hash for item in lines if item.pruned})
        for row, salt, personal in _sealed(conn):
            seq += 1
            problem = _wrong(row, seq, previous, known, salt, personal)
            if problem is not None:
                return Verdict(False, seq, problem)
            previous = row.hash
    last = max(known, default=0)
    if last > seq:
        return Verdict(False, seq, f"the log ends at {seq}, but a signed checkpoint knows event {last}: a tail is gone")
    if not known and seq > MISSING_AFTER:
        return Verdict(False, seq, f"there are {seq} events and no signed checkpoint: the checkpoints were removed")
    return Verdict(True, seq)


def _beginning(conn: Connection, pruned: dict[int, str]) -> tuple[int, str]:
    """(seq, hash) of the event that the first one there chains to: nothing, or what retention removed last."""
    first = conn.execute(select(func.min(event.c.seq))).scalar()
    before = int(first) - 1 if first else 0
    return (before, pruned[before]) if before in pruned else (0, chain.GENESIS)


def _sealed(conn: Connection) -> Iterator[tuple[Any, bytes | None, Any]]:
    """Sealed events by place, each with salt and personal data where they are there."""
    joined = event.outerjoin(event_personal, event_personal.c.event_id == event.c.id)
    query = select(event, event_personal.c.salt, event_personal.c.data.label("personal")).select_from(joined)
    last = -(2**62)
    while rows := conn.execute(query.where(event.c.seq > last).order_by(event.c.seq).limit(BATCH)).all():
        for row in rows:
            yield row, row.salt, row.personal
        last = rows[-1].seq


def _wrong(row: Any, seq: int, previous: str, known: dict[int, str], salt: bytes | None, personal: Any) -> str | None:
    if row.seq != seq:
        return f"event {seq} is missing: the log goes on with {row.seq}"
    if row.hash != chain.next_hash(previous, seq, row):
        return f"event {seq} ({row.id}) does not match its hash: it, or the one before it, was changed"
    if seq in known and known[seq] != row.hash:
        return f"event {seq} is not the one that a signed checkpoint knows: the chain was computed anew"
    if salt is not None and chain.personal_digest(salt, personal) != row.personal_digest:
        return f"the personal data of event {seq} ({row.id}) was changed"
    return None
