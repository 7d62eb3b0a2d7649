"""Rows of repositories that were looked at for a descriptor."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, tuple_, update

from taxiway.core.store.scoped import visible
from taxiway.features.catalog.repository.chunks import chunks
from taxiway.features.catalog.tables import catalog_repository as table
from taxiway.model.access import Scope


def seen_by(scope: Scope) -> ColumnElement[bool]:
    """The clause for repositories whose owner a caller stands for."""
    return visible(scope, table.c.owner)


def states(conn: Connection, source: str) -> dict[str, str]:
    """What the repositories of a source were when they were looked at, by name."""
    rows = conn.execute(select(table.c.name, table.c.state).where(table.c.source == source))
    return {row.name: row.state for row in rows}


def looked_since(conn: Connection, source: str, moment: int) -> set[str]:
    """The repositories of a source that were looked at since then."""
    where = (table.c.source == source, table.c.looked_at >= moment)
    return set(conn.scalars(select(table.c.name).where(*where)))


def save(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert or replace. A pull request that was opened stays known while its repository still lacks a descriptor."""
    for row in rows:
        where = (table.c.source == row["source"]) & (table.c.name == row["name"])
        pull = conn.scalar(select(table.c.pull).where(where))
        conn.execute(delete(table).where(where))
        kept = {"pull": pull, "status": "proposed"} if pull and row["status"] == "missing" else {}
        conn.execute(insert(table).values({**row, "pull": None, **kept}))


def forget(conn: Connection, source: str, names: Collection[str]) -> None:
    """Remove repositories that are gone."""
    for batch in chunks(names):
        conn.execute(delete(table).where(table.c.source == source, table.c.name.in_(batch)))


def forget_others(conn: Connection, sources: Collection[str]) -> None:
    """Remove the repositories of hosts that are no more."""
    conn.execute(delete(table).where(table.c.source.not_in(sources)))


def page(
    conn: Connection,
    where: ColumnElement[bool],
    *,
    status: str | None,
    text: str | None,
    after: Sequence[str],
    limit: int,
) -> list[dict[str, Any]]:
    """Repositories by source and name, behind `after`."""
    statement = select(table).where(where).order_by(table.c.source, table.c.name).limit(limit)
    if status is not None:
        statement = statement.where(table.c.status == status)
    if text:
        statement = statement.where(table.c.name.contains(text, autoescape=True))
    if after:
        statement = statement.where(tuple_(table.c.source, table.c.name) > tuple_(*after))
    return [dict(row) for row in conn.execute(statement).mappings()]


def counts(conn: Connection, where: ColumnElement[bool]) -> dict[str, int]:
    """How many have each status."""
    rows = conn.execute(select(table.c.status, func.count()).where(where).group_by(table.c.status))
    return {row[0]: row[1] for row in rows}


def last_look(conn: Connection) -> int | None:
    """When a repository was looked at last."""
    found: int | None = conn.scalar(select(func.max(table.c.looked_at)))
    return found


def get(conn: Connection, source: str, name: str) -> dict[str, Any] | None:
    """One repository, or None."""
    row = conn.execute(select(table).where(table.c.source == source, table.c.name == name)).mappings().first()
    return None if row is None else dict(row)


def note_pull(conn: Connection, source: str, name: str, pull: str | None) -> None:
    """A pull request was opened for a repository, or taken back."""
    values = {"pull": pull, "status": "proposed" if pull else "missing"}
    conn.execute(update(table).where(table.c.source == source, table.c.name == name).values(values))
