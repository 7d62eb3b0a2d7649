"""What plans have rendered, kept in memory for a while: the run of a plan makes these very files, and need not again.

An entry is found by the digest of everything that its render depends on. The run takes it out; what no run asked for
goes after some minutes, or when there is too much. Renders of runs are not kept: they may hold secrets, plans do not.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b

KEPT_SECONDS = 600.0
MOST_CHARACTERS = 8 * 1024 * 1024
Files = list[tuple[str, str | None]]


class PlannedRenders:
    """Safe to use from many threads. `now` gives seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._lock = now, threading.Lock()
        self._kept: OrderedDict[bytes, tuple[float, int, Files]] = OrderedDict()
        self._size = 0

    def find(self, request: bytes, *, is_plan: bool) -> Files | None:
        """The answer to a request that a plan made. A plan leaves it for the run, and a run takes it out."""
        key = _key(request)
        with self._lock:
            self._expire()
            found = self._kept.get(key)
            if found is None:
                return None
            if not is_plan:
                self._drop(key)
            return found[2]

    def keep(self, request: bytes, files: Files) -> None:
        """Keep what a plan has rendered, and let go of the oldest where it is too much."""
        key, size = _key(request), sum(len(path) + len(text or "") for path, text in files)
        if size > MOST_CHARACTERS:
            return
        with self._lock:
            if key in self._kept:
                self._drop(key)
            self._kept[key] = self._now(), size, files
            self._size += size
            while self._size > MOST_CHARACTERS:
                self._drop(next(iter(self._kept)))

    def _expire(self) -> None:
        limit = self._now() - KEPT_SECONDS
        while self._kept and next(iter(self._kept.values()))[0] < limit:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: bytes) -> None:
        self._size -= self._kept.pop(key)[1]


def _key(request: bytes) -> bytes:
    return blake2b(request, digest_size=16).digest()
