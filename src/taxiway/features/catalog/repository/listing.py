"""Pages of entities: filters, order, keyset cursors in both directions, totals and facet counts.

The index in memory chooses the rows where it can (`view`), else SQL does, with the same answers. Entities that lack the
sort field come last instead of vanishing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from pyroaring import BitMap
from sqlalchemy import ColumnElement, Connection, FromClause, and_, func, or_, select, true

from taxiway.features.catalog.repository import facets as facets_
from taxiway.features.catalog.repository import filters, reading
from taxiway.features.catalog.repository.filters import RELATIONS
from taxiway.features.catalog.repository.index.catalog_index import View
from taxiway.features.catalog.repository.index.related import Counts, related_counts
from taxiway.features.catalog.repository.kinds import inverse_in, relation_named
from taxiway.features.catalog.repository.numbers import number_in
from taxiway.features.catalog.repository.query import Found, Listed, Position, Query, decode, encode, listed
from taxiway.features.catalog.tables import entity, entity_facet, facet, relation

__all__ = ["DEFAULT_LIMIT", "MAX_LIMIT", "Listed", "Query", "decode", "encode", "facets", "ids", "page", "where_of"]
DEFAULT_LIMIT = 200
MAX_LIMIT = 10_000
KEPT = 500
"""The documents of pages up to this size are kept in memory until something changes."""
_SORT: dict[str, ColumnElement[Any]] = {**filters.COLUMNS, "metadata.title": func.lower(entity.c.title)}


def where_of(query: Query, scope: ColumnElement[bool]) -> ColumnElement[bool]:
    """The clause of a query within what the caller may see."""
    where = and_(scope, filters.parse_filters(query.filters, scope))
    if query.predicate is not None:
        where = and_(where, filters.parse_predicate(query.predicate, scope))
    if query.term:
        where = and_(where, filters.contains_text(query.searched_fields, query.term))
    return where


def page(
    conn: Connection,
    query: Query,
    scope: ColumnElement[bool],
    *,
    limit: int,
    offset: int = 0,
    with_total: bool = True,
    view: View | None = None,
) -> Listed:
    """One page. The total is counted once and then carried by the cursors."""
    found = None if view is None else _from_index(view, query, scope, limit, offset)
    if found is None:
        found = _from_sql(conn, query, where_of(query, scope), limit, offset, with_total)
    if not with_total:
        found = replace(found, total=query.total or 0)

    def texts(ids: Sequence[int]) -> Sequence[str]:
        if view is None or limit > KEPT or filters.limited(scope) is not None:
            return list(reading.texts_by_ids(conn, ids, scope).values())
        return view.texts(ids)

    return listed(query, found, texts, limit=limit, offset=offset)


def page_in_memory(view: View, query: Query, *, limit: int, offset: int = 0) -> Listed | None:
    """Like `page` of all entities, of what is in memory alone. None, or UnheldError, when that does not do."""
    found = _from_index(view, query, true(), limit, offset)
    return None if found is None else listed(query, found, view.texts, limit=limit, offset=offset)


def ids(conn: Connection, query: Query, scope: ColumnElement[bool], view: View | None = None) -> list[int]:
    """The ids of every entity of a query, in order."""
    if view is not None:
        where = view.where(query, filters.limited(scope))
        places = view.places(query, where)
        if places is not None:
            return list(places.slice(0, len(where)))
    value, source = _sort(query)
    statement = select(entity.c.id).select_from(source).where(where_of(query, scope)).order_by(*_order(query, value))
    return list(conn.scalars(statement))


def _from_index(view: View, query: Query, scope: ColumnElement[bool], limit: int, offset: int) -> Found | None:
    where = view.where(query, filters.limited(scope))
    total = len(where) if query.total is None else query.total
    places = view.places(query, where)
    if places is None:
        return None
    start, stop = offset, offset + limit + 1
    if query.position is not None:
        value, ref = query.position
        value = _told(query, value)
        if query.backwards:
            stop = places.rank(value, ref, inclusive=False) - offset
            start = max(0, stop - limit - 1)
        else:
            start += places.rank(value, ref, inclusive=True)
            stop = start + limit + 1
    chosen = places.slice(start, max(start, stop))
    refs = view.state.refs
    return Found(chosen[::-1] if query.backwards else chosen, total, lambda one: (places.value(one), refs[one]))


def _from_sql(
    conn: Connection, query: Query, where: ColumnElement[bool], limit: int, offset: int, with_total: bool
) -> Found:
    total = query.total
    if total is None:
        total = reading.count(conn, where) if with_total else 0
    rows = _rows(conn, query, where, limit, offset)
    return Found(list(rows), total, rows.__getitem__)


def facets(
    conn: Connection, keys: Sequence[str], query: Query, scope: ColumnElement[bool], view: View | None = None
) -> dict[str, list[dict[str, Any]]]:
    """Values and how many entities of a query have each, by key as written, ordered by value."""
    return dict(facets_one_by_one(conn, keys, query, scope, view))


def facets_one_by_one(
    conn: Connection, keys: Sequence[str], query: Query, scope: ColumnElement[bool], view: View | None = None
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Like `facets`, a key at a time: one may have as many values as there are entities."""
    where: BitMap | None = None if view is None else view.where(query, filters.limited(scope))
    clause = where_of(query, scope) if query != Query() or filters.limited(scope) is not None else None
    related: dict[str, Counts] | None = None
    for key in keys:
        counts = None if view is None or where is None else view.counts(key.lower(), where)
        if counts is None and view is not None and where is not None and key.lower().startswith(RELATIONS):
            related = _related(conn, view, keys, where, scope) if related is None else related
            counts = related[key].named(view.state.refs) if key in related else {}
        if counts is None:
            counts = _counts(conn, key.lower(), clause, scope)
        yield key, [{"value": value, "count": counts[value]} for value in sorted(counts)]


