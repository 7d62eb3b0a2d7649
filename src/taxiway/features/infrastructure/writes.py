"""Writes that look first and insert then. On PostgreSQL two of them can meet: the later one looks again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from taxiway.core.context import Platform
from taxiway.core.store.database import Tx
from taxiway.model.errors import ConflictError

T = TypeVar("T")
ATTEMPTS = 3


def write_or_find(platform: Platform, work: Callable[[Tx], T]) -> T:
    """`store.write(work)`, again when another transaction inserted the same row meanwhile. `work` must look first."""
    for _ in range(ATTEMPTS - 1):
        try:
            return platform.store.write(work)
        except ConflictError:
            continue
    return platform.store.write(work)
