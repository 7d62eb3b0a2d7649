"""Brings sealed events to their subscribers: in order, at least once, each from its own stored cursor.

One process of the installation does it, under a lease. A subscriber that fails is tried again with a growing pause, its
error stands in `event_cursor`, and the others go on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select, update

from taxiway.core.events.journal import SEALED, Journal, event_of
from taxiway.core.leases import Lease, Leases
from taxiway.core.store.database import Tx
from taxiway.core.store.tables import event, event_cursor
from taxiway.core.store.upsert import upsert
from taxiway.kit.backoff import backoff_seconds
from taxiway.model.errors import TaxiwayError
from taxiway.model.event import Event
from taxiway.plugin import EventSubscriber, Logger

LEASE = "subscribers"
BATCH = 200
POLL_SECONDS = 2.0


class Dispatcher:
    """Runs a thread per subscriber while it holds the lease.

    A subscriber with an attribute `start_at = "now"` begins with what comes after its first start,
    others with the first event.
    """

    def __init__(
        self, journal: Journal, leases: Leases, subscribers: Callable[[], Sequence[EventSubscriber]], log: Logger
    ) -> None:
        self._journal, self._leases, self._subscribers, self._log = journal, leases, subscribers, log
        # Nobody else moves a cursor while this process holds the lease, so each is read once.
        self._known: dict[str, int] = {}

    def run(self, stop: threading.Event) -> None:
        """Until `stop`."""
        self._leases.hold(LEASE, stop, self._work)

    def deliver(self, subscriber: EventSubscriber) -> int:
        """One batch to one subscriber; returns how far the cursor moved. Raises what the subscriber raised."""
        cursor = self._known[subscriber.key] if subscriber.key in self._known else self._cursor(subscriber)
        with self._journal.store.read() as conn:
            query = select(event).where(event.c.seq > cursor).order_by(event.c.seq).limit(BATCH)
            events = [event_of(row) for row in conn.execute(query)]
        reached = cursor
        try:
            for item in events:
                if any(item.type.startswith(prefix) for prefix in subscriber.types):
                    self._handle(subscriber, item)
                reached = item.seq
        finally:
            if reached > cursor:
                self._save(subscriber.key, reached)
            self._known[subscriber.key] = reached
        return reached - cursor

    def _handle(self, subscriber: EventSubscriber, item: Event) -> None:
        try:
            subscriber.handle(item)
        except Exception as error:
            detail = error.detail if isinstance(error, TaxiwayError) else f"{type(error).__name__}: {error}"
            self._note_failure(subscriber.key, f"event {item.seq} ({item.type}): {detail}"[:2000])
            raise

    def _work(self, lease: Lease) -> None:
        self._known = {}
        threads = [
            threading.Thread(target=self._serve, args=(item, lease), name=f"subscriber-{item.key}", daemon=True)
            for item in self._subscribers()
        ]
        for thread in threads:
            thread.start()
        lease.halt.wait()
        for thread in threads:
            thread.join(1.0)

    def _serve(self, subscriber: EventSubscriber, lease: Lease) -> None:
        wake = threading.Event()
        remove = self._journal.signals.listen(SEALED, wake.set)
        failures = 0
        try:
            while not lease.halt.is_set():
                wake.clear()
                try:
                    moved = self.deliver(subscriber)
                    failures = 0
                except Exception as error:
                    failures += 1
                    self._log.warning("an event subscriber failed", subscriber=subscriber.key, error=str(error))
                    lease.halt.wait(backoff_seconds(failures))
                    continue
                if moved < BATCH:
                    wake.wait(POLL_SECONDS)
        finally:
            remove()

    def _cursor(self, subscriber: EventSubscriber) -> int:
        query = select(event_cursor.c.seq).where(event_cursor.c.subscriber == subscriber.key)
        with self._journal.store.read() as conn:
            found = conn.execute(query).scalar()
        if found is not None:
            return int(found)
        first = self._journal.last_seq() if getattr(subscriber, "start_at", "beginning") == "now" else 0

        def work(tx: Tx) -> None:
            row = upsert(tx.conn, event_cursor).values(subscriber=subscriber.key, seq=first)
            tx.conn.execute(row.on_conflict_do_nothing())

        self._journal.store.write(work)
        return first

    def _save(self, key: str, seq: int) -> None:
        mine = (event_cursor.c.subscriber == key, event_cursor.c.seq < seq)
        self._change(update(event_cursor).where(*mine).values(seq=seq, failures=0, error=None))

    def _note_failure(self, key: str, error: str) -> None:
        values: dict[str, Any] = {"failures": event_cursor.c.failures + 1, "error": error}
        self._change(update(event_cursor).where(event_cursor.c.subscriber == key).values(**values))

    def _change(self, statement: Any) -> None:
        self._journal.store.write(lambda tx: tx.conn.execute(statement) and None)
