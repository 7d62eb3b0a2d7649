"""Rows of what overlays say of entities, and of what the entities are without them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, or_, select, text, update

from taxiway.core.store.bulk import insert_rows
from taxiway.features.catalog.model import OWN, Record
from taxiway.features.catalog.overlays import Layer
from taxiway.features.catalog.packing import pack
from taxiway.features.catalog.repository.chunks import chunks, given_texts, texts_in
from taxiway.features.catalog.repository.index import feed
from taxiway.features.catalog.tables import catalog_problem, entity, entity_layer

LOOKED_UP = 5000
"""References looked up in one statement."""
COLUMNS = ("ref", "source_id", "doc", "hash", "location", "line", "precedence", "lists", "at")


def there_are_any(conn: Connection) -> bool:
    """Whether any overlay said anything. Asked in every batch, so that a catalog without overlays pays no more."""
    return conn.scalar(select(entity_layer.c.ref).limit(1)) is not None


def of_refs(conn: Connection, refs: Iterable[str]) -> dict[str, list[Layer]]:
    """The layers of references by reference, the own source's among them; none for references without overlays."""
    found: dict[str, list[Layer]] = {}
    some = select(entity_layer).where(text(f"entity_layer.ref IN ({texts_in(conn)})"))
    for batch in chunks(refs, LOOKED_UP):
        for row in conn.execute(some, {"texts": given_texts(conn, batch)}):
            found.setdefault(row.ref, []).append(_layer(row))
    return found


def own_of(conn: Connection, refs: Iterable[str]) -> dict[str, Layer]:
    """What the entities' own sources say of them, for those that have overlays."""
    return {ref: layer for ref, layers in of_refs(conn, refs).items() for layer in layers if layer.source_id == OWN}


def known(conn: Connection, source_id: str, refs: Iterable[str]) -> dict[str, Row[Any]]:
    """What a source said of references, without the documents."""
    columns = [column for column in entity_layer.c if column.name != "doc"]
    found: dict[str, Row[Any]] = {}
    for batch in chunks(refs):
        mine = entity_layer.c.source_id == source_id, entity_layer.c.ref.in_(batch)
        found.update({row.ref: row for row in conn.execute(select(*columns).where(*mine))})
    return found


def refs_of(conn: Connection, source_id: str) -> set[str]:
    """The references that a source lays something over."""
    return set(conn.scalars(select(entity_layer.c.ref).where(entity_layer.c.source_id == source_id)))


def put(
    conn: Connection, now: int, source_id: str, records: Sequence[Record], precedence: int = 0, lists: str = "union"
) -> None:
    """A source says this of these references now."""
    remove(conn, source_id, [record.ref for record in records])
    rows = [
        (
            *(record.ref, source_id, pack(record.text), record.hash),
            *(record.location, record.line, precedence, lists, now),
        )
        for record in records
    ]
    insert_rows(conn, entity_layer, COLUMNS, rows)


def remove(conn: Connection, source_id: str, refs: Collection[str]) -> None:
    """A source says nothing of these references any more."""
    for batch in chunks(refs):
        conn.execute(delete(entity_layer).where(entity_layer.c.source_id == source_id, entity_layer.c.ref.in_(batch)))


def note_refused(conn: Connection, reasons: Mapping[str, Mapping[str, str]]) -> None:
    """For these references, these sources' layers are left out, and no others; given as reference → source → why."""
    for batch in chunks(reasons):
        some = entity_layer.c.ref.in_(batch), entity_layer.c.refused.is_not(None)
        conn.execute(update(entity_layer).where(*some).values(refused=None))
        mine = catalog_problem.c.ref.in_(batch), catalog_problem.c.code == "overlay"
        if conn.execute(delete(catalog_problem).where(*mine)).rowcount:
            feed.touch(conn)
    for ref, sources in reasons.items():
        for source_id, why in sources.items():
            row = entity_layer.c.ref == ref, entity_layer.c.source_id == source_id
            conn.execute(update(entity_layer).where(*row).values(refused=why))


def counts(conn: Connection, ids: Sequence[str]) -> tuple[dict[str, int], dict[str, int]]:
    """How many references each source lays something over, and of how many of them there is no entity."""
    query = select(entity_layer.c.source_id, func.count(), func.count(entity.c.id)).outerjoin(
        entity, entity.c.ref == entity_layer.c.ref
    )
    rows = conn.execute(query.where(entity_layer.c.source_id.in_(ids)).group_by(entity_layer.c.source_id)).all()
    return {row[0]: row[1] for row in rows}, {row[0]: row[1] - row[2] for row in rows if row[1] > row[2]}


def page(
    conn: Connection,
    seen: ColumnElement[bool],
    *,
    source_id: str | None,
    ref: str | None,
    state: str | None,
    after: Sequence[str],
    limit: int,
) -> list[dict[str, Any]]:
    """Layers of overlays by reference and source, behind the pair `after`; `exists`: there is the entity. Of those
    that there are, only what `seen` lets through."""
    is_there = entity.c.id.is_not(None)
    states = {
        "waiting": ~is_there,
        "refused": and_(is_there, entity_layer.c.refused.is_not(None)),
        "applied": and_(is_there, entity_layer.c.refused.is_(None)),
    }
    behind = or_(
        entity_layer.c.ref > after[0], and_(entity_layer.c.ref == after[0], entity_layer.c.source_id > after[1])
    )
    query = select(entity_layer, is_there.label("exists")).outerjoin(entity, entity.c.ref == entity_layer.c.ref)
    query = query.where(entity_layer.c.source_id != OWN, behind, or_(~is_there, seen))
    for column, value in ((entity_layer.c.source_id, source_id), (entity_layer.c.ref, ref)):
        if value is not None:
            query = query.where(column == value)
    if state is not None:
        query = query.where(states[state])
    ordered = query.order_by(entity_layer.c.ref, entity_layer.c.source_id).limit(limit)
    return [dict(row) for row in conn.execute(ordered).mappings()]


def _layer(row: Any) -> Layer:
    return Layer(
        row.source_id,
        orjson.loads(row.doc),
        row.precedence,
        row.lists,
        row.location,
        row.line,
        row.hash,
        row.at,
        row.refused,
    )
