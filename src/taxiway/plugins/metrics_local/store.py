"""A SQLite file of its own with one row per service and look, kept for 24 hours. All SQL of the plugin.

Rows hold increases, not totals, so that rows of any stretch of time can simply be added. Losing the last second in a
power cut is fine: nothing waits for the disk.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SCHEMA = """
create table if not exists service (
  id integer primary key, environment text not null, name text not null, unique (environment, name));
create table if not exists look (
  service_id integer not null, at integer not null, seconds real not null,
  requests real, errors real, buckets text, cpu real, memory real,
  primary key (service_id, at)) without rowid;
"""


@dataclass(frozen=True)
class Look:
    """All instances of a service together. `seconds` is the time that `requests`, `errors` and `buckets` cover;
    `requests` None: not measured. Buckets are cumulative counts by upper bound in seconds. Memory in bytes."""

    at: int
    seconds: float
    requests: float | None = None
    errors: float | None = None
    buckets: Mapping[float, float] = field(default_factory=dict)
    cpu: float | None = None
    memory: float | None = None


class LookStore:
    """Safe to use from threads, and from several processes at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def add(self, environment: str, service: str, look: Look) -> None:
        """Store one look; another at the same instant replaces it."""
        values = (look.at, look.seconds, look.requests, look.errors, _write(look.buckets), look.cpu, look.memory)
        with self._lock:
            connection = self._open()
            with connection:
                number = self._number(connection, environment, service)
                connection.execute("insert or replace into look values (?, ?, ?, ?, ?, ?, ?, ?)", (number, *values))

    def read(self, environment: str, service: str, since: int) -> Sequence[Look]:
        """The looks at and after `since`, oldest first."""
        query = (
            "select at, seconds, requests, errors, buckets, cpu, memory from look where at >= ? and service_id = "
            "(select id from service where environment = ? and name = ?) order by at"
        )
        with self._lock:
            rows = self._open().execute(query, (since, environment, service)).fetchall()
        return [
            Look(at, seconds, requests, errors, _read(buckets), cpu, memory)
            for at, seconds, requests, errors, buckets, cpu, memory in rows
        ]

    def prune(self, before: int, most_rows: int) -> None:
        """Forget looks before `before`, services without any, and the oldest looks above `most_rows`."""
        with self._lock:
            connection = self._open()
            with connection:
                connection.execute("delete from look where at < ?", (before,))
                rows = connection.execute("select count(*) from look").fetchone()[0]
                if rows > most_rows:
                    edge = connection.execute(
                        "select at from look order by at limit 1 offset ?", (rows - most_rows,)
                    ).fetchone()[0]
                    connection.execute("delete from look where at < ?", (edge,))
                connection.execute("delete from service where id not in (select service_id from look)")

    def close(self) -> None:
        """Close the file; it opens again when it is used."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(self._path, timeout=5, check_same_thread=False)
            try:
                connection.execute("pragma journal_mode = wal")
                connection.execute("pragma synchronous = normal")
                connection.execute("pragma journal_size_limit = 4000000")
                connection.executescript(SCHEMA)
            except sqlite3.DatabaseError:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    @staticmethod
    def _number(connection: sqlite3.Connection, environment: str, service: str) -> int:
        connection.execute("insert or ignore into service (environment, name) values (?, ?)", (environment, service))
        row = connection.execute("select id from service where environment = ? and name = ?", (environment, service))
        return int(row.fetchone()[0])


def _write(buckets: Mapping[float, float]) -> str | None:
    if not any(buckets.values()):
        return None
    return json.dumps([[str(bound), count] for bound, count in sorted(buckets.items())], separators=(",", ":"))


def _read(text: str | None) -> Mapping[float, float]:
    return {float(bound): count for bound, count in json.loads(text)} if text else {}
