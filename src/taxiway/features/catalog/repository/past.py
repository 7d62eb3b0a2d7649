"""The catalog as it was at a time: what is unchanged since comes from the live tables, the rest from kept versions.

The past does not change, so that pages of it go by offset and lose nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, and_, select

from taxiway.core.store.scoped import visible
from taxiway.features.catalog.history_packing import Packed, unpack_chain
from taxiway.features.catalog.repository.chunks import chunks
from taxiway.features.catalog.repository.kinds import inverse_in
from taxiway.features.catalog.tables import entity, entity_doc, entity_version, relation
from taxiway.model.access import Scope
from taxiway.model.errors import InputError

MAX_CHANGED = 20_000
"""Versions that ended since the time asked for and were current then."""
Edge = tuple[str, str]


@dataclass(frozen=True)
class Past:
    """What was different at a time: `documents` by ref, and which relations of theirs lead to which reference."""

    at: int
    scope: Scope
    documents: Mapping[str, str] = field(default_factory=dict)
    stated: Mapping[str, Sequence[Edge]] = field(default_factory=dict)
    received: Mapping[str, Sequence[Edge]] = field(default_factory=dict)

    @property
    def unchanged(self) -> ColumnElement[bool]:
        """The clause for live entities that are as they were then, and that the caller may see."""
        return and_(entity.c.updated_at <= self.at, visible(self.scope, entity.c.owner))


def owned(scope: Scope) -> ColumnElement[bool]:
    """The clause for versions that a caller may see."""
    return visible(scope, entity_version.c.owner)


def at_time(conn: Connection, at: int, scope: Scope, refs: Sequence[str] | None = None) -> Past:
    """What was different at `at`. With `refs` only their documents are read; relations are read of all visible ones.

    InputError when too much changed since.
    """
    valid = (entity_version.c.started_at <= at) & (entity_version.c.ended_at > at)
    statement = (
        select(entity_version.c.ref, entity_version.c.relations).where(valid, owned(scope)).limit(MAX_CHANGED + 1)
    )
    rows = list(conn.execute(statement))
    if len(rows) > MAX_CHANGED:
        raise InputError(
            f"more than {MAX_CHANGED} entities changed since then: ask for a later time", code="catalog.bad_as_of"
        )
    stated = {row.ref: [(edge[0], edge[1]) for edge in orjson.loads(row.relations)] for row in rows}
    received: dict[str, list[Edge]] = {}
    for ref, edges in stated.items():
        for type_, target in edges:
            received.setdefault(target, []).append((type_, ref))
    wanted = [row.ref for row in rows] if refs is None else [ref for ref in refs if ref in stated]
    return Past(at, scope, _documents(conn, at, wanted, owned(scope)), stated, received)


def edges_at(conn: Connection, past: Past, live: Mapping[int, str], old: Iterable[str]) -> dict[str, list[Edge]]:
    """The relations at that time, in both directions, of unchanged live entities (id → ref) and of old documents."""
    found: dict[str, set[Edge]] = {ref: set() for ref in [*live.values(), *old]}
    inverse = inverse_in(conn)
    for ids in chunks(live):
        for row in conn.execute(select(relation).where(relation.c.source_id.in_(ids))):
            found[live[row.source_id]].add((row.type, row.target))
    for refs in chunks(found):
        statement = (
            select(relation.c.target, relation.c.type, entity.c.ref)
            .join(entity, entity.c.id == relation.c.source_id)
            .where(relation.c.target.in_(refs), past.unchanged)
        )
        for row in conn.execute(statement):
            found[row.target].add((inverse(row.type), row.ref))
    for ref, edges in found.items():
        if ref in past.documents:
            edges.update(past.stated.get(ref, ()))
        edges.update((inverse(type_), source) for type_, source in past.received.get(ref, ()))
    return {ref: sorted(edges) for ref, edges in found.items()}


def touched(conn: Connection, past: Past) -> set[str]:
    """References whose relations may be different now: targets of what changed, then or since."""
    changed = (
        select(relation.c.target)
        .join(entity, entity.c.id == relation.c.source_id)
        .where(entity.c.updated_at > past.at)
        .distinct()
        .limit(MAX_CHANGED * 4)
    )
    return {*conn.scalars(changed), *past.received}


def live_texts(conn: Connection, where: ColumnElement[bool]) -> dict[int, tuple[str, str]]:
    """(ref, document) of live entities, by id."""
    statement = select(entity.c.id, entity.c.ref, entity_doc.c.doc).join(
        entity_doc, entity_doc.c.entity_id == entity.c.id
    )
    return {row.id: (row.ref, row.doc) for row in conn.execute(statement.where(where))}


def texts_by_ids(conn: Connection, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """(ref, document) of live entities of some ids, by id."""
    found: dict[int, tuple[str, str]] = {}
    for batch in chunks(ids):
        found.update(live_texts(conn, entity.c.id.in_(batch)))
    return found


def live_by_refs(
    conn: Connection, past: Past, refs: Iterable[str], where: ColumnElement[bool]
) -> dict[int, tuple[str, str]]:
    """(ref, document) of those of `refs` that are unchanged since, by id."""
    found: dict[int, tuple[str, str]] = {}
    for batch in chunks(refs):
        found.update(live_texts(conn, entity.c.ref.in_(batch) & past.unchanged & where))
    return found


def live_edges(conn: Connection, past: Past, refs: Iterable[str]) -> set[tuple[str, str, str]]:
    """(source, target, type) of relations at that time that begin or end at one of `refs`, stated by live entities."""
    found: set[tuple[str, str, str]] = set()
    for batch in chunks(refs):
        statement = (
            select(entity.c.ref, relation.c.target, relation.c.type)
            .join(entity, entity.c.id == relation.c.source_id)
            .where(entity.c.ref.in_(batch) | relation.c.target.in_(batch), past.unchanged)
            .limit(MAX_CHANGED)
        )
        found |= {(row.ref, row.target, row.type) for row in conn.execute(statement)}
    return found


def _documents(conn: Connection, at: int, refs: Sequence[str], allowed: ColumnElement[bool]) -> dict[str, str]:
    found: dict[str, str] = {}
    for batch in chunks(refs, 200):
        rows = list(
            conn.execute(
                select(entity_version, allowed.label("allowed"))
                .where(entity_version.c.ref.in_(batch), entity_version.c.ended_at > at)
                .order_by(entity_version.c.id.desc())
            )
        )
        current = {
            row.uid: row.doc
            for row in conn.execute(
                select(entity.c.uid, entity_doc.c.doc)
                .join(entity_doc, entity_doc.c.entity_id == entity.c.id)
                .where(entity.c.ref.in_(batch))
            )
        }
        by_uid: dict[str, list[Any]] = {}
        for row in rows:
            by_uid.setdefault(row.uid, []).append(row)
        for uid, group in by_uid.items():
            oldest = group[-1]
            if oldest.started_at <= at and oldest.allowed:
                chain = [Packed(row.version, row.deleted, row.doc) for row in group]
                found[oldest.ref] = unpack_chain(chain, current.get(uid))[oldest.version]
    return found
