"""Values of webhooks, and the signature. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SECRET_PREFIX = "whsec_"  # noqa: S105  what every secret of this standard begins with
SECRET_BYTES = 32


@dataclass(frozen=True)
class Webhook:
    """A subscription. `types` are beginnings of event types, none: every event. `filters` are the catalog's, for the
    entity that an event is about. `reason` says why it is disabled."""

    id: str
    name: str
    url: str
    types: Sequence[str]
    filters: Sequence[str]
    secret: str
    enabled: bool
    reason: str | None
    cursor: int
    attempts: int
    next_at: int | None
    failing_since: int | None
    created_by: str
    created_at: int
    version: int


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one webhook: `state` is delivered, waiting (to be tried again) or failed (given up)."""

    id: str
    webhook_id: str
    seq: int
    event_id: str
    type: str
    subject: str
    state: str
    attempts: int
    status: int | None
    error: str | None
    resend: bool
    created_at: int
    attempted_at: int


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt. `gone` is the other side's word that it wants no more, `pause_seconds` the pause that
    it asks for."""

    ok: bool
    status: int | None = None
    error: str | None = None
    gone: bool = False
    pause_seconds: float = 0.0


def new_secret(random: bytes) -> str:
    """A secret in the form of Standard Webhooks."""
    return SECRET_PREFIX + base64.b64encode(random).decode()


def signed(secret: str, message_id: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """The headers of Standard Webhooks: HMAC-SHA256 over id, time (seconds) and body, joined by dots."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    mac = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": "v1," + base64.b64encode(mac).decode(),
    }