def _related(
    conn: Connection, view: View, keys: Sequence[str], where: BitMap, scope: ColumnElement[bool]
) -> dict[str, Counts]:
    """By those of the keys that name a relation type."""
    asked = [(key, key.lower().removeprefix(RELATIONS)) for key in keys if key.lower().startswith(RELATIONS)]
    named = {key: name for key, lower in asked if (name := relation_named(conn, lower)) is not None}
    inverse, limit_to = inverse_in(conn), filters.limited(scope)
    visible = None if limit_to is None else view.where(Query(), limit_to)
    types = {name: inverse(name) for name in named.values()}
    counts = related_counts(conn, view.state.refs, types, where, visible)
    return {key: counts[name] for key, name in named.items()}


def facets_in_memory(
    view: View, keys: Sequence[str], query: Query, most: int
) -> dict[str, list[dict[str, Any]]] | None:
    """Like `facets` of all entities, of what is in memory alone, for at most so many values. None, or UnheldError, when
    that does not do."""
    if view.size(keys) > most:
        return None
    where = view.where(query, None)
    result = {}
    for key in keys:
        counts = view.counts(key.lower(), where)
        if counts is None:
            return None
        result[key] = [{"value": value, "count": counts[value]} for value in sorted(counts)]
    return result


def _counts(
    conn: Connection, key: str, where: ColumnElement[bool] | None, scope: ColumnElement[bool]
) -> dict[str, int]:
    if key in ("metadata.name", "metadata.uid"):
        column = entity.c[key.removeprefix("metadata.")]
        names = select(column, func.count()).where(true() if where is None else where).group_by(column)
        return {row[0]: row[1] for row in conn.execute(names)}
    if key.startswith(RELATIONS):
        return _relation_counts(conn, key.removeprefix(RELATIONS), where, scope)
    statement = (
        select(facet.c.value, func.count())
        .join(entity_facet, entity_facet.c.facet_id == facet.c.id)
        .where(facets_.at_key(key), facet.c.opaque.is_(False))
        .group_by(facet.c.value)
    )
    if where is not None:
        statement = statement.join(entity, entity.c.id == entity_facet.c.entity_id).where(where)
    return {row[0]: row[1] for row in conn.execute(statement)}


