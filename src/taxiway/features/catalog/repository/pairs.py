"""Which entities have a facet: one row for each of the two on SQLite, one for each entity on PostgreSQL.

A row costs PostgreSQL 30 bytes beside what it holds, and as many again in an index, so there the facets of an entity
are one array in `entity_facet_list`, with an inverted index over all of them. The view `entity_facet` shows them as
SQLite holds them, for whoever reads most of them anyway; whoever asks for those of a few facets does it through here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Connection, delete, select, table, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from taxiway.core.store.bulk import insert_pairs, insert_rows
from taxiway.features.catalog.repository import facets
from taxiway.features.catalog.repository.chunks import array_of, given_numbers, numbers_in
from taxiway.features.catalog.tables import entity, entity_facet, facet

_LIST = table("entity_facet_list")
FEW = 500
_CHANGE = (
    "UPDATE entity_facet_list SET facets = ARRAY("
    "SELECT unnest(facets) EXCEPT SELECT unnest(CAST(%s AS integer[])) UNION SELECT unnest(CAST(%s AS integer[]))"
    ") WHERE entity_id = %s"
)


def insert(conn: Connection, by_id: Mapping[int, Collection[int]]) -> None:
    """Store the facets of new entities, given as entity → facets."""
    if conn.dialect.name == "postgresql":
        rows = [(id_, array_of(sorted(numbers))) for id_, numbers in by_id.items()]
        insert_rows(conn, _LIST, ("entity_id", "facets"), rows)
    else:
        insert_pairs(conn, entity_facet, ("facet_id", "entity_id"), by_id)


def change(conn: Connection, removed: Mapping[int, Collection[int]], added: Mapping[int, Collection[int]]) -> None:
    """Take facets from entities that are known, and give them others; facets that stay are not mentioned."""
    if conn.dialect.name == "postgresql":
        ids = sorted(id_ for id_ in removed.keys() | added.keys() if removed.get(id_) or added.get(id_))
        rows = [(array_of(removed.get(id_, ())), array_of(added.get(id_, ())), id_) for id_ in ids]
        if rows:
            conn.exec_driver_sql(_CHANGE, rows)
    else:
        _delete_pairs(conn, removed)
        insert_pairs(conn, entity_facet, ("facet_id", "entity_id"), added)


def remove(conn: Connection, by_id: Mapping[int, Collection[int]]) -> None:
    """Forget entities that go, given with their facets."""
    if conn.dialect.name == "postgresql":
        ids = {"numbers": given_numbers(conn, by_id)}
        conn.execute(delete(_LIST).where(text(f"entity_id IN ({numbers_in(conn)})")), ids)
    else:
        _delete_pairs(conn, by_id)


def _delete_pairs(conn: Connection, by_id: Mapping[int, Collection[int]]) -> None:
    rows = sorted((number, id_) for id_, numbers in by_id.items() for number in numbers)
    if rows:
        conn.exec_driver_sql("DELETE FROM entity_facet WHERE facet_id = ? AND entity_id = ?", rows)


def at_key(conn: Connection, key: str) -> Iterable[Any]:
    """(facet, entity) of everything at a path, in the order of the facets."""
    query = select(entity_facet.c.facet_id, entity_facet.c.entity_id)
    query = query.join(facet, facet.c.id == entity_facet.c.facet_id)
    if conn.dialect.name == "postgresql":
        lists = table("entity_facet_list", entity_facet.c.entity_id._copy())
        query = select(facet.c.id, lists.c.entity_id).join(lists, text("facets @> ARRAY[facet.id]"))
    return conn.execute(query.where(facets.at_key(key)).order_by(facet.c.id))


def having(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The clause for entities with one of the facets that `condition` picks."""
    picked = select(facet.c.id).where(condition).correlate(None).scalar_subquery()
    return _having(entity.c.id, picked)


class _having(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True
    name = "having"


@compiles(_having, "sqlite")
def _sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    id_, picked = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{id_} IN (SELECT entity_id FROM entity_facet WHERE facet_id IN {picked})"  # noqa: S608


@compiles(_having, "postgresql")
def _postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    # Few facets are looked up in the index together. It would take seconds over many: then all arrays are read.
    id_, picked = (compiler.process(clause, **kw) for clause in element.clauses)
    few = f"(SELECT count(*) FROM (SELECT 1 FROM {picked} AS picked LIMIT {FEW + 1}) AS counted) <= {FEW}"  # noqa: S608
    return (
        f"{id_} IN (SELECT entity_id FROM entity_facet_list WHERE facets && ARRAY{picked} AND {few}"  # noqa: S608
        f" UNION ALL SELECT entity_id FROM entity_facet WHERE facet_id IN {picked} AND NOT {few})"
    )
