"""Whether anything was committed since one last asked, for a few microseconds instead of a query.

SQLite tells a connection when another one has committed, in this process or elsewhere. PostgreSQL has nothing alike:
there the answer is always "perhaps".
"""

from __future__ import annotations

import sqlite3
import threading

from sqlalchemy import make_url


class CommitWatch:
    """Watches the store behind a URL over a connection of its own, which is opened at the first question."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self._path = parsed.database if parsed.get_backend_name() == "sqlite" else None
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def version(self) -> int | None:
        """A number that differs from the last one when somebody committed since; None when that cannot be told."""
        if not self._path or self._path == ":memory:":
            return None
        try:
            with self._lock:
                if self._connection is None:
                    self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
                row = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            return None
        return int(row[0])

    def close(self) -> None:
        """Close the connection; a later question opens another one."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