def _relation_counts(
    conn: Connection, type_: str, where: ColumnElement[bool] | None, scope: ColumnElement[bool]
) -> dict[str, int]:
    name = relation_named(conn, type_)
    if name is None:
        return {}
    other = entity.alias("other")
    limit_to = true() if where is None else where
    stated = select(entity.c.ref.label("ref"), relation.c.target.label("value")).join(
        relation, relation.c.source_id == entity.c.id
    )
    received = (
        select(entity.c.ref.label("ref"), other.c.ref.label("value"))
        .join(relation, relation.c.target == entity.c.ref)
        .join(other, other.c.id == relation.c.source_id)
        .where(filters.on(other, scope))
    )
    pairs = (
        stated.where(limit_to, relation.c.type == name)
        .union(received.where(limit_to, relation.c.type == inverse_in(conn)(name)))
        .subquery()
    )
    rows = conn.execute(select(pairs.c.value, func.count()).group_by(pairs.c.value))
    return {row[0]: row[1] for row in rows}


def _rows(conn: Connection, query: Query, where: ColumnElement[bool], limit: int, offset: int) -> dict[int, Position]:
    value, source = _sort(query)
    statement = select(entity.c.id, entity.c.ref, value.label("value")).select_from(source).where(where)
    if query.position is not None:
        statement = statement.where(_behind(query, value))
    statement = statement.order_by(*_order(query, value)).limit(limit + 1).offset(offset or None)
    return {row.id: (row.value, row.ref) for row in conn.execute(statement)}


def _sort(query: Query) -> tuple[ColumnElement[Any], FromClause]:
    # The value to sort by, and what to select from. A facet's values are gathered once, not entity by entity.
    if query.sort is None:
        return entity.c.ref, entity
    key = query.sort.lower()
    if key in _SORT:
        return number_in(_SORT[key]) if query.numeric else _SORT[key], entity
    folded = number_in(facets_.folded) if query.numeric else facets_.folded
    values = (
        select(entity_facet.c.entity_id, func.min(folded).label("value"))
        .join(facet, facet.c.id == entity_facet.c.facet_id)
        .where(facets_.at_key(key), facet.c.opaque.is_(False))
        .group_by(entity_facet.c.entity_id)
        .subquery()
    )
    return values.c.value, entity.outerjoin(values, values.c.entity_id == entity.c.id)


def _told(query: Query, value: Any) -> Any:
    """The sort value of a cursor, as the order has it."""
    if query.numeric:
        return float(value) if isinstance(value, int | float) else None
    return None if value is None else str(value)


def _order(query: Query, value: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    ref = entity.c.ref
    down = query.descending != query.backwards
    if query.sort is None:
        return [ref.desc() if down else ref.asc()]
    nulls = value.is_(None)
    return [
        nulls.desc() if query.backwards else nulls.asc(),
        value.desc() if down else value.asc(),
        ref.desc() if query.backwards else ref.asc(),
    ]


def _behind(query: Query, value: ColumnElement[Any]) -> ColumnElement[bool]:
    at, ref = query.position or (None, "")
    down = query.descending != query.backwards
    if query.sort is None:
        return entity.c.ref < ref if down else entity.c.ref > ref
    same_further = entity.c.ref < ref if query.backwards else entity.c.ref > ref
    if at is None:
        within_nulls = and_(value.is_(None), same_further)
        return or_(within_nulls, value.is_not(None)) if query.backwards else within_nulls
    known = _told(query, at)
    further = value < known if down else value > known
    behind = or_(further, and_(value == known, same_further))
    return behind if query.backwards else or_(behind, value.is_(None))
