"""Tells the catalog that something was pushed: the first change at once, and then at most every few seconds, so that a
provider's first ten thousand pushes are read a few times and not ten thousand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from taxiway.model.event import EventDraft
from taxiway.plugin import Clock

CHANGED = "dev.taxiway.source.changed.v1"
PAUSE_SECONDS = 1.0
Later = Callable[[float, Callable[[], None]], Any]


def in_a_thread(seconds: float, call: Callable[[], None]) -> None:
    """Call it later, unless the process ends before."""
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()


class Announcer:
    """Safe to call from any thread. What is not told because the process ends is read at the source's next turn."""

    def __init__(self, emit: Callable[[EventDraft], None], clock: Clock, later: Later = in_a_thread) -> None:
        self._emit, self._clock, self._later = emit, clock, later
        self._lock = threading.Lock()
        self._told_at: float | None = None
        self._is_waiting = False

    def changed(self) -> None:
        """Something was pushed."""
        with self._lock:
            if self._is_waiting:
                return
            now = self._clock.monotonic()
            rest = 0.0 if self._told_at is None else self._told_at + PAUSE_SECONDS - now
            if rest > 0:
                self._is_waiting = True
                self._later(rest, self._tell)
                return
            self._told_at = now
        self._tell()

    def _tell(self) -> None:
        with self._lock:
            self._is_waiting = False
            self._told_at = self._clock.monotonic()
        self._emit(EventDraft(CHANGED, "catalog-source-type:scim", {"type": "scim"}))
