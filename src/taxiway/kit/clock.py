"""Time as a value that is passed in. Nothing else in the product reads the system clock.

Wall time is integer UTC microseconds; durations and leases on one host use the monotonic clock, which no
clock jump can move.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

MICROSECONDS = 1_000_000


class Clock(Protocol):
    """Where a component reads time from."""

    def now(self) -> int:
        """UTC time in microseconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards; only differences mean something."""
        ...


LOOK_SECONDS = 0.02
"""An offset file is looked at no more often than this."""


@dataclass
class SystemClock:
    """The machine's clock. `offset_file`, when it exists, holds seconds to add, so that a test can make it jump."""

    offset_file: Path | None = None
    _seen: tuple[float, int] = field(default=(float("-inf"), 0), init=False, repr=False, compare=False)

    def now(self) -> int:
        return time.time_ns() // 1000 + self._offset()

    def monotonic(self) -> float:
        return time.monotonic()

    def _offset(self) -> int:
        if self.offset_file is None:
            return 0
        (seen_at, offset), now = self._seen, time.monotonic()
        if now - seen_at >= LOOK_SECONDS:
            offset = self._read(self.offset_file)
            self._seen = now, offset
        return offset

    def _read(self, path: Path) -> int:
        try:
            return int(float(path.read_text() or "0") * MICROSECONDS)
        except FileNotFoundError:
            return 0


@dataclass
class ManualClock:
    """A clock for tests: it moves only when told to."""

    at: int = 1_750_000_000 * MICROSECONDS
    ticks: float = field(default=0.0)

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return self.ticks

    def advance(self, seconds: float) -> None:
        """Move both clocks forward by `seconds`."""
        self.at += int(seconds * MICROSECONDS)
        self.ticks += seconds


def to_rfc3339(at: int) -> str:
    """`at` (microseconds, UTC) as RFC 3339 text with microseconds and a Z."""
    moment = datetime.fromtimestamp(at // MICROSECONDS, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % MICROSECONDS:06d}Z"
