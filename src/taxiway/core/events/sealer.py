"""Gives events their place and hash, in the order of commits. One process of the installation does it, under a lease.

Woken after each append in this process, and once a second for those of others. A flood of them is sealed when it has
calmed down, in a few goes: whoever wrote it has not done with it, and waits for the store and the interpreter too.
Signs a checkpoint each 100 events, each 60 s in which something was sealed, and at the end.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from itertools import chain as chained
from pathlib import Path

from sqlalchemy import Connection, select

from taxiway.core.events import chain
from taxiway.core.events.checkpoints import last_checkpoint, write_checkpoint
from taxiway.core.events.journal import APPENDED, SEALED, Journal
from taxiway.core.leases import Lease, Leases
from taxiway.core.store.bulk import in_sizes
from taxiway.core.store.database import Tx
from taxiway.core.store.tables import event
from taxiway.kit.clock import Clock
from taxiway.model.errors import TaxiwayError
from taxiway.plugin import Logger

LEASE = "sealer"
BATCH = 1000
POLL_SECONDS = 1.0
FLOOD_EVENTS = 250
CALM_SECONDS, FLOOD_SECONDS = 0.7, 2.0
"""So many events that wait are a flood: they are sealed when none came for so long, and so much later at most."""
CHECKPOINT_EVENTS = 100
CHECKPOINT_SECONDS = 60.0


class Sealer:
    """Seals while it holds the lease."""

    def __init__(self, journal: Journal, leases: Leases, clock: Clock, log: Logger, data: Path) -> None:
        self._journal, self._leases, self._clock, self._log, self._data = journal, leases, clock, log, data
        self._seq, self._hash = 0, chain.GENESIS
        self._looked_at: int | None = None

    def run(self, stop: threading.Event) -> None:
        """Until `stop`."""
        self._leases.hold(LEASE, stop, self._work)

    def seal(self, lease: Lease) -> int:
        """Seal one batch and return how many. Sets `lease.halt` when another process has the lease."""

        def work(tx: Tx) -> int:
            if not self._leases.check(tx, lease):
                lease.halt.set()
                return 0
            top = select(event.c.seq, event.c.hash).where(event.c.seq.is_not(None)).order_by(event.c.seq.desc())
            newest = tx.conn.execute(top.limit(1)).first()
            seq, hash_ = (newest.seq, newest.hash) if newest is not None else (0, chain.GENESIS)
            changes = []
            for row in tx.conn.execute(select(event).where(event.c.seq.is_(None)).order_by(event.c.id).limit(BATCH)):
                seq += 1
                hash_ = chain.next_hash(hash_, seq, row)
                changes.append((row.id, seq, hash_))
            if changes:
                _place(tx.conn, changes)
                tx.after_commit(lambda: self._journal.signals.notify(SEALED))
            # Only what is durable goes into a checkpoint.
            tx.after_commit(partial(self._reached, seq, hash_))
            return len(changes)

        return self._journal.store.write(work)

    def _reached(self, seq: int, hash_: str) -> None:
        self._seq, self._hash = seq, hash_

    def _work(self, lease: Lease) -> None:
        wake = threading.Event()
        remove = self._journal.signals.listen(APPENDED, wake.set)
        noted, noted_at = last_checkpoint(self._data), self._clock.monotonic()
        try:
            while not lease.halt.is_set():
                wake.clear()
                if self._is_flood():
                    self._let_pass(wake, lease)
                sealed = BATCH
                while sealed == BATCH and not lease.halt.is_set():
                    sealed = self._seal_safely(lease)
                    late = self._clock.monotonic() - noted_at >= CHECKPOINT_SECONDS
                    if self._seq - noted >= CHECKPOINT_EVENTS or (self._seq > noted and late):
                        noted, noted_at = self._note(noted), self._clock.monotonic()
                wake.wait(POLL_SECONDS)
        finally:
            remove()
            if self._seq > noted:
                self._note(noted)

    def _is_flood(self) -> bool:
        version = self._journal.store.version()
        is_news = version is None or version != self._looked_at
        return is_news and self._unsealed(FLOOD_EVENTS) == FLOOD_EVENTS

    def _let_pass(self, wake: threading.Event, lease: Lease) -> None:
        """Wait while events come."""
        until = self._clock.monotonic() + FLOOD_SECONDS
        while self._clock.monotonic() < until and not lease.halt.is_set():
            wake.clear()
            if not wake.wait(CALM_SECONDS):
                return

    def _seal_safely(self, lease: Lease) -> int:
        version = self._journal.store.version()
        if version is not None and version == self._looked_at:
            return 0
        if not self._unsealed(1) and self._seq:
            self._looked_at = version
            return 0
        try:
            return self.seal(lease)
        except TaxiwayError as error:
            self._log.warning("events cannot be sealed now", error=error.detail)
            return 0

    def _unsealed(self, most: int) -> int:
        # How many wait; counting ends at `most`.
        with self._journal.store.read() as conn:
            return len(conn.execute(select(event.c.id).where(event.c.seq.is_(None)).limit(most)).all())

    def _note(self, noted: int) -> int:
        try:
            write_checkpoint(self._data, self._seq, self._hash, self._clock.now())
        except OSError as error:
            self._log.error("no audit checkpoint could be written: free space in the data folder", error=str(error))
            return noted
        return self._seq


def _place(conn: Connection, changes: Sequence[tuple[str, int, str]]) -> None:
    """Store (id, seq, hash) of events, many in one statement: row by row costs twice the time."""
    postgresql = conn.dialect.name == "postgresql"
    row = "(%s, %s, %s)" if postgresql else "(?, ?, ?)"
    # Between the first and the last of them, which PostgreSQL would not see by itself: it would read all events.
    bounds = " AND event.id BETWEEN %s AND %s" if postgresql else ""
    for some in in_sizes(changes):
        statement = (
            f"WITH given(id, seq, hash) AS (VALUES {', '.join([row] * len(some))})"  # noqa: S608  marks only
            f" UPDATE event SET seq = given.seq, hash = given.hash FROM given WHERE event.id = given.id{bounds}"
        )
        ends = (some[0][0], some[-1][0]) if postgresql else ()
        conn.exec_driver_sql(statement, (*chained.from_iterable(some), *ends))
