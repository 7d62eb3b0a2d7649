"""Inserts of many rows of plain values, without a statement's cost for each: tuples go to the driver as they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Table

COPY_FROM = 50
"""Fewer rows are inserted on PostgreSQL; from here on COPY is cheaper."""


def insert_rows(
    conn: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], *, ignore: bool = False
) -> None:
    """Insert `rows`, given in the order of `columns`. `ignore` leaves out rows that are there already."""
    if not rows:
        return
    names = ", ".join(f'"{name}"' for name in columns)
    if conn.dialect.name == "postgresql":
        if len(rows) >= COPY_FROM and not ignore:
            _copy(conn, f'COPY "{table.name}" ({names}) FROM STDIN', rows)
            return
        marks, tail = ", ".join(["%s"] * len(columns)), " ON CONFLICT DO NOTHING" if ignore else ""
    else:
        marks, tail = ", ".join("?" * len(columns)), " ON CONFLICT DO NOTHING" if ignore else ""
    statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks}){tail}'  # noqa: S608  names of our own tables
    conn.exec_driver_sql(statement, list(rows))


def insert_pairs(
    conn: Connection, table: Table, columns: tuple[str, str], by_second: Mapping[int, Collection[int]]
) -> None:
    """Insert pairs of numbers below 2^31 and 2^32, given as second → firsts, in the order of the table, which SQLite
    fills faster that way, and in one go, without waiting for the interpreter at each row."""
    rows = [first << 32 | second for second, firsts in by_second.items() for first in firsts]
    rows.sort()
    if conn.dialect.name == "postgresql" or not rows:
        insert_rows(conn, table, columns, [(row >> 32, row & 0xFFFFFFFF) for row in rows])
        return
    statement = (
        f'INSERT INTO "{table.name}" ("{columns[0]}", "{columns[1]}")'  # noqa: S608  names of our own tables
        " SELECT value >> 32, value & 4294967295 FROM json_each(?)"
    )
    conn.exec_driver_sql(statement, (orjson.dumps(rows).decode(),))


def _copy(conn: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    driver: Any = conn.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
