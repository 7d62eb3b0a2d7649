"""A store that could not be opened, for who can do without: ending a data folder's processes needs nothing stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection

from taxiway.core.store.database import Tx
from taxiway.model.errors import TaxiwayError

T = TypeVar("T")


@dataclass
class ClosedStore:
    """Implements `Store`; every use raises `reason`."""

    reason: TaxiwayError
    dialect: str = "closed"

    def write(self, work: Callable[[Tx], T]) -> T:
        raise self.reason

    def submit(self, work: Callable[[Tx], T]) -> Future[T]:
        future: Future[T] = Future()
        future.set_exception(self.reason)
        return future

    @contextmanager
    def read(self) -> Iterator[Connection]:
        raise self.reason
        yield

    def version(self) -> int | None:
        return None

    def trouble(self) -> str | None:
        return self.reason.detail

    def close(self) -> None:
        pass
