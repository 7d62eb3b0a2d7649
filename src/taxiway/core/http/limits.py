"""Token buckets per caller, in memory of one process. Callers are bounded: the least recently seen is forgotten."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from taxiway.kit.clock import Clock

MOST_CALLERS = 10_000


@dataclass
class RateLimiter:
    """Allows `per_minute` calls in a minute, all at once if need be. Safe to call from any thread."""

    clock: Clock
    per_minute: int
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, caller: str, cost: float = 1.0) -> float:
        """Take `cost`; 0.0 when it was there, else the seconds until it will be (nothing is taken then)."""
        now, rate = self.clock.monotonic(), self.per_minute / 60
        with self._lock:
            left, at = self._buckets.pop(caller, (float(self.per_minute), now))
            left = min(float(self.per_minute), left + (now - at) * rate)
            enough = left >= cost
            self._buckets[caller] = (left - cost if enough else left, now)
            while len(self._buckets) > MOST_CALLERS:
                self._buckets.popitem(last=False)
        return 0.0 if enough else (cost - left) / rate

    def wait(self, caller: str) -> float:
        """Seconds until one call is allowed, taking nothing."""
        return self.take(caller, 0.0) or self._missing(caller)

    def _missing(self, caller: str) -> float:
        with self._lock:
            left, _ = self._buckets[caller]
        return max(0.0, (1.0 - left) / (self.per_minute / 60))
