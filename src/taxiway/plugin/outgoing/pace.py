"""Keeps to the other side's rate limits: what it said about how long to wait, by host and credential. Pure."""

from __future__ import annotations

from collections.abc import Mapping

REMAINING = ("x-ratelimit-remaining", "ratelimit-remaining")
RESET = ("x-ratelimit-reset", "ratelimit-reset")
EPOCH = 1_000_000_000
DEFAULT_WAIT = 60.0
MOST_WAIT = 86_400.0
"""A pause that is longer, or without an end, is an error of the other side: it is asked again after a day."""
SECONDARY = b"secondary rate limit"
"""What GitHub says in the body when it limits what is made in a minute, at times without any header."""


def is_limit(status: int, headers: Mapping[str, str], body: bytes = b"") -> bool:
    """Whether an answer says that there were too many requests."""
    if status == 429:
        return True
    return status == 403 and ("retry-after" in headers or _first(headers, REMAINING) == 0 or _is_secondary(body))


def wait_seconds(status: int, headers: Mapping[str, str], now: float, body: bytes = b"") -> float | None:
    """How long nothing more should be asked, as an answer says it, MOST_WAIT at most; None when it does not ask for a
    wait. `now` is in seconds of Unix time."""
    wanted = _wanted(status, headers, now, body)
    return None if wanted is None else min(wanted, MOST_WAIT)


def _wanted(status: int, headers: Mapping[str, str], now: float, body: bytes) -> float | None:
    after = _retry_after(headers, now)
    if is_limit(status, headers, body) or status == 503:
        if after is None and _is_secondary(body):
            return DEFAULT_WAIT  # the reset that the headers tell is that of another limit
        reset = _reset(headers, now)
        known = after if after is not None else reset
        return known if known is not None or status == 503 else DEFAULT_WAIT
    if _first(headers, REMAINING) == 0:
        return _reset(headers, now)
    return after if status < 400 and after else None


def _is_secondary(body: bytes) -> bool:
    return SECONDARY in body[:2000].lower()


def _retry_after(headers: Mapping[str, str], now: float) -> float | None:
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None


def _reset(headers: Mapping[str, str], now: float) -> float | None:
    value = _first(headers, RESET)
    if value is None:
        return None
    return max(0.0, value - now + 1) if value > EPOCH else max(0.0, value)


def _first(headers: Mapping[str, str], names: tuple[str, ...]) -> float | None:
    for name in names:
        try:
            return float(headers[name].partition(",")[0])
        except (KeyError, ValueError):
            continue
    return None
