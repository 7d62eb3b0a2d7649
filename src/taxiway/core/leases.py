"""Named leases with a fence, in the table `lease`: one owner at a time for an executor, the sealer, a service.

A holder on this host is judged by the monotonic clock, which no clock jump moves, and by whether its process lives; a
holder elsewhere by the database's clock. A lease that was lost tells so through `halt`; so does one that could not be
renewed in time, where somebody elsewhere may have taken it while this process does not reach the database.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text, update

from taxiway.core.store import tables
from taxiway.core.store.database import Store, Tx
from taxiway.kit.clock import MICROSECONDS, Clock
from taxiway.kit.ids import NewId
from taxiway.kit.processes import start_time
from taxiway.model.errors import ConflictError, TaxiwayError, UnavailableError

LEASE_SECONDS = 15.0
RENEW_SECONDS = 5.0
ACQUIRE_SECONDS = 2.0
LOOK_SECONDS = 1.0
MARGIN = 0.2
"""How much of its time a lease that is not renewed ends before another may take it: for the look, and to stop."""


@dataclass(frozen=True)
class Lease:
    """A lease that is held. `halt` is set when it was lost or given back: its holder must stop."""

    name: str
    fence: int
    halt: threading.Event = field(default_factory=threading.Event, compare=False)


def host_id() -> str:
    """Names what shares one monotonic clock and one table of processes: boot, host name, pid namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        boot, space = "", ""
    return f"{boot}/{socket.gethostname()}/{space}"


def database_now(conn: Connection, fallback: int) -> int:
    """The database's clock in microseconds; SQLite's is this host's, given as `fallback`."""
    if conn.dialect.name != "postgresql":
        return fallback
    return int(conn.execute(text("select (extract(epoch from clock_timestamp()) * 1000000)::bigint")).scalar_one())


