"""Whether anything was committed since one last asked."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from taxiway.core.store.watch import CommitWatch


def test_each_commit_of_another_connection_changes_the_version(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("CREATE TABLE t (seq INTEGER PRIMARY KEY)")
    watch = CommitWatch(f"sqlite:///{tmp_path / 'store.db'}")
    first = watch.version()
    assert (first is not None, watch.version()) == (True, first)
    assert watch.newest("t", "seq") == 0
    other.execute("INSERT INTO t VALUES (7)")
    assert watch.version() != first
    assert watch.newest("t", "seq") == 7
    other.execute("BEGIN")
    second = watch.version()
    other.execute("INSERT INTO t VALUES (8)")
    assert watch.version() == second
    other.execute("ROLLBACK")
    assert (watch.version(), watch.newest("t", "seq")) == (second, 7)
    watch.close()
    assert watch.newest("t", "seq") == 7


def test_nothing_can_be_told_of_other_databases(tmp_path: Path) -> None:
    assert CommitWatch("postgresql+psycopg://nobody@localhost/none").version() is None
    assert CommitWatch(f"sqlite:///{tmp_path / 'no' / 'store.db'}").version() is None
