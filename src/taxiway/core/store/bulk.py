"""Inserts of many rows of plain values, without a statement's cost for each: tuples go to the driver as they are.

A thousand rows go in with one statement. Row by row SQLite's driver lets go of the interpreter's lock at each of them,
and waits up to 5 ms to get it back when another thread has something to do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import orjson
from sqlalchemy import Connection, Table, TableClause
from sqlalchemy.exc import DBAPIError

COPY_FROM = 50
"""Fewer rows are inserted on PostgreSQL; from here on COPY is cheaper."""
PARAMETERS = 30_000
"""Of one statement; SQLite takes 32,766, PostgreSQL 65,535."""
SIZES = (1000, 100, 10, 1)
"""Rows of one statement; more are not faster. Few sizes, because a driver keeps each statement, with what it was given
last: one of every size would take 60 MB."""


def insert_rows(
    conn: Connection, table: TableClause, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], *, tail: str = ""
) -> None:
    """Insert `rows`, given in the order of `columns`. `tail` stands behind the values: what to do on a conflict."""
    if not rows:
        return
    names = ", ".join(f'"{name}"' for name in columns)
    postgresql = conn.dialect.name == "postgresql"
    if postgresql and len(rows) >= COPY_FROM and not tail:
        _copy(conn, f'COPY "{table.name}" ({names}) FROM STDIN', rows)
        return
    marks = "(" + ", ".join(["%s" if postgresql else "?"] * len(columns)) + ")"
    head = f'INSERT INTO "{table.name}" ({names}) VALUES '  # noqa: S608  names of our own tables
    for some in in_sizes(rows):
        conn.exec_driver_sql(f"{head}{', '.join([marks] * len(some))} {tail}", tuple(chain.from_iterable(some)))


def in_sizes(rows: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    """`rows` in pieces of a few sizes, for statements that are written anew for each number of rows."""
    first, width = 0, len(rows[0]) if rows else 1
    for size in SIZES:
        while len(rows) - first >= size and size * width <= PARAMETERS:
            yield rows[first : first + size]
            first += size


def insert_pairs(
    conn: Connection, table: Table, columns: tuple[str, str], by_second: Mapping[int, Collection[int]]
) -> None:
    """Insert pairs of numbers below 2^31 and 2^32 on SQLite, given as second → firsts, in the order of the table, which
    is filled faster that way, and in one go, without waiting for the interpreter at each row."""
    rows = [first << 32 | second for second, firsts in by_second.items() for first in firsts]
    if not rows:
        return
    rows.sort()
    statement = (
        f'INSERT INTO "{table.name}" ("{columns[0]}", "{columns[1]}")'  # noqa: S608  names of our own tables
        " SELECT value >> 32, value & 4294967295 FROM json_each(?)"
    )
    conn.exec_driver_sql(statement, (orjson.dumps(rows).decode(),))


def _copy(conn: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    driver: Any = conn.connection.driver_connection
    errors: Any = conn.dialect.loaded_dbapi.Error
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except errors as error:
        # Past SQLAlchemy nobody turns it into what the store explains, and runs again where a race was lost.
        raise DBAPIError.instance(statement, None, error, errors) from error
