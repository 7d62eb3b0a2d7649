"""Kinds that are entities, and the relations that they brought. Read in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, delete, func, select

from taxiway.core.store.bulk import insert_rows
from taxiway.features.catalog.kinds import INVERSE, KIND, META, Kinds, shipped, with_document
from taxiway.features.catalog.tables import entity, entity_doc, relation_type

_DECLARED = (
    select(entity.c.source_id, entity.c.ref, entity_doc.c.doc)
    .join(entity_doc, entity_doc.c.entity_id == entity.c.id)
    .where(entity.c.kind.in_(sorted(name.lower() for name in META)))
    .order_by(entity.c.ref)
)


def load_kinds(conn: Connection) -> Kinds:
    """The kinds that ship, and those that are entities."""
    kinds = shipped()
    for row in conn.execute(_DECLARED):
        kinds = with_document(kinds, _bare(row.doc), row.source_id)
    return kinds


def declared(conn: Connection) -> dict[str, tuple[str, str]]:
    """(reference, source) of every kind that is an entity, by name."""
    rows = ((row, _bare(row.doc)) for row in conn.execute(_DECLARED))
    return {
        document["metadata"]["name"]: (row.ref, row.source_id) for row, document in rows if document["kind"] == KIND
    }


def _bare(text: str) -> dict[str, Any]:
    document = orjson.loads(text)
    metadata = {key: value for key, value in document["metadata"].items() if key not in ("uid", "etag", "annotations")}
    return {**document, "metadata": metadata}


def keep_relation_types(conn: Connection, inverses: Mapping[str, str]) -> None:
    """Remember the inverse of relation types: entities may state them longer than a kind is declared."""
    wanted = {one: other for one, other in inverses.items() if one not in INVERSE}
    if wanted:
        conn.execute(delete(relation_type).where(relation_type.c.type.in_(list(wanted))))
        insert_rows(conn, relation_type, ("type", "inverse"), sorted(wanted.items()))


def inverse_in(conn: Connection) -> Callable[[str], str]:
    """What the other end of a relation type is called. The store is asked for those that are not Backstage's."""
    found: dict[str, str] = {}

    def inverse(type_: str) -> str:
        known = INVERSE.get(type_)
        if known is not None:
            return known
        if not found:
            found.update({row.type: row.inverse for row in conn.execute(select(relation_type))})
        return found.get(type_, type_)

    return inverse


def relation_named(conn: Connection, lower: str) -> str | None:
    """A relation type by its name in lower case, as it is written."""
    names: Iterable[str] = (*INVERSE, *conn.scalars(select(relation_type.c.type)))
    return next((name for name in names if name.lower() == lower), None)


def counts(conn: Connection, where: ColumnElement[bool]) -> dict[str, int]:
    """How many entities of each kind, in lower case, satisfy `where`."""
    rows = conn.execute(select(entity.c.kind, func.count()).where(where).group_by(entity.c.kind))
    return {row[0]: row[1] for row in rows}
