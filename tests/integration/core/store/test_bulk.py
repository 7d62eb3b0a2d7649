"""Rows that go in by the thousand are all there, whatever they hold, and conflicts end as the caller said."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, Text, func, select

from taxiway.core.store.bulk import COPY_FROM, insert_rows
from taxiway.core.store.database import Tx, open_store
from taxiway.kit.clock import SystemClock
from taxiway.model.errors import ConflictError, InputError

THINGS = Table(
    "thing",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("word", Text),
    Column("packed", LargeBinary),
    Column("uses", Integer, nullable=False),
)


def test_rows_of_several_statements_are_all_stored(database_url: str, tmp_path: Path) -> None:
    store = open_store(database_url, SystemClock())
    columns = ("id", "word", "packed", "uses")
    count = 2_127
    rows = [
        (number, None if number % 3 else f"w\n'{number}' é", bytes((number % 256, 0)), 1) for number in range(count)
    ]

    def work(tx: Tx) -> None:
        THINGS.create(tx.conn)
        insert_rows(tx.conn, THINGS, columns, rows)
        more = "ON CONFLICT (id) DO UPDATE SET uses = thing.uses + excluded.uses"
        insert_rows(tx.conn, THINGS, columns, [(5, None, b"", 2), (count, None, b"", 2)], tail=more)

    try:
        store.write(work)
        with store.read() as conn:
            assert conn.execute(select(THINGS).where(THINGS.c.id == 1002)).one() == (1002, "w\n'1002' é", b"\xea\0", 1)
            assert conn.execute(select(func.count(), func.sum(THINGS.c.uses))).one() == (count + 1, count + 4)
            assert conn.execute(select(THINGS.c.uses).where(THINGS.c.id == 5)).scalar_one() == 3
        with pytest.raises(ConflictError, match="exists already"):
            store.write(lambda tx: insert_rows(tx.conn, THINGS, columns, rows[-COPY_FROM:]))
        if store.dialect == "postgresql":
            odd = [(count + number, "\0", b"", 1) for number in range(1, COPY_FROM + 1)]
            with pytest.raises(InputError, match="NUL"):
                store.write(lambda tx: insert_rows(tx.conn, THINGS, columns, odd))
    finally:
        store.write(lambda tx: THINGS.drop(tx.conn))
        store.close()
