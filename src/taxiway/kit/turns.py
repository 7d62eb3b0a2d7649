"""Who works on the same thing in one process takes turns."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """A lock for each key, as long as somebody holds it or waits for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_key: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def of(self, key: str, seconds: float, most: int | None = None) -> Iterator[bool]:
        """Wait for the turn, so long at most, and not where so many others are before; whether it came."""
        with self._lock:
            lock, count = self._by_key.get(key, (threading.Lock(), 0))
            self._by_key[key] = lock, count + 1
        came = (most is None or count < most) and lock.acquire(timeout=seconds)
        try:
            yield came
        finally:
            if came:
                lock.release()
            with self._lock:
                lock, count = self._by_key[key]
                if count > 1:
                    self._by_key[key] = lock, count - 1
                else:
                    del self._by_key[key]
