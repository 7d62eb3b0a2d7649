"""The store on PostgreSQL: what was lost to another transaction runs again. Opened by `database.open_store`."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.exc import DBAPIError

from taxiway.core.store.companion import joined
from taxiway.core.store.database import Tx
from taxiway.core.store.trouble import LOST_RACES, explain
from taxiway.kit.backoff import backoff_seconds
from taxiway.kit.clock import Clock

T = TypeVar("T")
ATTEMPTS = 5
OPTIONS = "-c idle_in_transaction_session_timeout=60000 -c plan_cache_mode=force_custom_plan"


class PostgresStore:
    """Transactions run in the caller's thread on a pooled connection."""

    dialect = "postgresql"

    def __init__(self, url: str, clock: Clock) -> None:
        if make_url(url).drivername == "postgresql":
            url = url.replace("postgresql://", "postgresql+psycopg://", 1)
        self._clock = clock
        self._engine = create_engine(
            url,
            pool_size=5,
            max_overflow=10,
            pool_pre_ping=True,
            pool_recycle=1800,
            # A plan that was made while a table was small must not be kept: the catalog grows under it.
            connect_args={"options": OPTIONS},
        )

    def write(self, work: Callable[[Tx], T]) -> T:
        work = joined(work)
        for attempt in range(1, ATTEMPTS):
            try:
                return self._once(work)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in LOST_RACES:
                    raise explain(error) from error
            time.sleep(secrets.randbelow(1000) / 1000 * backoff_seconds(attempt, first=0.02))
        try:
            return self._once(work)
        except DBAPIError as error:
            raise explain(error) from error

    def _once(self, work: Callable[[Tx], T]) -> T:
        with self._engine.begin() as connection:
            tx = Tx(connection, self._clock.now())
            result = work(tx)
        for callback in tx.callbacks:
            callback()
        return result

    def submit(self, work: Callable[[Tx], T]) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(self.write(work))
        except BaseException as error:
            future.set_exception(error)
        return future

    @contextmanager
    def read(self) -> Iterator[Connection]:
        try:
            with self._engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
                yield connection
        except DBAPIError as error:
            raise explain(error) from error

    def version(self) -> int | None:
        return None

    def trouble(self) -> str | None:
        return None  # who cannot write here cannot read either, and readiness reads

    def close(self) -> None:
        self._engine.dispose()
