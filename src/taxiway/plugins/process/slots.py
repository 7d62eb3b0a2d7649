"""A thread for each slot while there is something to do: no two work on one slot, and nobody waits for another's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from taxiway.plugin import Logger


class Slots:
    """`settle(slot)` makes a slot as it should be; `failed(slot)` is told when that raised; `is_over()` ends all."""

    def __init__(
        self,
        name: str,
        settle: Callable[[str], None],
        failed: Callable[[str], None],
        is_over: Callable[[], bool],
        log: Logger,
    ) -> None:
        self._name, self._settle, self._failed, self._is_over, self._log = name, settle, failed, is_over, log
        self._lock = threading.Lock()
        self._threads: dict[str, threading.Thread] = {}
        self._dirty: set[str] = set()

    def wake(self, slot: str) -> None:
        """Look at the slot soon. Never blocks."""
        if self._is_over():
            return
        with self._lock:
            self._dirty.add(slot)
            if slot not in self._threads:
                thread = threading.Thread(target=self._work, args=(slot,), name=f"{self._name}-{slot}", daemon=True)
                self._threads[slot] = thread
                thread.start()

    def wait(self, slot: str, seconds: float) -> bool:
        """Whether nothing is left to do for the slot, within `seconds`."""
        with self._lock:
            thread = self._threads.get(slot)
        if thread is not None:
            thread.join(seconds)
        return thread is None or not thread.is_alive()

    def join(self, seconds: float) -> None:
        """Wait for all of them, `seconds` at most."""
        deadline = time.monotonic() + seconds
        for thread in list(self._threads.values()):
            thread.join(max(0.0, deadline - time.monotonic()))

    def _work(self, slot: str) -> None:
        while True:
            with self._lock:
                if slot not in self._dirty or self._is_over():
                    self._threads.pop(slot, None)
                    return
                self._dirty.discard(slot)
            try:
                self._settle(slot)
            except Exception as error:
                # A thread that ends by an exception would take the reason with it; the next turn tries again.
                self._log.exception("process.slot_failed", slot=slot, error=repr(error))
                self._failed(slot)
