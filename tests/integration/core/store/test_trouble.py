"""A transaction that SQLite ends by itself: all of its batch are told why, and the next one works."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import OperationalError

from factories.platform import fresh_store
from taxiway.core.store import trouble
from taxiway.core.store.database import Store, Tx
from taxiway.core.store.tables import event_cursor as table
from taxiway.core.store.trouble import DiskError
from taxiway.model.errors import InputError, NotFoundError, UnavailableError


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = fresh_store(f"sqlite:///{tmp_path / 's.db'}", tmp_path)
    yield made
    made.close()


def add(tx: Tx, name: str) -> None:
    tx.conn.execute(insert(table).values(subscriber=name, seq=0))


def disk_is_full(tx: Tx) -> None:
    # What SQLite does when it finds no room in the middle of a transaction.
    add(tx, "lost")
    tx.conn.connection.rollback()
    raise OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))


def test_a_full_disk_is_the_reason_and_not_what_is_stumbled_over_after_it(store: Store) -> None:
    assert store.trouble() is None
    with pytest.raises(UnavailableError, match="free space"):
        store.write(disk_is_full)
    assert "free space" in (store.trouble() or "")
    store.write(lambda tx: tx.conn.execute(select(table)).all())
    assert store.trouble() is not None, "a commit without a change proves nothing"
    store.write(lambda tx: add(tx, "kept"))
    assert store.trouble() is None
    with store.read() as conn:
        assert list(conn.execute(select(table.c.subscriber)).scalars()) == ["kept"]


def test_nobody_is_refused_for_what_was_then_undone(store: Store) -> None:
    begun = threading.Event()

    def refused(tx: Tx) -> None:
        if tx.conn.execute(select(table)).all():
            raise NotFoundError("it is taken")

    # The three wait behind the first (or with it) and share a transaction, which the last one loses.
    store.submit(lambda tx: begun.wait(5))
    futures = [store.submit(work) for work in (lambda tx: add(tx, "other"), refused, disk_is_full)]
    begun.set()
    for future in futures:
        assert isinstance(future.exception(5), DiskError)
    store.write(refused)


@pytest.mark.parametrize(
    ("number", "said"), [(errno.EROFS, "make it writable"), (errno.ENOSPC, "free space"), (errno.EIO, "dmesg")]
)
def test_an_error_without_a_cause_is_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    def refused(*arguments: object) -> int:
        raise OSError(number, os.strerror(number))

    error = OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))
    assert trouble.explain(error, tmp_path).detail == trouble.UNKNOWN
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(os, "write", refused)
    assert said in trouble.explain(error, tmp_path).detail


def test_a_nul_character_is_the_senders_fault_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    made = fresh_store(postgres_url, tmp_path)
    with pytest.raises(InputError, match="NUL"), made.read() as conn:
        conn.execute(select(table).where(table.c.subscriber == "a\0b"))
    with pytest.raises(InputError, match="NUL"):
        made.write(lambda tx: add(tx, "a\0b"))
    made.write(lambda tx: add(tx, "good"))
    made.close()
