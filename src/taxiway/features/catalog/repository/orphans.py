"""Rows of entities that their source does not name any more, and of removals that wait for review."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, delete, exists, func, select

from taxiway.core.store.bulk import insert_rows
from taxiway.features.catalog.repository.chunks import chunks
from taxiway.features.catalog.tables import catalog_held, catalog_orphan, catalog_problem, entity, entity_doc


def among(conn: Connection, refs: Iterable[str]) -> set[str]:
    """Those of `refs` that are orphans."""
    found: set[str] = set()
    for batch in chunks(refs):
        found.update(conn.scalars(select(catalog_orphan.c.ref).where(catalog_orphan.c.ref.in_(batch))))
    return found


def add(conn: Connection, now: int, source_id: str, refs: Collection[str]) -> None:
    """They are orphans from now on."""
    insert_rows(conn, catalog_orphan, ("ref", "source_id", "since_at"), [(ref, source_id, now) for ref in sorted(refs)])


def forget(conn: Connection, refs: Iterable[str]) -> None:
    """They are no orphans (any more)."""
    for batch in chunks(refs):
        conn.execute(delete(catalog_orphan).where(catalog_orphan.c.ref.in_(batch)))


def of_source(conn: Connection, source_id: str) -> set[str]:
    """The orphans of a source."""
    return set(conn.scalars(select(catalog_orphan.c.ref).where(catalog_orphan.c.source_id == source_id)))


def since_before(conn: Connection, at: int, limit: int) -> list[str]:
    """Orphans since before `at`, the oldest first; not those that their source describes again, with a fault."""
    told = select(1).where(catalog_problem.c.ref == catalog_orphan.c.ref)
    faulty = exists(told.where(catalog_problem.c.source_id == catalog_orphan.c.source_id))
    query = select(catalog_orphan.c.ref).where(catalog_orphan.c.since_at <= at, ~faulty)
    query = query.order_by(catalog_orphan.c.since_at)
    return list(conn.scalars(query.limit(limit)))


def hold(conn: Connection, now: int, source_id: str, refs: Collection[str]) -> None:
    """These, and no others, are the removals of a source that wait. What waited before keeps its time."""
    known = {row.ref: row.since_at for row in held_rows(conn, source_id)}
    release(conn, source_id)
    rows = [(source_id, ref, known.get(ref, now)) for ref in sorted(refs)]
    insert_rows(conn, catalog_held, ("source_id", "ref", "since_at"), rows)


def release(conn: Connection, source_id: str) -> None:
    """Nothing of a source waits."""
    conn.execute(delete(catalog_held).where(catalog_held.c.source_id == source_id))


def forget_held(conn: Connection, source_id: str, refs: Iterable[str]) -> None:
    """The removals of these wait no more: they are gone."""
    for batch in chunks(refs):
        mine = catalog_held.c.source_id == source_id
        conn.execute(delete(catalog_held).where(mine, catalog_held.c.ref.in_(batch)))


def held_rows(conn: Connection, source_id: str) -> Sequence[Any]:
    """The removals of a source that wait: rows of `ref` and `since_at`, by ref."""
    query = select(catalog_held.c.ref, catalog_held.c.since_at).where(catalog_held.c.source_id == source_id)
    return conn.execute(query.order_by(catalog_held.c.ref)).all()


def held_page(conn: Connection, source_id: str, after: str, limit: int) -> list[dict[str, Any]]:
    """What waits, with where it was read, behind the reference `after`."""
    query = (
        select(
            catalog_held.c.ref,
            catalog_held.c.since_at,
            func.coalesce(entity.c.location, "").label("location"),
            entity.c.owner,
        )
        .outerjoin(entity, entity.c.ref == catalog_held.c.ref)
        .where(catalog_held.c.source_id == source_id, catalog_held.c.ref > after)
        .order_by(catalog_held.c.ref)
        .limit(limit)
    )
    return [dict(row) for row in conn.execute(query).mappings()]


def counts(conn: Connection, ids: Sequence[str]) -> tuple[dict[str, int], dict[str, int]]:
    """How many orphans, and how many held removals, each source has."""
    found = []
    for table in (catalog_orphan, catalog_held):
        query = select(table.c.source_id, func.count()).where(table.c.source_id.in_(ids)).group_by(table.c.source_id)
        found.append({row[0]: row[1] for row in conn.execute(query)})
    return found[0], found[1]


def documents(conn: Connection, refs: Iterable[str]) -> list[tuple[str, str, str, int]]:
    """(ref, document as JSON text, location, line) of entities, as they are stored."""
    columns = (entity.c.ref, entity_doc.c.doc, entity.c.location, entity.c.line)
    joined = select(*columns).join(entity_doc, entity_doc.c.entity_id == entity.c.id)
    found: list[tuple[str, str, str, int]] = []
    for batch in chunks(refs):
        found.extend((row[0], row[1], row[2], row[3]) for row in conn.execute(joined.where(entity.c.ref.in_(batch))))
    return found
