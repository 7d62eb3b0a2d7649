"""Work that repeats: a function under a name, every so many seconds, once for the whole installation.

The row in `schedule` decides who does it: whoever moves `next_at` forward has taken this turn. Turns that nobody was
there for are not made up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from taxiway.core.store.database import Store, Tx
from taxiway.core.store.tables import schedule
from taxiway.core.store.upsert import upsert
from taxiway.kit.clock import MICROSECONDS, Clock
from taxiway.model.errors import TaxiwayError
from taxiway.plugin import Logger

LONGEST_REST_SECONDS = 5.0


@dataclass(frozen=True)
class _Entry:
    every_seconds: int
    work: Callable[[], object]


class Schedules:
    """Register before the worker starts."""

    def __init__(self, store: Store, clock: Clock, log: Logger) -> None:
        self._store, self._clock, self._log = store, clock, log
        self._entries: dict[str, _Entry] = {}
        self._busy: set[str] = set()
        self._rows: Sequence[Any] = ()
        self._read_at: int | None = None

    def register(self, name: str, every_seconds: int, work: Callable[[], object]) -> None:
        """Call `work` every `every_seconds`, for the first time after this span."""
        self._entries[name] = _Entry(every_seconds, work)

    def run(self, stop: threading.Event) -> None:
        """Until `stop`."""
        self.prepare()
        while not stop.wait(self._rest()):
            try:
                for name in self.due():
                    self._begin(name)
            except TaxiwayError as error:
                self._log.warning("schedules cannot be read now", error=error.detail)

    def prepare(self) -> None:
        """Write the rows of what was registered."""

        def work(tx: Tx) -> None:
            for name, entry in self._entries.items():
                first = tx.now + entry.every_seconds * MICROSECONDS
                row = upsert(tx.conn, schedule).values(
                    name=name, every_seconds=entry.every_seconds, next_at=first, enabled=True
                )
                tx.conn.execute(row.on_conflict_do_nothing())
                changed = (schedule.c.name == name, schedule.c.every_seconds != entry.every_seconds)
                values = {"every_seconds": entry.every_seconds, "next_at": first}
                tx.conn.execute(update(schedule).where(*changed).values(**values))

        self._store.write(work)

    def due(self) -> list[str]:
        """The names whose turn this process took just now."""
        now, version = self._clock.now(), self._store.version()
        if version is None or version != self._read_at:
            with self._store.read() as conn:
                self._rows = conn.execute(select(schedule).where(schedule.c.enabled)).all()
            self._read_at = version
        known = [row for row in self._rows if row.name in self._entries and row.name not in self._busy]
        return [row.name for row in known if _is_due(row, now) and self._take(row.name, row.next_at)]

    def _take(self, name: str, seen: int) -> bool:
        def work(tx: Tx) -> bool:
            unchanged = (schedule.c.name == name, schedule.c.next_at == seen)
            after = tx.now + self._entries[name].every_seconds * MICROSECONDS
            return bool(tx.conn.execute(update(schedule).where(*unchanged).values(next_at=after)).rowcount)

        return self._store.write(work)

    def _begin(self, name: str) -> None:
        self._busy.add(name)
        threading.Thread(target=self._call, args=(name,), name=f"schedule-{name}", daemon=True).start()

    def _call(self, name: str) -> None:
        try:
            self._entries[name].work()
        except Exception as error:
            self._log.exception("scheduled work failed", schedule=name, error=str(error))
        finally:
            self._busy.discard(name)

    def _rest(self) -> float:
        shortest = min((entry.every_seconds for entry in self._entries.values()), default=LONGEST_REST_SECONDS)
        return float(min(LONGEST_REST_SECONDS, max(0.2, shortest / 4)))


def _is_due(row: Any, now: int) -> bool:
    # No turn is further away than its own span, unless the clock was put back since: then it is taken now.
    away = row.next_at - now
    return bool(away <= 0 or away > row.every_seconds * MICROSECONDS)