class Leases:
    """The leases of one process. `start` begins renewing them in a thread that does nothing else."""

    def __init__(self, store: Store, clock: Clock, new_id: NewId, seconds: float = LEASE_SECONDS) -> None:
        self._store, self._clock, self._seconds = store, clock, seconds
        self.host = host_id()
        self._holder = f"{os.getpid()}:{start_time(os.getpid()) or 0}:{new_id()}"
        self._held: dict[str, Lease] = {}
        self._good_until: dict[str, float] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Renew what is held, until `close`."""
        self._stop.clear()
        parts = [self._beat]
        if self._store.dialect == "postgresql":  # whoever shares a SQLite file shares its disk's trouble too
            parts.append(self._look)
        self._threads = [threading.Thread(target=part, name="leases", daemon=True) for part in parts]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Give everything back."""
        self._stop.set()
        for thread in self._threads:
            thread.join(2)
        for lease in list(self._held.values()):
            with contextlib.suppress(TaxiwayError):
                self.release(lease)

    def try_acquire(self, name: str) -> Lease | None:
        """The lease, or None while another holds it."""
        began = self._clock.monotonic()
        try:
            fence = self._store.write(lambda tx: self._take(tx, name))
        except ConflictError:
            return None
        if fence is None:
            return None
        lease = Lease(name, fence)
        with self._lock:
            self._held[name] = lease
            self._good_until[name] = self._end(began)
        return lease

    def release(self, lease: Lease) -> None:
        """Give it back at once; the row stays, because its fence must never count from the start again."""
        lease.halt.set()
        with self._lock:
            self._held.pop(lease.name, None)
        table = tables.lease

        def work(tx: Tx) -> None:
            tx.conn.execute(
                update(table)
                .where(table.c.name == lease.name, table.c.holder == self._holder, table.c.fence == lease.fence)
                .values(until_at=0, monotonic_until=0)
            )

        self._store.write(work)

    def check(self, tx: Tx, lease: Lease) -> bool:
        """Whether `lease` is still ours; the row stays locked until the transaction ends."""
        table = tables.lease
        query = select(table.c.fence).where(table.c.name == lease.name, table.c.holder == self._holder)
        return tx.conn.execute(query.with_for_update()).scalar() == lease.fence

    def renew(self) -> None:
        """Renew all in one transaction; sets `halt` of those that another took."""
        held = list(self._held.values())
        if not held:
            return
        table, began = tables.lease, self._clock.monotonic()

        def work(tx: Tx) -> list[Lease]:
            mine = (table.c.holder == self._holder, table.c.name.in_([lease.name for lease in held]))
            renewed = update(table).where(*mine).values(**self._until(tx)).returning(table.c.name, table.c.fence)
            ours = {(row.name, row.fence) for row in tx.conn.execute(renewed)}
            return [lease for lease in held if (lease.name, lease.fence) not in ours]

        lost = self._store.write(work)
        with self._lock:
            self._good_until.update(dict.fromkeys((lease.name for lease in held), self._end(began)))
        self._give_up(lost)

    def stop_overdue(self) -> None:
        """Set `halt` of those that could not be renewed for nearly as long as they last: another may take them soon."""
        now = self._clock.monotonic()
        with self._lock:
            overdue = [lease for lease in self._held.values() if self._good_until[lease.name] <= now]
        self._give_up(overdue)

    def _give_up(self, leases: Iterable[Lease]) -> None:
        for lease in leases:
            lease.halt.set()
            with self._lock:
                if self._held.get(lease.name) is lease:
                    del self._held[lease.name]

    def is_alive(self, row: Any, now: int) -> bool:
        """Whether the holder of a lease row lives. `now` is the database's clock."""
        if row.host != self.host or row.monotonic_until is None:
            return bool(row.until_at > now)
        if row.monotonic_until <= self._clock.monotonic() * MICROSECONDS:
            return False
        pid, started, _ = row.holder.split(":")
        return started == "0" or start_time(int(pid)) == int(started)

    def bury(self, tx: Tx, name: str) -> bool:
        """Whether the holder of `name` is dead. If so its row is gone afterwards, and it cannot renew any more."""
        table = tables.lease
        row = tx.conn.execute(select(table).where(table.c.name == name).with_for_update()).first()
        if row is not None and self.is_alive(row, database_now(tx.conn, tx.now)):
            return False
        tx.conn.execute(delete(table).where(table.c.name == name))
        return True

    def hold(self, name: str, stop: threading.Event, work: Callable[[Lease], None]) -> None:
        """Until `stop`: wait for the lease, do `work(lease)`, which returns once `lease.halt` is set, give it back."""
        while not stop.is_set():
            try:
                lease = self.try_acquire(name)
            except UnavailableError:
                lease = None  # the store says so to everybody; it is asked again
            if lease is None:
                stop.wait(ACQUIRE_SECONDS)
                continue
            try:
                if not stop.is_set():  # else `halt_all` may have been called before we held it
                    work(lease)
            finally:
                # Where it cannot be given back it runs out.
                with contextlib.suppress(UnavailableError):
                    self.release(lease)

    def halt_all(self, but: tuple[str, ...] = ()) -> None:
        """Tell every holder in this process to stop, executors and `but` apart; the leases stay until `release`."""
        for lease in list(self._held.values()):
            if lease.name not in but and not lease.name.startswith("executor:"):
                lease.halt.set()

    def _take(self, tx: Tx, name: str) -> int | None:
        table = tables.lease
        row = tx.conn.execute(select(table).where(table.c.name == name).with_for_update()).first()
        values = {"holder": self._holder, "host": self.host, **self._until(tx)}
        if row is None:
            tx.conn.execute(insert(table).values(name=name, fence=1, **values))
            return 1
        if self.is_alive(row, database_now(tx.conn, tx.now)):
            return None
        tx.conn.execute(update(table).where(table.c.name == name).values(fence=row.fence + 1, **values))
        return int(row.fence) + 1

    def _end(self, began: float) -> float:
        return began + self._seconds * (1 - MARGIN)

    def _until(self, tx: Tx) -> dict[str, int]:
        span = int(self._seconds * MICROSECONDS)
        return {
            "until_at": database_now(tx.conn, tx.now) + span,
            "monotonic_until": int(self._clock.monotonic() * MICROSECONDS) + span,
        }

    def _beat(self) -> None:
        while not self._stop.wait(min(RENEW_SECONDS, self._seconds / 3)):
            try:
                self.renew()
            except TaxiwayError:
                continue  # the database is away for a moment; the next beat tries again

    def _look(self) -> None:
        # Beside the beat, which may hang in a write that nobody answers.
        while not self._stop.wait(LOOK_SECONDS):
            self.stop_overdue()
