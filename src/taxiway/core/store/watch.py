"""Whether anything was committed since one last asked, for a few microseconds instead of a query.

SQLite tells a connection when another one has committed, in this process or elsewhere. PostgreSQL has nothing alike:
there the answer is always "perhaps", and whoever wants to know about one table asks for its newest row.
"""

from __future__ import annotations

import sqlite3
import threading

from sqlalchemy import make_url

from taxiway.core.store.postgres_watch import PostgresQuestion


class CommitWatch:
    """Watches the store behind a URL over a connection of its own, which is opened at the first question."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        sqlite = parsed.get_backend_name() == "sqlite"
        self._path = parsed.database if sqlite else None
        self._question = None if sqlite else PostgresQuestion(parsed)
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def version(self) -> int | None:
        """A number that differs from the last one when somebody committed since; None when that cannot be told."""
        return self._number("PRAGMA data_version")

    def newest(self, table: str, column: str) -> int | None:
        """The largest `column` of `table`, 0 when it is empty; both are names from our own code, and the column is a
        primary key, so that this costs no more than a look, or on PostgreSQL one question. None where that cannot be
        told, or not at once."""
        statement = f'SELECT coalesce(max("{column}"), 0) FROM "{table}"'  # noqa: S608
        if self._question is None:
            return self._number(statement)
        with self._lock:
            return self._question.ask(statement)

    def _number(self, statement: str) -> int | None:
        if not self._path or self._path == ":memory:":
            return None
        try:
            with self._lock:
                if self._connection is None:
                    self._connection = sqlite3.connect(self._path, 0.05, isolation_level=None, check_same_thread=False)
                row = self._connection.execute(statement).fetchone()
        except sqlite3.Error:
            return None
        return int(row[0])

    def close(self) -> None:
        """Close the connection; a later question opens another one."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            if self._question is not None:
                self._question.close()
