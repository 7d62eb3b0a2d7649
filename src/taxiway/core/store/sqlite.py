"""The store on SQLite: one writer thread, group commit, and readers beside it. Opened by `database.open_store`."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from taxiway.core.store.companion import joined
from taxiway.core.store.database import Tx
from taxiway.core.store.trouble import READ_ONLY, DiskError, explain, first_cause
from taxiway.core.store.watch import CommitWatch
from taxiway.kit.clock import Clock
from taxiway.model.errors import InternalError, TaxiwayError, UnavailableError

T = TypeVar("T")
GROUP = 64
BUSY_SECONDS = 5
# Nobody maps the file: each connection would map it anew, and what it has read through the map counts as memory of the
# process. Reading from the system's cache instead costs a document 20 % more, and a search no more than before.
READER_MEMORY = ("cache_size=-4000", "mmap_size=0")
WRITER_MEMORY = ("cache_size=-48000", "mmap_size=0")


def _sqlite_engine(url: str, *, read_only: bool) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=1 if not read_only else 8,
        max_overflow=0 if not read_only else 24,
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS, "cached_statements": 256},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        # The driver must not begin transactions by itself: ours begin IMMEDIATE or read-only, by hand.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA page_size=8192")
        if not read_only:
            cursor.execute("PRAGMA journal_mode=WAL")
        for pragma in (
            "synchronous=FULL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            *(READER_MEMORY if read_only else WRITER_MEMORY),
        ):
            cursor.execute(f"PRAGMA {pragma}")
        if read_only:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if read_only:
            # It touches no file, so nothing of it needs to be explained; by SQLAlchemy it costs as much as a query.
            _driver_of(connection).execute("BEGIN")
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


class SqliteStore:
    """One writer thread takes queued units of work and commits up to 64 of them at once."""

    dialect = "sqlite"

    def __init__(self, url: str, clock: Clock) -> None:
        path = make_url(url).database
        self._folder = Path(path).parent if path and path != ":memory:" else None
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
        self._trouble: str | None = None
        self._clock = clock
        self._writer = _sqlite_engine(url, read_only=False)
        self._reader = _sqlite_engine(url, read_only=True)
        self._watch = CommitWatch(url)
        self._queue: queue.SimpleQueue[tuple[Callable[[Tx], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._closed = False
        try:
            with self._writer.connect():
                pass  # creates the file with its page size and WAL before a reader opens it
        except DBAPIError as error:
            raise explain(error, self._folder) from error
        self._thread = threading.Thread(target=self._loop, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Tx], T]) -> Future[T]:
        future: Future[T] = Future()
        if self._closed:
            future.set_exception(UnavailableError("Taxiway is shutting down: try again in a few seconds"))
        else:
            self._queue.put((work, future))
        return future

    def write(self, work: Callable[[Tx], T]) -> T:
        if threading.current_thread() is self._thread:
            raise InternalError("a transaction was begun inside another one")
        return self.submit(joined(work)).result()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        try:
            with self._reader.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise explain(error, self._folder) from error

    def trouble(self) -> str | None:
        return self._trouble

    def version(self) -> int | None:
        return self._watch.version()

    def close(self) -> None:
        self._closed = True
        self._queue.put(None)
        self._thread.join()
        self._watch.close()
        self._reader.dispose()
        self._writer.dispose()

    def _loop(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, stop = [first], False
            while len(batch) < GROUP and not self._queue.empty():
                item = self._queue.get()
                if item is None:
                    stop = True
                    break
                batch.append(item)
            self._commit(batch)
            if stop:
                return

    def _commit(self, batch: list[tuple[Callable[[Tx], Any], Future[Any]]]) -> None:
        """Nearly always all of a batch succeeds: it is tried without savepoints first. With one SQLite keeps a copy of
        each page that changes, and every statement walks through what is kept: a thousand entities in a store of
        200,000 cost twice the time. Work that is undone by another's failure runs again, as it may on PostgreSQL."""
        try:
            self._run(batch, guarded=False)
        except _UndoneError as undone:
            if len(batch) > 1 or isinstance(undone.cause, DBAPIError):
                self._run(batch, guarded=True)
            else:
                batch[0][1].set_exception(undone.cause)

    def _run(self, batch: list[tuple[Callable[[Tx], Any], Future[Any]]], *, guarded: bool) -> None:
        done: list[tuple[Future[Any], Any, list[Callable[[], None]]]] = []
        refused: list[tuple[Future[Any], BaseException]] = []
        cause: TaxiwayError | None = None
        try:
            with self._writer.begin() as connection:
                before = _changes(connection)
                for work, future in batch:
                    tx = Tx(connection, self._clock.now())
                    if not guarded:
                        done.append((future, _unguarded(work, tx), tx.callbacks))
                        continue
                    savepoint = connection.begin_nested()
                    try:
                        result = work(tx)
                        savepoint.commit()
                        done.append((future, result, tx.callbacks))
                    except DBAPIError as error:
                        reason = explain(error, self._folder)
                        cause = reason if isinstance(reason, DiskError) else None
                        savepoint.rollback()
                        refused.append((future, reason))
                    except BaseException as error:
                        savepoint.rollback()
                        refused.append((future, error))
                is_written = _changes(connection) != before
        except _UndoneError:
            raise
        except Exception as error:
            self._failed(batch, first_cause(cause, error, self._folder))
            return
        if is_written:
            self._trouble = None
        # Only now: they may have been refused because of work before them in the batch, which might have been undone.
        for future, refusal in refused:
            future.set_exception(refusal)
        for future, result, callbacks in done:
            for callback in callbacks:
                callback()
            future.set_result(result)

    def _failed(self, batch: list[tuple[Callable[[Tx], Any], Future[Any]]], reason: TaxiwayError) -> None:
        """Nothing of the batch was written. This thread goes on: the next batch may find the disk well again."""
        if isinstance(reason, DiskError):
            self._trouble = reason.detail
            if reason.detail == READ_ONLY:
                # A connection that was opened meanwhile would stay read-only.
                self._writer.dispose()
        for _, future in batch:
            if not future.done():
                future.set_exception(reason)


class _UndoneError(Exception):
    """Work failed, and everything in its transaction was undone."""

    def __init__(self, cause: BaseException) -> None:
        self.cause = cause


def _unguarded(work: Callable[[Tx], Any], tx: Tx) -> Any:
    try:
        return work(tx)
    except BaseException as error:
        raise _UndoneError(error) from error


def _changes(connection: Connection) -> int:
    """Rows that the connection has changed so far: a commit without any proves nothing about the disk."""
    return int(_driver_of(connection).total_changes)


def _driver_of(connection: Connection) -> Any:
    driver = connection.connection.driver_connection
    assert driver is not None, "a connection in use has its driver's"
    return driver
