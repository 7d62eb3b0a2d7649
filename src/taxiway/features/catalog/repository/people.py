"""One step along membership or parenthood, whichever side states it."""

from __future__ import annotations

from sqlalchemy import Connection, select

from taxiway.features.catalog.tables import entity, relation


def step(conn: Connection, refs: set[str], forward: str, backward: str) -> set[str]:
    """Targets of `forward` relations that `refs` state, and the groups that state `backward` to one of `refs`."""
    if not refs:
        return set()
    stated = (
        select(relation.c.target)
        .join(entity, entity.c.id == relation.c.source_id)
        .where(entity.c.ref.in_(refs), relation.c.type == forward)
    )
    received = (
        select(entity.c.ref)
        .join(relation, relation.c.source_id == entity.c.id)
        .where(relation.c.target.in_(refs), relation.c.type == backward, entity.c.kind == "group")
    )
    return set(conn.scalars(stated)) | set(conn.scalars(received))
