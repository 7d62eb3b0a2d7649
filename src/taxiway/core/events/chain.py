"""What is hashed: the canonical body of an event, chained to the one before it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from taxiway.kit.canonical import canonical_json

GENESIS = "0" * 64
"""What the first event's hash chains to."""
BODY = (
    "id",
    "type",
    "source",
    "subject",
    "subject_uid",
    "at",
    "data",
    "actor",
    "on_behalf_of",
    "via",
    "token_id",
    "personal_digest",
    "owner",
)
_BODY_OF = attrgetter(*BODY)


def next_hash(previous: str, seq: int, row: Any) -> str:
    """The hash (hex) of the event in `row`, a row of the table `event`, at place `seq`."""
    body = dict(zip(BODY, _BODY_OF(row), strict=True), seq=seq)
    return hashlib.sha256(f"{previous}{canonical_json(body)}".encode()).hexdigest()


def personal_digest(salt: bytes, data: Mapping[str, Any]) -> str:
    """What stands in the body for personal data: without the salt it says nothing, and the salt can be forgotten."""
    return "sha256:" + hashlib.sha256(salt + canonical_json(data).encode()).hexdigest()
