"""INSERT with ON CONFLICT, which SQLAlchemy has per dialect. Only the one in use is imported."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table


def upsert(conn: Connection, table: Table) -> Any:
    """An insert into `table` that has `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return upsert_for(conn.dialect.name, table)


def upsert_for(dialect: str, table: Table) -> Any:
    """The same for the dialect of this name, for statements that are built once."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)
