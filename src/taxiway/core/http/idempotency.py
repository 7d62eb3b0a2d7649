"""`Idempotency-Key` on writes: the same request answers the same again, and does nothing twice.

A row is claimed before the operation runs and filled with its answer. Answers marked `no-store` hold a secret and are
never kept. Called by the route; all functions block and belong into a thread.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from taxiway.core.store.database import Store, Tx
from taxiway.core.store.tables import idempotency
from taxiway.kit.clock import MICROSECONDS
from taxiway.model.errors import ConflictError, InputError

KEEP_SECONDS = 24 * 3600
ABANDONED_SECONDS = 600
LONGEST_KEY = 200
KEPT_HEADERS = ("content-type", "location", "etag")


class InFlightError(ConflictError):
    """The first request with this key is still being worked on."""

    retryable = True


@dataclass(frozen=True)
class Kept:
    """An answer as it was given."""

    status: int
    headers: dict[str, str]
    body: bytes


def request_digest(method: str, url: str, body: bytes) -> str:
    """What makes two requests the same."""
    return hashlib.sha256(b"\0".join((method.encode(), url.encode(), body))).hexdigest()


def claim(store: Store, principal: str, key: str, digest: str) -> Kept | None:
    """Claim the key for this request, or return the answer that was given. InputError when the key was used for
    another request, InFlightError while the first is being worked on."""
    if not key or len(key) > LONGEST_KEY:
        raise InputError(f"Idempotency-Key must have 1 to {LONGEST_KEY} characters", code="idempotency.key")
    where = (idempotency.c.principal == principal, idempotency.c.key == key)

    def work(tx: Tx) -> Kept | None:
        old = tx.now - KEEP_SECONDS * MICROSECONDS
        tx.conn.execute(delete(idempotency).where(idempotency.c.principal == principal, idempotency.c.created_at < old))
        row = tx.conn.execute(select(idempotency).where(*where)).one_or_none()
        if row is not None and row.status is None and row.created_at < tx.now - ABANDONED_SECONDS * MICROSECONDS:
            tx.conn.execute(delete(idempotency).where(*where))
            row = None
        if row is None:
            tx.conn.execute(
                insert(idempotency).values(principal=principal, key=key, request_digest=digest, created_at=tx.now)
            )
            return None
        if row.request_digest != digest:
            raise InputError(
                "this Idempotency-Key was used for another request: use a new key", code="idempotency.reused"
            )
        if row.status is None:
            raise _in_flight()
        if row.body is None:
            raise ConflictError(
                "this was done already, and its answer held a secret that is not kept: use a new key to do it again",
                code="idempotency.secret",
            )
        return Kept(row.status, dict(row.headers or {}), row.body.encode())

    try:
        return store.write(work)
    except ConflictError as error:
        if error.code == ConflictError.kind:
            # PostgreSQL lets two claims race; the unique key decides.
            raise _in_flight() from error
        raise


def _in_flight() -> InFlightError:
    return InFlightError(
        "the first request with this Idempotency-Key is still being worked on: try again",
        code="idempotency.in_flight",
        retry_after_seconds=1,
    )


def keep(store: Store, principal: str, key: str, answer: Kept | None, status: int) -> None:
    """Fill the claimed row; None as the answer keeps that it was done, but not what was said."""
    where = (idempotency.c.principal == principal, idempotency.c.key == key)
    values = {
        "status": status,
        "headers": answer.headers if answer else {},
        "body": answer.body.decode("utf-8", "replace") if answer else None,
    }
    store.write(lambda tx: tx.conn.execute(update(idempotency).where(*where).values(**values)))


def release(store: Store, principal: str, key: str) -> None:
    """Give the key back after a failure, so that the client can try again."""
    where = (idempotency.c.principal == principal, idempotency.c.key == key)
    store.write(lambda tx: tx.conn.execute(delete(idempotency).where(*where)))
