"""Rows of what is wrong with sources: lists, and documents that were refused and stand for no entity."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, exists, func, or_, select, true

from taxiway.features.catalog.repository.chunks import chunks
from taxiway.features.catalog.repository.index import feed
from taxiway.features.catalog.tables import catalog_orphan, catalog_problem, entity, location

_OWNER = select(location.c.owner).where(location.c.id == catalog_problem.c.source_id).scalar_subquery()
"""The owner of a problem's source: who may see the source's problems may see this one."""

_IS_THERE = exists(select(1).select_from(entity).where(entity.c.ref == catalog_problem.c.ref))

_IS_FREE = or_(
    ~_IS_THERE, exists(select(1).select_from(catalog_orphan).where(catalog_orphan.c.ref == catalog_problem.c.ref))
)
"""Nobody has the name, or nobody describes the entity any more."""


def problems(
    conn: Connection,
    scope: ColumnElement[bool],
    *,
    source_id: str | None = None,
    ref: str | None = None,
    code: str | None = None,
    before: str | None = None,
    limit: int,
) -> list[dict[str, Any]]:
    """Problems, newest first, behind the id `before`, without the refused documents."""
    columns = [column for column in catalog_problem.c if column.name != "document"]
    statement = (
        select(*columns, _IS_THERE.label("exists")).where(scope).order_by(catalog_problem.c.id.desc()).limit(limit)
    )
    for column, value in (
        (catalog_problem.c.source_id, source_id),
        (catalog_problem.c.ref, ref),
        (catalog_problem.c.code, code),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if before is not None:
        statement = statement.where(catalog_problem.c.id < before)
    return [{**row, "exists": bool(row["exists"])} for row in conn.execute(statement).mappings()]


def owned_by(owners: frozenset[str] | None) -> ColumnElement[bool]:
    """The clause for problems of sources and entities that one of `owners` owns; None: all of them."""
    if owners is None:
        return true()
    names = sorted(owners)
    of_entity = select(entity.c.ref).where(entity.c.owner.in_(names))
    return or_(_OWNER.in_(names), catalog_problem.c.ref.in_(of_entity))


def counts(conn: Connection) -> dict[str, int]:
    """How many problems each source has."""
    rows = conn.execute(select(catalog_problem.c.source_id, func.count()).group_by(catalog_problem.c.source_id))
    return {row[0]: row[1] for row in rows}


def without_entity(conn: Connection, limit: int) -> list[dict[str, Any]]:
    """Problems about documents that stand for no entity, newest first."""
    statement = (
        select(catalog_problem)
        .where(catalog_problem.c.document.is_not(None), or_(catalog_problem.c.ref.is_(None), ~_IS_THERE))
        .order_by(catalog_problem.c.id.desc())
        .limit(limit)
    )
    return [dict(row) for row in conn.execute(statement).mappings()]


def claimants(conn: Connection, ref: str) -> list[str]:
    """The sources whose claim to `ref` was refused, while it is free."""
    statement = select(catalog_problem.c.source_id).where(
        catalog_problem.c.ref == ref, catalog_problem.c.code == "conflict", _IS_FREE
    )
    return sorted(set(conn.scalars(statement)))


def claims(conn: Connection, source_id: str, ref: str, limit: int) -> list[Any]:
    """Rows of what a source says of `ref`, and of other names that are free (again), and was refused because another
    one had it."""
    mine = (catalog_problem.c.source_id == source_id, catalog_problem.c.code == "conflict")
    free = or_(catalog_problem.c.ref == ref, _IS_FREE)
    statement = select(catalog_problem).where(*mine, free, catalog_problem.c.document.is_not(None))
    return list(conn.execute(statement.order_by(catalog_problem.c.id).limit(limit)))


def source_of(conn: Connection, problem_id: str) -> str | None:
    """The source that a problem is about, or None when there is no such problem."""
    return conn.scalar(select(catalog_problem.c.source_id).where(catalog_problem.c.id == problem_id))


def forget(conn: Connection, problem_id: str) -> None:
    """Remove a problem, and the others about the same document."""
    row = conn.execute(select(catalog_problem).where(catalog_problem.c.id == problem_id)).first()
    if row is None:
        return
    same = delete(catalog_problem).where(
        catalog_problem.c.source_id == row.source_id, catalog_problem.c.document == row.document
    )
    feed.touch(conn)
    conn.execute(same)
    conn.execute(delete(catalog_problem).where(catalog_problem.c.id == problem_id))


def forget_all(conn: Connection, problem_ids: Iterable[str]) -> None:
    """Remove these problems, and no others."""
    some = [delete(catalog_problem).where(catalog_problem.c.id.in_(batch)) for batch in chunks(problem_ids)]
    if sum(conn.execute(statement).rowcount for statement in some):
        feed.touch(conn)
