"""Wake-ups inside one process, by topic, so that nobody has to poll for what happens here."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable


class Signals:
    """Calls listeners of a topic in the notifier's thread: a listener sets an event or a flag, and never blocks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[str, list[Callable[[], None]]] = {}

    def notify(self, topic: str) -> None:
        """Call every listener of `topic`."""
        for listener in tuple(self._listeners.get(topic, ())):
            listener()

    def listen(self, topic: str, listener: Callable[[], None]) -> Callable[[], None]:
        """Add a listener and return the function that removes it."""
        with self._lock:
            self._listeners.setdefault(topic, []).append(listener)

        def remove() -> None:
            with self._lock:
                there = self._listeners.get(topic, [])
                if listener in there:
                    there.remove(listener)
                if not there:
                    self._listeners.pop(topic, None)

        return remove


def waker(loop: asyncio.AbstractEventLoop, wake: asyncio.Event) -> Callable[[], None]:
    """A listener that sets `wake` in `loop`, from whatever thread; once the loop is closed it does nothing."""

    def listener() -> None:
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(wake.set)

    return listener
