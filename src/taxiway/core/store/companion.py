"""What commits together with the first write of an operation. The store asks here in each `write` of a context.

`core/http` binds the idempotency key of a request. Without one this costs one look at a context variable. Writes that
only prepare, and may be repeated, are made `apart`: plugins' records are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Companion(Protocol):
    """Something that goes into a transaction of its context, at most once."""

    def join(self, work: Callable[[Any], T]) -> Callable[[Any], T]:
        """`work` with what must commit with it, or `work` itself once that is done. May be called again for a
        transaction that did not commit."""
        ...


_bound: ContextVar[Companion | None] = ContextVar("taxiway.store.companion", default=None)


@contextmanager
def accompanied(companion: Companion) -> Iterator[None]:
    """Within this context (and threads that copy it) the first write takes `companion` along."""
    before = _bound.set(companion)
    try:
        yield
    finally:
        _bound.reset(before)


@contextmanager
def apart() -> Iterator[None]:
    """Within this context writes take nobody along."""
    before = _bound.set(None)
    try:
        yield
    finally:
        _bound.reset(before)


def joined(work: Callable[[Any], T]) -> Callable[[Any], T]:
    """`work`, with the context's companion if it has one."""
    companion = _bound.get()
    return work if companion is None else companion.join(work)
