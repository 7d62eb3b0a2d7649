"""Pages of entities: filters, order, keyset cursors in both directions, totals and facet counts.

A cursor carries the whole query and the position, as Backstage's does; it grants nothing, since every page is judged
by the caller's own scope. Entities that lack the sort field come last instead of vanishing.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, FromClause, and_, func, or_, select, true

from taxiway.features.catalog.kinds import INVERSE
from taxiway.features.catalog.repository import filters, reading
from taxiway.features.catalog.tables import entity, entity_facet, facet, relation
from taxiway.model.errors import InputError

DEFAULT_LIMIT = 200
MAX_LIMIT = 10_000
_SORT: dict[str, ColumnElement[Any]] = {**filters.COLUMNS, "metadata.title": func.lower(entity.c.title)}


@dataclass(frozen=True)
class Query:
    """What a list asks for; `position` is (sort value, ref) of the row that the page begins behind."""

    filters: Sequence[str] = ()
    predicate: Any = None
    term: str = ""
    term_fields: Sequence[str] = ()
    sort: str | None = None
    descending: bool = False
    backwards: bool = False
    position: Sequence[Any] | None = None
    total: int | None = None


@dataclass(frozen=True)
class Listed:
    """A page of documents as JSON text, with cursors to its neighbours."""

    items: Sequence[str] = field(default_factory=list)
    total: int = 0
    next_cursor: str | None = None
    previous_cursor: str | None = None


def encode(query: Query) -> str:
    """The cursor text of a query."""
    return base64.b64encode(orjson.dumps(asdict(query))).decode()


def decode(cursor: str) -> Query:
    """The query in a cursor. InputError when it was not made here."""
    try:
        values = orjson.loads(base64.b64decode(cursor, validate=True))
        query = Query(**values)
        if query.position is not None and len(query.position) != 2:
            raise ValueError
    except (binascii.Error, ValueError, TypeError) as error:
        raise InputError("the cursor is not one of ours: start again without it", code="catalog.bad_cursor") from error
    return query


def where_of(query: Query, scope: ColumnElement[bool]) -> ColumnElement[bool]:
    """The clause of a query within what the caller may see."""
    where = and_(scope, filters.parse_filters(query.filters))
    if query.predicate is not None:
        where = and_(where, filters.parse_predicate(query.predicate))
    if query.term:
        fields = [name.lower() for name in query.term_fields] or [query.sort or "metadata.uid"]
        where = and_(where, filters.contains_text(fields, query.term))
    return where


def page(
    conn: Connection, query: Query, scope: ColumnElement[bool], *, limit: int, offset: int = 0, with_total: bool = True
) -> Listed:
    """One page. The total is counted once and then carried by the cursors."""
    where = where_of(query, scope)
    total = query.total
    if total is None:
        total = reading.count(conn, where) if with_total else 0
    if limit == 0:
        return Listed([], total)
    rows = _rows(conn, query, where, limit, offset)
    more = len(rows) > limit
    rows = rows[:limit]
    if query.backwards:
        rows.reverse()
    items = list(reading.texts_by_ids(conn, [row.id for row in rows]).values())
    if not rows:
        return Listed(items, total)
    base = replace(query, total=total)
    first = encode(replace(base, backwards=True, position=[rows[0].value, rows[0].ref]))
    last = encode(replace(base, backwards=False, position=[rows[-1].value, rows[-1].ref]))
    has_next = more or query.backwards
    has_previous = more if query.backwards else query.position is not None or offset > 0
    return Listed(items, total, last if has_next else None, first if has_previous else None)


def ids(conn: Connection, query: Query, scope: ColumnElement[bool]) -> list[int]:
    """The ids of every entity of a query, in order."""
    value, source = _sort(query)
    statement = select(entity.c.id).select_from(source).where(where_of(query, scope)).order_by(*_order(query, value))
    return list(conn.scalars(statement))


def facets(conn: Connection, keys: Sequence[str], where: ColumnElement[bool] | None) -> dict[str, list[dict[str, Any]]]:
    """Values and how many entities have each, by key as written, ordered by value. `where` None means everything."""
    result = {}
    for key in keys:
        counts = _counts(conn, key.lower(), where)
        result[key] = [{"value": value, "count": counts[value]} for value in sorted(counts)]
    return result


def _counts(conn: Connection, key: str, where: ColumnElement[bool] | None) -> dict[str, int]:
    if key in ("metadata.name", "metadata.uid"):
        column = entity.c[key.removeprefix("metadata.")]
        names = select(column, func.count()).where(true() if where is None else where).group_by(column)
        return {row[0]: row[1] for row in conn.execute(names)}
    if key.startswith("relations."):
        return _relation_counts(conn, key.removeprefix("relations."), where)
    statement = (
        select(facet.c.value, func.count())
        .join(entity_facet, entity_facet.c.facet_id == facet.c.id)
        .where(facet.c.key == key, facet.c.opaque.is_(False))
        .group_by(facet.c.value)
    )
    if where is not None:
        statement = statement.join(entity, entity.c.id == entity_facet.c.entity_id).where(where)
    return {row[0]: row[1] for row in conn.execute(statement)}


def _relation_counts(conn: Connection, type_: str, where: ColumnElement[bool] | None) -> dict[str, int]:
    name = next((known for known in INVERSE if known.lower() == type_), None)
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
    )
    pairs = (
        stated.where(limit_to, relation.c.type == name)
        .union(received.where(limit_to, relation.c.type == INVERSE[name]))
        .subquery()
    )
    rows = conn.execute(select(pairs.c.value, func.count()).group_by(pairs.c.value))
    return {row[0]: row[1] for row in rows}


def _rows(conn: Connection, query: Query, where: ColumnElement[bool], limit: int, offset: int) -> list[Any]:
    value, source = _sort(query)
    statement = select(entity.c.id, entity.c.ref, value.label("value")).select_from(source).where(where)
    if query.position is not None:
        statement = statement.where(_behind(query, value))
    statement = statement.order_by(*_order(query, value)).limit(limit + 1).offset(offset or None)
    return list(conn.execute(statement))


def _sort(query: Query) -> tuple[ColumnElement[Any], FromClause]:
    # The value to sort by, and what to select from. A facet's values are gathered once, not entity by entity.
    if query.sort is None:
        return entity.c.ref, entity
    key = query.sort.lower()
    if key in _SORT:
        return _SORT[key], entity
    values = (
        select(entity_facet.c.entity_id, func.min(facet.c.folded).label("value"))
        .join(facet, facet.c.id == entity_facet.c.facet_id)
        .where(facet.c.key == key, facet.c.opaque.is_(False))
        .group_by(entity_facet.c.entity_id)
        .subquery()
    )
    return values.c.value, entity.outerjoin(values, values.c.entity_id == entity.c.id)


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
        return entity.c.ref < str(ref) if down else entity.c.ref > str(ref)
    same_further = entity.c.ref < str(ref) if query.backwards else entity.c.ref > str(ref)
    if at is None:
        within_nulls = and_(value.is_(None), same_further)
        return or_(within_nulls, value.is_not(None)) if query.backwards else within_nulls
    further = value < str(at) if down else value > str(at)
    behind = or_(further, and_(value == str(at), same_further))
    return behind if query.backwards else or_(behind, value.is_(None))
