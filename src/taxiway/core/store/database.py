"""The store: short transactions on SQLite (one writer thread, group commit) or PostgreSQL, behind one small interface.

Services call `write(work)`; `work` gets a `Tx` and everything in it commits once, or not at all. Reads use `read()`.
Nothing may block inside a transaction: no subprocess, no HTTP, no waiting.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, make_url

from taxiway.kit.clock import Clock

T = TypeVar("T")


@dataclass
class Tx:
    """One transaction. `now` is the time of its start; callbacks of `after_commit` run once it is durable. `subjects`
    are those of the events that were appended in it."""

    conn: Connection
    now: int
    callbacks: list[Callable[[], None]] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call `callback` (short, never raising) after the commit; not at all when it is rolled back."""
        self.callbacks.append(callback)


class Store(Protocol):
    """What services know of the database."""

    dialect: str

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in a write transaction, commit, and return its result. What the context has to commit with its
        first write goes along. `work` may have to run again: it touches nothing but the transaction."""
        ...

    def submit(self, work: Callable[[Tx], T]) -> Future[T]:
        """Like `write`, without waiting: the future is done after the commit."""
        ...

    def read(self) -> Any:
        """Context manager that yields a read-only `Connection` with one consistent snapshot."""
        ...

    def trouble(self) -> str | None:
        """Why nothing can be written, as the last attempt found; None when it worked."""
        ...

    def version(self) -> int | None:
        """Cheap: a number that differs from an earlier one when anybody committed since, here or in another process;
        None where that cannot be told. Whoever looks again and again spares itself the looks in between."""
        ...

    def close(self) -> None: ...


def open_store(url: str, clock: Clock) -> Store:
    """The store behind a SQLAlchemy URL: `sqlite:////path/to/file` or `postgresql+psycopg://…`."""
    if make_url(url).get_backend_name() == "sqlite":
        from taxiway.core.store.sqlite import SqliteStore

        return SqliteStore(url, clock)
    from taxiway.core.store.postgres import PostgresStore

    return PostgresStore(url, clock)
