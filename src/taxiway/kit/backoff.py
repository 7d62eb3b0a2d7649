"""Waiting times that double up to a bound."""

from __future__ import annotations


def backoff_seconds(attempt: int, first: float = 0.2, most: float = 30.0) -> float:
    """Seconds to wait before `attempt` (1-based): first, twice that, … never above `most`."""
    return min(most, first * 2.0 ** min(max(attempt, 1) - 1, 30))
