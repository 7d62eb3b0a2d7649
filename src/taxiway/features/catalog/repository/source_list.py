"""Rows of what the catalog reads from: registered locations and what they came to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from taxiway.core.store.scoped import visible
from taxiway.features.catalog.tables import catalog_change, catalog_problem, entity, location
from taxiway.model.access import Scope


def visible_sources(scope: Scope) -> ColumnElement[bool]:
    """The clause for locations that a caller may see."""
    return visible(scope, location.c.owner)


def sources(
    conn: Connection, where: ColumnElement[bool], text: str, after: str | None, limit: int
) -> list[dict[str, Any]]:
    """Registered locations with `text` in their target, by id, behind the id `after`."""
    statement = select(location).where(where).order_by(location.c.id).limit(limit)
    if text:
        statement = statement.where(func.lower(location.c.target).contains(text.lower(), autoescape=True))
    if after is not None:
        statement = statement.where(location.c.id > after)
    return [dict(row) for row in conn.execute(statement).mappings()]


def source(conn: Connection, where: ColumnElement[bool], source_id: str) -> dict[str, Any] | None:
    """One registered location, or None."""
    row = conn.execute(select(location).where(where, location.c.id == source_id)).mappings().first()
    return None if row is None else dict(row)


def entity_counts(conn: Connection, ids: Sequence[str]) -> dict[str, int]:
    """How many entities each source has."""
    statement = select(entity.c.source_id, func.count()).where(entity.c.source_id.in_(ids))
    return {row[0]: row[1] for row in conn.execute(statement.group_by(entity.c.source_id))}


def problem_counts(conn: Connection, ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many problems of each code each source has."""
    statement = (
        select(catalog_problem.c.source_id, catalog_problem.c.code, func.count())
        .where(catalog_problem.c.source_id.in_(ids))
        .group_by(catalog_problem.c.source_id, catalog_problem.c.code)
    )
    found: dict[str, dict[str, int]] = {}
    for source_id, code, count in conn.execute(statement):
        found.setdefault(source_id, {})[code] = count
    return found


def last_changes(conn: Connection, ids: Sequence[str]) -> dict[str, int]:
    """When entities of each source changed last, where that is kept."""
    statement = select(catalog_change.c.source_id, func.max(catalog_change.c.at))
    rows = conn.execute(statement.where(catalog_change.c.source_id.in_(ids)).group_by(catalog_change.c.source_id))
    return {row[0]: row[1] for row in rows}


def system_sources(conn: Connection, names: Sequence[str]) -> list[str]:
    """Those of `names` that entities come from."""
    rows = conn.scalars(select(entity.c.source_id).where(entity.c.source_id.in_(names)).distinct())
    return sorted(rows)
