"""Work that is committed together: a failure costs its own work only, and the rest of it runs again."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from taxiway.core.store.database import Tx, open_store
from taxiway.kit.clock import SystemClock
from taxiway.model.errors import ConflictError


def test_a_failure_undoes_only_its_own_work(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/s.db", SystemClock())
    store.write(lambda tx: tx.conn.execute(text("CREATE TABLE t (n INTEGER PRIMARY KEY)")) and None)
    told: list[int] = []

    def put(tx: Tx, number: int, *, fails: bool = False) -> int:
        tx.conn.execute(text("INSERT INTO t VALUES (:n)"), {"n": number})
        tx.after_commit(lambda: told.append(number))
        if fails:
            raise ConflictError("not today")
        return number

    gate = threading.Event()
    try:
        held = store.submit(lambda tx: gate.wait(10) and None)
        works = [store.submit(lambda tx, n=n: put(tx, n, fails=n == 2)) for n in range(4)]
        twice = store.submit(lambda tx: put(tx, 3))
        gate.set()
        held.result()
        assert [works[n].result() for n in (0, 1, 3)] == [0, 1, 3]
        for failed in (works[2], twice):
            with pytest.raises(Exception, match=r"not today|exists already"):
                failed.result()
        with store.read() as conn:
            assert list(conn.scalars(text("SELECT n FROM t ORDER BY n"))) == [0, 1, 3]
        assert told == [0, 1, 3]
        with pytest.raises(ConflictError):
            store.write(lambda tx: put(tx, 7, fails=True))
        assert store.write(lambda tx: put(tx, 8)) == 8
    finally:
        store.close()
