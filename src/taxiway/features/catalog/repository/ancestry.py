"""Reads what leads to an entity: its own row, and the Location entities of its source."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select

from taxiway.features.catalog.tables import entity, entity_doc

MAX_LOCATIONS = 10_000


@dataclass(frozen=True)
class Placed:
    """An entity and the file it was read from."""

    ref: str
    source_id: str
    location: str


def placed(conn: Connection, ref: str, scope: ColumnElement[bool]) -> Placed | None:
    """The entity `ref` when it is there and may be seen."""
    columns = select(entity.c.ref, entity.c.source_id, entity.c.location)
    row = conn.execute(columns.where(entity.c.ref == ref, scope)).first()
    return None if row is None else Placed(*row)


def locations_of(conn: Connection, source_id: str, scope: ColumnElement[bool]) -> list[tuple[Placed, str]]:
    """The Location entities of a source that may be seen, each with its document's text."""
    rows = conn.execute(
        select(entity.c.ref, entity.c.source_id, entity.c.location, entity_doc.c.doc)
        .join(entity_doc, entity_doc.c.entity_id == entity.c.id)
        .where(entity.c.source_id == source_id, entity.c.kind == "location", scope)
        .order_by(entity.c.ref)
        .limit(MAX_LOCATIONS)
    )
    return [(Placed(row.ref, row.source_id, row.location), row.doc) for row in rows]
