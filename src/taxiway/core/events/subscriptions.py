"""Brings sealed events to their subscribers: in order, at least once, each from its own stored cursor.

One process of the installation does it, under a lease. One thread watches what was sealed and wakes only those whom it
concerns. A subscriber that fails is tried again with a growing pause, its error stands in `event_cursor`, the others
go on. A cursor is stored when events were handled, and after a stretch of others that its owner does not want.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Select, func, or_, select, update

from taxiway.core.events.journal import SEALED, Journal, event_of
from taxiway.core.leases import Lease, Leases
from taxiway.core.store.database import Tx
from taxiway.core.store.tables import event, event_cursor
from taxiway.core.store.upsert import upsert
from taxiway.kit.backoff import backoff_seconds
from taxiway.model.errors import TaxiwayError
from taxiway.model.event import Event, EventHead
from taxiway.plugin import EventSubscriber, Logger

LEASE = "subscribers"
BATCH = 200
CHOSEN_FROM = 2_000
"""Events that a subscriber which chooses its own is shown at once."""
POLL_SECONDS = 2.0
TOLD = 10_000
"""So many events are looked at together to see whom they concern."""
STRETCH = 10_000
"""So many events may lie behind a stored cursor although all were seen."""


Wakes = Sequence[tuple[EventSubscriber, threading.Event]]


class Dispatcher:
    """Runs a thread per subscriber while it holds the lease.

    A subscriber with an attribute `start_at = "now"` begins with what comes after its first start,
    others with the first event. One with a method `concerning(heads)` is given only those events of a batch whose heads
    this returns, in their order: it can tell at once that nothing of a large batch is for it, and nothing else is read.
    """

    def __init__(
        self, journal: Journal, leases: Leases, subscribers: Callable[[], Sequence[EventSubscriber]], log: Logger
    ) -> None:
        self._journal, self._leases, self._subscribers, self._log = journal, leases, subscribers, log
        # Nobody else moves a cursor while this process holds the lease, so each is read once.
        self._known: dict[str, int] = {}
        self._stored: dict[str, int] = {}

    def run(self, stop: threading.Event) -> None:
        """Until `stop`."""
        self._leases.hold(LEASE, stop, self._work)

    def deliver(self, subscriber: EventSubscriber) -> int:
        """One batch to one subscriber; returns how many events it was given. Raises what the subscriber raised."""
        cursor, end = self._position(subscriber), self._journal.last_seq()
        limit = _at_once(subscriber)
        events, shown, last = self._batch(subscriber, cursor, end, limit)
        reached = cursor
        try:
            for item in events:
                self._handle(subscriber, item)
                reached = item.seq
            reached = end if shown < limit else last
        finally:
            self._known[subscriber.key] = reached
            if (shown and reached > cursor) or reached - self._stored[subscriber.key] >= STRETCH:
                self._save(subscriber.key, reached)
        return shown

    def _batch(
        self, subscriber: EventSubscriber, cursor: int, end: int, limit: int
    ) -> tuple[Sequence[Event], int, int]:
        """Events that concern a subscriber, how many it was shown, and the place of the last of these."""
        wanted = or_(*(event.c.type.startswith(prefix, autoescape=True) for prefix in subscriber.types))
        mine = (event.c.seq > cursor, event.c.seq <= end, wanted)
        choose: Callable[[Sequence[EventHead]], Sequence[EventHead]] | None = getattr(subscriber, "concerning", None)
        if choose is None:
            events = self._read(select(event).where(*mine).order_by(event.c.seq).limit(limit))
            return events, len(events), events[-1].seq if events else cursor
        head = select(event.c.seq, event.c.type, event.c.subject)
        with self._journal.store.read() as conn:
            heads = [EventHead(*row) for row in conn.execute(head.where(*mine).order_by(event.c.seq).limit(limit))]
        chosen = [one.seq for one in choose(heads)] if heads else []
        events = self._read(select(event).where(event.c.seq.in_(chosen)).order_by(event.c.seq)) if chosen else []
        return events, len(heads), heads[-1].seq if heads else cursor

    def _read(self, query: Select[Any]) -> list[Event]:
        with self._journal.store.read() as conn:
            return [event_of(row) for row in conn.execute(query)]

    def _position(self, subscriber: EventSubscriber) -> int:
        key = subscriber.key
        if key not in self._known:
            self._known[key] = self._stored[key] = self._cursor(subscriber)
        return self._known[key]

    def _handle(self, subscriber: EventSubscriber, item: Event) -> None:
        try:
            subscriber.handle(item)
        except Exception as error:
            detail = error.detail if isinstance(error, TaxiwayError) else f"{type(error).__name__}: {error}"
            self._note_failure(subscriber.key, f"event {item.seq} ({item.type}): {detail}"[:2000])
            raise

    def _work(self, lease: Lease) -> None:
        self._known, self._stored = {}, {}
        wakes = [(item, threading.Event()) for item in self._subscribers()]
        threads = [
            threading.Thread(target=self._serve, args=(item, wake, lease), name=f"subscriber-{item.key}", daemon=True)
            for item, wake in wakes
        ]
        # Looked up before anybody reads: what is sealed from now on wakes those whom it concerns.
        news, seen = threading.Event(), self._journal.last_seq()
        watch = threading.Thread(target=self._watch, args=(seen, wakes, news, lease), name="subscribers", daemon=True)
        threads.append(watch)
        remove = self._journal.signals.listen(SEALED, news.set)
        for thread in threads:
            thread.start()
        lease.halt.wait()
        remove()
        for wake in (news, *(wake for _, wake in wakes)):
            wake.set()
        for thread in threads:
            thread.join(1.0)

    def _watch(self, seen: int, wakes: Wakes, news: threading.Event, lease: Lease) -> None:
        """Read once what was sealed behind `seen`, and wake whom it concerns."""
        looked_at = None
        while not lease.halt.is_set():
            news.clear()
            version = self._journal.store.version()
            try:
                if version is None or version != looked_at:
                    before, seen = seen, self._tell(seen, wakes)
                    if seen - before >= TOLD:
                        continue
                    looked_at = version
            except Exception as error:  # whatever it was: without this thread nobody would be woken any more
                self._log.warning("events cannot be read now", error=str(error))
            news.wait(POLL_SECONDS)

    def _tell(self, seen: int, wakes: Wakes) -> int:
        # Grouped from a list that ends: of the whole table SQLite would read another index from its beginning.
        some = select(event.c.type, event.c.seq).where(event.c.seq > seen).order_by(event.c.seq).limit(TOLD).subquery()
        query = select(some.c.type, func.max(some.c.seq)).group_by(some.c.type)
        with self._journal.store.read() as conn:
            newest = {row[0]: int(row[1]) for row in conn.execute(query)}
        if not newest:
            return seen
        types, last = newest.keys(), max(newest.values())
        for subscriber, wake in wakes:
            wanted = any(name.startswith(tuple(subscriber.types)) for name in types)
            if wanted or last - self._stored.get(subscriber.key, last) >= STRETCH:
                wake.set()
        return last

    def _serve(self, subscriber: EventSubscriber, wake: threading.Event, lease: Lease) -> None:
        failures = 0
        while not lease.halt.is_set():
            wake.clear()
            try:
                given = self.deliver(subscriber)
                failures = 0
            except Exception as error:
                failures += 1
                self._log.warning("an event subscriber failed", subscriber=subscriber.key, error=str(error))
                lease.halt.wait(backoff_seconds(failures))
                continue
            if given < _at_once(subscriber):
                wake.wait()

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
        self._stored[key] = seq

    def _note_failure(self, key: str, error: str) -> None:
        values: dict[str, Any] = {"failures": event_cursor.c.failures + 1, "error": error}
        self._change(update(event_cursor).where(event_cursor.c.subscriber == key).values(**values))

    def _change(self, statement: Any) -> None:
        self._journal.store.write(lambda tx: tx.conn.execute(statement) and None)


def _at_once(subscriber: EventSubscriber) -> int:
    return CHOSEN_FROM if hasattr(subscriber, "concerning") else BATCH
