"""Times as GitHub writes them."""

from __future__ import annotations

from datetime import UTC, datetime

from taxiway.plugin import MICROSECONDS, Clock


def seconds_now(clock: Clock) -> int:
    """Seconds of Unix time."""
    return clock.now() // MICROSECONDS


def iso(seconds: int) -> str:
    """ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
