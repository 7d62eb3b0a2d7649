"""Who belongs to which groups, as the catalog says: the answer behind ownership.

Only trusted sources bring users and groups (`model.TRUSTED_KINDS`), so nobody can write himself into a team.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from taxiway.core.context import Platform
from taxiway.features.catalog.tables import entity, relation

MAX_HOPS = 20


def groups_of(platform: Platform, subject: str) -> frozenset[str]:
    """The full references of every group that `subject` is in, parents of groups included."""
    with platform.store.read() as conn:
        found = wave = _step(conn, {subject}, "memberOf", "hasMember")
        for _ in range(MAX_HOPS):
            wave = _step(conn, wave, "childOf", "parentOf") - found
            if not wave:
                break
            found |= wave
    return frozenset(found)


def _step(conn: Connection, refs: set[str], forward: str, backward: str) -> set[str]:
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
