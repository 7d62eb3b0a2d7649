"""PostgreSQL ends one of two transactions that get in each other's way: it is run again, and nobody notices."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update

from factories.platform import fresh_store
from taxiway.core.store.companion import accompanied
from taxiway.core.store.database import Store, Tx
from taxiway.core.store.postgres import ATTEMPTS
from taxiway.core.store.tables import event_cursor as table
from taxiway.model.errors import UnavailableError


@pytest.fixture
def store(postgres_url: str, tmp_path: Path) -> Iterator[Store]:
    opened = fresh_store(postgres_url, tmp_path)
    opened.write(lambda tx: tx.conn.execute(insert(table), [{"subscriber": name, "seq": 0} for name in "ab"]))
    yield opened
    opened.close()


def add(tx: Tx, name: str) -> None:
    tx.conn.execute(update(table).where(table.c.subscriber == name).values(seq=table.c.seq + 1))


def totals(store: Store) -> dict[str, int]:
    with store.read() as conn:
        return {row.subscriber: row.seq for row in conn.execute(select(table))}


def test_two_that_lock_each_other_out_both_commit_once(store: Store) -> None:
    barrier, commits, attempts = threading.Barrier(2), [], []

    def crossing(first: str, second: str) -> Callable[[Tx], str]:
        tries = 0

        def work(tx: Tx) -> str:
            nonlocal tries
            tries += 1
            attempts.append(first)
            tx.after_commit(lambda: commits.append(first))
            add(tx, first)
            if tries == 1:
                barrier.wait(10)
            add(tx, second)
            return first

        return work

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(store.write, [crossing("a", "b"), crossing("b", "a")]))
    assert done == ["a", "b"]
    assert totals(store) == {"a": 2, "b": 2}
    assert sorted(commits) == ["a", "b"]
    assert len(attempts) == 3


def test_a_serialization_failure_is_run_again(store: Store) -> None:
    tries = 0

    def work(tx: Tx) -> None:
        nonlocal tries
        tries += 1
        tx.conn.execute(text("set transaction isolation level repeatable read"))
        tx.conn.execute(select(table)).all()
        if tries == 1:
            with ThreadPoolExecutor(1) as other:
                other.submit(store.write, lambda inner: add(inner, "a")).result()
        add(tx, "a")

    store.write(work)
    assert (tries, totals(store)["a"]) == (2, 2)


def test_one_that_always_loses_says_so(store: Store) -> None:
    tries = 0

    def work(tx: Tx) -> None:
        nonlocal tries
        tries += 1
        tx.conn.execute(text("do $$ begin raise exception using errcode = '40001'; end $$"))

    with pytest.raises(UnavailableError, match="kept coming first"):
        store.write(work)
    assert tries == ATTEMPTS


def test_what_goes_along_is_run_again_too(store: Store) -> None:
    joins: list[int] = []

    class Companion:
        def join(self, work: Callable[[Tx], object]) -> Callable[[Tx], object]:
            def both(tx: Tx) -> object:
                joins.append(1)
                return work(tx)

            return both

    def work(tx: Tx) -> None:
        if len(joins) == 1:
            tx.conn.execute(text("do $$ begin raise exception using errcode = '40P01'; end $$"))

    with accompanied(Companion()):
        store.write(work)
    assert len(joins) == 2
