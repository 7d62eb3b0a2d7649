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
MANY = 10_000
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
    # A few facets are looked up in the index together, which takes seconds over many. Those are looked up one by one,
    # 4 µs each, unless all arrays are read sooner: where there are not twice as many entities, or few of these.
    id_, picked = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{id_} IN ({_HAVING.format(picked=picked)})"


_HAVING = f"""
    WITH picked AS MATERIALIZED {{picked}},
    size AS MATERIALIZED (
        SELECT (SELECT count(*) FROM picked) AS facets,
            (SELECT reltuples FROM pg_class WHERE oid = CAST('entity_facet_list' AS regclass)) AS entities
    ),
    way AS MATERIALIZED (
        SELECT CASE
            WHEN facets <= {FEW} THEN 1
            WHEN entities >= {MANY} AND 2 * facets <= entities THEN 2
            ELSE 3
        END AS way FROM size
    )
    SELECT DISTINCT entity_id FROM (
        SELECT entity_id FROM entity_facet_list
        WHERE (SELECT way FROM way) = 1 AND facets && ARRAY(SELECT id FROM picked)
        UNION ALL
        SELECT unnest(ARRAY(SELECT entity_id FROM entity_facet_list WHERE facets @> ARRAY[picked.id]))
        FROM picked WHERE (SELECT way FROM way) = 2
        UNION ALL
        SELECT entity_id FROM entity_facet WHERE (SELECT way FROM way) = 3 AND facet_id IN (SELECT id FROM picked)
    ) AS found
"""  # noqa: S608  numbers and a clause of ours
"""Distinct, because PostgreSQL then reckons with few of them: with many it would not keep them for a NOT, but look
for them again at each entity."""
