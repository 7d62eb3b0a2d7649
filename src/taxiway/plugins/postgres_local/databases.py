"""SQL of the local server's superuser: databases and roles, made and dropped so that repeating is harmless.

Names come from `name_of` only, passwords from this plugin; both are quoted nevertheless.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from taxiway.model.errors import UnavailableError

PREFIX = "tw_"
MOST_TABLES, MOST_ROWS = 200, 1000
BOOKKEEPING = frozenset(
    {
        "alembic_version",
        "databasechangelog",
        "databasechangeloglock",
        "django_migrations",
        "flyway_schema_history",
        "goose_db_version",
        "knex_migrations",
        "knex_migrations_lock",
        "pgmigrations",
        "_prisma_migrations",
        "schema_migration",
        "schema_migrations",
        "sequelizemeta",
    }
)
"""Tables in which tools for migrations note what they did: rows there are nobody's data."""


def name_of(uid: str) -> str:
    """Name of the database and of its role for a resource: stable, a valid identifier, telling nothing."""
    return PREFIX + hashlib.sha256(uid.encode()).hexdigest()[:24]


@contextmanager
def connection(port: int, user: str, password: str, database: str = "postgres") -> Iterator[Any]:
    """An autocommit connection to a database. UnavailableError when the server does not answer."""
    try:
        import psycopg
    except ImportError as error:
        raise UnavailableError(
            "the PostgreSQL driver is not installed: run pip install 'taxiway[postgres]'",
            code="postgres_local.no_driver",
        ) from error
    try:
        opened = psycopg.connect(
            host="127.0.0.1",
            port=port,
            user=user,
            password=password,
            dbname=database,
            connect_timeout=10,
            autocommit=True,
            options="-c statement_timeout=60000",
            application_name="taxiway",
        )
    except psycopg.OperationalError as error:
        raise UnavailableError(
            f"the local PostgreSQL server on port {port} does not let Taxiway in: {error}",
            code="postgres_local.refused",
        ) from error
    with opened:
        try:
            yield opened
        except psycopg.OperationalError as error:
            raise UnavailableError(
                f"the local PostgreSQL server broke off: {error}; try again", code="postgres_local.broke_off"
            ) from error


def close_to_public(admin: Any) -> None:
    """Roles of resources have no business in the databases that every server has."""
    for database in ("postgres", "template1"):
        _run(admin, "revoke connect, temporary on database {} from public", database)


def create(admin: Any, name: str, password: str, connections: int) -> None:
    """Converge to a role `name` with this password, and a database `name` that only this role enters."""
    from psycopg import sql

    if not _exists(admin, "select 1 from pg_roles where rolname = %s", name):
        _run(admin, "create role {} nologin", name)
    # The verifier, not the password: statements can end up in a log.
    verifier = admin.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    admin.execute(
        sql.SQL(
            "alter role {} login nosuperuser nocreatedb nocreaterole noreplication nobypassrls "
            "connection limit {} password {}"
        ).format(sql.Identifier(name), sql.Literal(connections), sql.Literal(verifier))
    )
    if not _exists(admin, "select 1 from pg_database where datname = %s", name):
        # Closed until PUBLIC has lost its right to connect: no other role slips in between.
        _run(admin, "create database {0} owner {0} template template0 allow_connections false", name)
    _run(admin, "revoke all on database {} from public", name)
    _run(admin, "alter database {} allow_connections true", name)


def drop(admin: Any, name: str) -> None:
    """End the connections, drop the database and its role. Nothing happens when they are gone."""
    if _exists(admin, "select 1 from pg_roles where rolname = %s", name):
        _run(admin, "alter role {} nologin", name)
    _run(admin, "drop database if exists {} with (force)", name)
    if _exists(admin, "select 1 from pg_roles where rolname = %s", name):
        # It may have been granted things elsewhere; what it owned is gone with its database.
        _run(admin, "drop owned by {}", name)
        _run(admin, "drop role if exists {}", name)


def names(admin: Any) -> Sequence[str]:
    """Every database and role of a resource that the server has."""
    rows = admin.execute(
        "select datname from pg_database where left(datname, 3) = %(prefix)s "
        "union select rolname from pg_roles where left(rolname, 3) = %(prefix)s order by 1",
        {"prefix": PREFIX},
    )
    return [str(row[0]) for row in rows]


def rows(opened: Any) -> dict[str, int]:
    """How many rows the tables of the database have, the largest first and those without rows left out; counted up to
    1,000 each. A table that goes meanwhile holds nothing."""
    from psycopg import errors, sql

    tables = opened.execute(
        "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "where c.relkind = 'r' and n.nspname not like 'pg\\_%%' and n.nspname <> 'information_schema' "
        "and lower(c.relname) <> all(%s) and pg_relation_size(c.oid) > 0 "
        "order by pg_relation_size(c.oid) desc, 1, 2 limit %s",
        (sorted(BOOKKEEPING), MOST_TABLES),
    ).fetchall()
    counted = sql.SQL("select count(*) from (select 1 from {} limit {}) as held")
    found = {}
    for schema, name in tables:
        try:
            many = opened.execute(counted.format(sql.Identifier(schema, name), sql.Literal(MOST_ROWS))).fetchone()[0]
        except (errors.UndefinedTable, errors.InvalidSchemaName):
            continue
        if many:
            found[name if schema == "public" else f"{schema}.{name}"] = int(many)
    return found


def _exists(admin: Any, query: str, name: str) -> bool:
    return admin.execute(query, (name,)).fetchone() is not None


def _run(admin: Any, statement: str, name: str) -> None:
    from psycopg import sql

    admin.execute(sql.SQL(statement).format(sql.Identifier(name)))
