"""PostgreSQL tells the event loop about its newest row: never an old one, and never by keeping it waiting."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest

from taxiway.core.store import postgres_watch
from taxiway.core.store.watch import CommitWatch

Other = psycopg.Connection[tuple[int]]
SECONDS = 10


def told(watch: CommitWatch) -> int:
    """What it says once it says something: the first question only opens a connection."""
    end = time.monotonic() + SECONDS
    while (found := watch.newest("t", "seq")) is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    return found


@pytest.fixture
def other(empty_postgres_url: str) -> Iterator[Other]:
    with psycopg.connect(empty_postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (seq bigint PRIMARY KEY)")
        yield connection


def test_each_commit_is_told_and_nothing_else(empty_postgres_url: str, other: Other) -> None:
    watch = CommitWatch(empty_postgres_url)
    assert (told(watch), watch.version()) == (0, None)
    for number in (7, 8):
        other.execute("INSERT INTO t VALUES (%s)", (number,))
        assert watch.newest("t", "seq") == number
    with other.transaction(force_rollback=True):
        other.execute("INSERT INTO t VALUES (9)")
        assert watch.newest("t", "seq") == 8
    watch.close()
    assert told(watch) == 8
    watch.close()


def test_a_server_that_hangs_is_waited_for_once_and_its_late_answer_is_none(
    empty_postgres_url: str, other: Other
) -> None:
    watch = CommitWatch(empty_postgres_url)
    assert told(watch) == 0
    with other.transaction():
        other.execute("LOCK TABLE t")
        begin = time.monotonic()
        assert [watch.newest("t", "seq") for _ in range(100)] == [None] * 100
        assert time.monotonic() - begin < 20 * postgres_watch.WAIT_SECONDS
    other.execute("INSERT INTO t VALUES (9)")
    assert told(watch) == 9
    watch.close()


def test_another_connection_is_made_when_one_is_lost(
    empty_postgres_url: str, other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_watch, "AGAIN_SECONDS", 0.0)
    watch = CommitWatch(empty_postgres_url)
    assert told(watch) == 0
    other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT coalesce%'")
    other.execute("INSERT INTO t VALUES (3)")
    assert told(watch) == 3
    watch.close()
