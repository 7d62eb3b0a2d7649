"""`Idempotency-Key` on writes: the same request answers the same again, and does nothing twice.

The key's row commits in the first transaction of the operation itself, so it is there exactly if something was done:
whatever dies, a retry either runs anew, or is told what was done. The answer follows in a transaction behind the
response. Answers marked `no-store` hold a secret and are never kept. Called by the route; what touches the store
blocks and belongs into a thread. ADR 0012 has the reasons.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import delete, select, update

from taxiway.core.leases import host_id
from taxiway.core.store.database import Store, Tx
from taxiway.core.store.tables import idempotency
from taxiway.core.store.upsert import upsert
from taxiway.kit.clock import MICROSECONDS
from taxiway.kit.processes import start_time
from taxiway.model.errors import ConflictError, InputError, TaxiwayError

T = TypeVar("T")
NAME = "http.idempotency"
EVERY_SECONDS = 3600
KEEP_SECONDS = 24 * 3600
"""How long a key is known, and an hour at most beyond it."""
ANSWER_SECONDS = 60
"""How long after its commit an operation of a living server elsewhere counts as being worked on."""
LONGEST_KEY = 200
KEPT_HEADERS = ("content-type", "location", "etag")
RUN = "run:"


class InFlightError(ConflictError):
    """The first request with this key is still being worked on."""

    retryable = True


class DoneError(ConflictError):
    """It was done, and its answer is not known. `location` is where to look, when that is a run."""

    location: str | None = None


@dataclass(frozen=True)
class Kept:
    """An answer as it was given; None as its body says that it held a secret."""

    status: int
    headers: dict[str, str]
    body: bytes | None


@dataclass
class Claim:
    """A key of a request. Bound as the store's companion it commits with the operation's first write."""

    principal: str
    key: str
    digest: str
    committed: bool = False

    def join(self, work: Callable[[Tx], T]) -> Callable[[Tx], T]:
        if self.committed:
            return work

        def both(tx: Tx) -> T:
            self._insert(tx)
            result = work(tx)
            if tx.subjects:
                tx.conn.execute(update(idempotency).where(*self.where()).values(subject=tx.subjects[0]))
            tx.after_commit(self._done)
            return result

        return both

    def where(self) -> tuple[Any, ...]:
        """The key's row."""
        return idempotency.c.principal == self.principal, idempotency.c.key == self.key

    def _insert(self, tx: Tx) -> None:
        values = {
            "principal": self.principal,
            "key": self.key,
            "request_digest": self.digest,
            "claimer": this_process(),
            "created_at": tx.now,
        }
        free = upsert(tx.conn, idempotency).on_conflict_do_nothing().returning(idempotency.c.key)
        # PostgreSQL waits here for another transaction with this key to end.
        if tx.conn.execute(free, values).first() is None:
            raise in_flight()

    def _done(self) -> None:
        self.committed = True


@dataclass
class Answers:
    """Answers of this process that are on their way into the store."""

    waiting: dict[tuple[str, str], tuple[str, Kept]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, claim: Claim, kept: Kept) -> None:
        """Have an answer at hand until `keep` stored it."""
        with self.lock:
            self.waiting[claim.principal, claim.key] = (claim.digest, kept)

    def keep(self, store: Store, claim: Claim, kept: Kept) -> None:
        """Store an answer. Where that fails, a retry is told that it was done, but not what was said."""
        body = None if kept.body is None else kept.body.decode("utf-8", "replace")
        values = {"status": kept.status, "headers": kept.headers, "body": body}
        try:
            store.write(lambda tx: tx.conn.execute(update(idempotency).where(*claim.where()).values(**values)))
        except TaxiwayError:
            pass
        finally:
            with self.lock:
                self.waiting.pop((claim.principal, claim.key), None)


def claim_of(principal: str, key: str, method: str, url: str, body: bytes) -> Claim:
    """The claim of a request; nothing is stored yet. InputError for a key that cannot be one."""
    if not key or len(key) > LONGEST_KEY:
        raise InputError(f"Idempotency-Key must have 1 to {LONGEST_KEY} characters", code="idempotency.key")
    digest = hashlib.sha256(b"\0".join((method.encode(), url.encode(), body))).hexdigest()
    return Claim(principal, key, digest)


def find(store: Store, answers: Answers, claim: Claim, now: int) -> Kept | None:
    """The answer that was given for this key; None when nothing was done under it. InputError when it was used for
    another request, InFlightError while the first is worked on, DoneError when its answer was lost."""
    with answers.lock:
        waiting = answers.waiting.get((claim.principal, claim.key))
    if waiting is not None:
        _check_digest(claim, waiting[0])
        return _given(waiting[1])
    with store.read() as conn:
        row = conn.execute(select(idempotency).where(*claim.where())).one_or_none()
    if row is None:
        return None
    _check_digest(claim, row.request_digest)
    if row.status is not None:
        return _given(Kept(row.status, dict(row.headers or {}), None if row.body is None else row.body.encode()))
    if _is_worked_on(store, row, now):
        raise in_flight()
    raise _done(row.subject)


def forget_old(store: Store) -> None:
    """Remove keys whose time is over. A schedule of the worker calls it."""

    def work(tx: Tx) -> None:
        tx.conn.execute(delete(idempotency).where(idempotency.c.created_at < tx.now - KEEP_SECONDS * MICROSECONDS))

    store.write(work)


def in_flight() -> InFlightError:
    """What a second request is told while the first is worked on."""
    return InFlightError(
        "the first request with this Idempotency-Key is still being worked on: try again",
        code="idempotency.in_flight",
        retry_after_seconds=1,
    )


def _done(subject: str | None) -> DoneError:
    is_run = subject is not None and subject.startswith(RUN)
    location = f"/api/runs/v1/runs/{subject[len(RUN) :]}" if is_run and subject else None
    where = f"look at {location or subject}" if subject else "look at what is there"
    error = DoneError(
        f"this was done, but its answer was lost with the server that gave it: {where}. To do it again, use a new key",
        code="idempotency.done",
    )
    error.location = location
    return error


@cache
def this_process() -> str:
    """Names this process among all that may share the store."""
    return f"{host_id()} {os.getpid()} {start_time(os.getpid()) or 0}"


def _is_worked_on(store: Store, row: Any, now: int) -> bool:
    if abs(now - row.created_at) > ANSWER_SECONDS * MICROSECONDS:
        return False
    if row.claimer in ("", this_process()):  # none: an older server, in the middle of an upgrade
        return True
    if store.dialect == "sqlite":
        return False  # one server at a time has the data folder: whoever claimed it is dead
    host, pid, started = row.claimer.rsplit(" ", 2)
    return bool(host != host_id() or started == "0" or start_time(int(pid)) == int(started))


def _check_digest(claim: Claim, digest: str) -> None:
    if digest != claim.digest:
        raise InputError("this Idempotency-Key was used for another request: use a new key", code="idempotency.reused")


def _given(kept: Kept) -> Kept:
    if kept.body is None:
        raise ConflictError(
            "this was done already, and its answer held a secret that is not kept: use a new key to do it again",
            code="idempotency.secret",
        )
    return kept
