"""The metric source `metrics_local`: takes in what the scraper measured and answers with the golden signals.

Called by `features/observability` only. It derives and keeps; it reaches out to no workload itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from taxiway.model.errors import InputError, UnavailableError
from taxiway.plugin import MICROSECONDS, Clock, Measurement, Series
from taxiway.plugins.metrics_local.signals import Counters, counters_of, increase, quantile, total
from taxiway.plugins.metrics_local.store import Look, LookStore

KEEP_SECONDS = 24 * 3600
MOST_ROWS = 2_000_000
PRUNE_SECONDS = 600
MOST_POINTS = 240
STEP_SECONDS = 5
GAP_SECONDS = 60
"""Two looks further apart than this say nothing about the time between them."""
MOST_INSTANCES = 5000


@dataclass(frozen=True)
class _Last:
    at: int
    counters: Counters


class LocalMetrics:
    """Implements `MetricSource` and `MetricSink`."""

    key = "metrics_local"

    def __init__(self, path: Path, clock: Clock) -> None:
        self._store = LookStore(path)
        self._path = path
        self._clock = clock
        self._last: dict[tuple[str, str, str], _Last] = {}
        self._pruned = 0.0

    def ingest(self, environment: str, service: str, measurements: Sequence[Measurement]) -> None:
        """Store what happened since the last look. UnavailableError when the file cannot be written."""
        if not measurements:
            return
        increases, covered = [], 0.0
        for one in measurements:
            grown = self._since_last((environment, service, one.instance), one)
            if grown is not None:
                increases.append(grown[0])
                covered = max(covered, grown[1])
        sum_of = total(increases)
        look = Look(
            at=max(one.at for one in measurements),
            seconds=covered,
            requests=sum_of.requests,
            errors=None if sum_of.requests is None else sum_of.errors,
            buckets=sum_of.buckets,
            cpu=_sum([one.cpu_percent for one in measurements]),
            memory=_sum([one.memory_bytes for one in measurements]),
        )
        try:
            self._store.add(environment, service, look)
            self._prune()
        except sqlite3.Error as error:
            self._store.close()
            raise UnavailableError(f"metrics cannot be kept in {self._path}: {error}") from error

    def query(self, environment: str, service: str, seconds: int) -> Sequence[Series]:
        """The golden signals of the last `seconds` (60 to 86,400), at most 240 points each; [] without any."""
        if not 60 <= seconds <= KEEP_SECONDS:
            raise InputError(f"seconds must be between 60 and {KEEP_SECONDS}", code="metrics_local.seconds")
        step = max(STEP_SECONDS, -(-seconds // MOST_POINTS)) * MICROSECONDS
        count = -(-seconds * MICROSECONDS // step)
        first = self._clock.now() // step - count + 1
        try:
            looks = self._store.read(environment, service, first * step)
        except sqlite3.Error as error:
            self._store.close()
            raise UnavailableError(f"metrics cannot be read from {self._path}: {error}") from error
        if not looks:
            return []
        slots: list[list[Look]] = [[] for _ in range(count)]
        for look in looks:
            # A look from the future stands there after the clock was set back.
            if 0 <= look.at // step - first < count:
                slots[look.at // step - first].append(look)
        return [
            Series(name, unit, [((first + index) * step, measure(slot)) for index, slot in enumerate(slots)])
            for name, unit, measure in SIGNALS
        ]

    def _since_last(self, key: tuple[str, str, str], one: Measurement) -> tuple[Counters, float] | None:
        """(increase, seconds) since the last look at this instance; None at the first, or after a gap."""
        if one.samples is None:
            return None
        counters = counters_of(one.samples)
        if counters.requests is None and not counters.buckets:
            return None
        before = self._last.pop(key, None)
        while len(self._last) >= MOST_INSTANCES:
            self._last.pop(next(iter(self._last)))
        self._last[key] = _Last(one.at, counters)
        if before is None or not 0 < one.at - before.at <= GAP_SECONDS * MICROSECONDS:
            return None
        return increase(before.counters, counters), (one.at - before.at) / MICROSECONDS

    def _prune(self) -> None:
        if self._pruned and self._clock.monotonic() - self._pruned < PRUNE_SECONDS:
            return
        self._pruned = self._clock.monotonic()
        self._store.prune(self._clock.now() - KEEP_SECONDS * MICROSECONDS, MOST_ROWS)


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _rate(looks: Sequence[Look]) -> float | None:
    counted = [look for look in looks if look.requests is not None]
    seconds = sum(look.seconds for look in counted)
    return sum(look.requests or 0.0 for look in counted) / seconds if seconds else None


def _error_ratio(looks: Sequence[Look]) -> float | None:
    requests = sum(look.requests or 0.0 for look in looks)
    return sum(look.errors or 0.0 for look in looks) / requests if requests else None


def _latency(share: float) -> Callable[[Sequence[Look]], float | None]:
    return lambda looks: quantile(share, total([Counters(buckets=look.buckets) for look in looks]).buckets)


SIGNALS: Sequence[tuple[str, str, Callable[[Sequence[Look]], float | None]]] = (
    ("rate", "requests/s", _rate),
    ("error_ratio", "ratio", _error_ratio),
    ("latency_p50", "seconds", _latency(0.5)),
    ("latency_p95", "seconds", _latency(0.95)),
    ("cpu", "percent", lambda looks: _mean([look.cpu for look in looks])),
    ("memory", "bytes", lambda looks: _mean([look.memory for look in looks])),
)
