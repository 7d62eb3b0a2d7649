"""The golden signals in the counters of one instance, and what two looks at them say of the time between.

Pure. Reads the names that the field uses: the common `http_requests_total` with `http_request_duration_seconds`,
OpenTelemetry's `http_server_request_duration_seconds`, and Micrometer's `http_server_requests_seconds`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from taxiway.plugin import MetricSample

REQUESTS = (
    "http_requests_total",
    "http_server_request_duration_seconds_count",
    "http_server_requests_seconds_count",
    "http_request_duration_seconds_count",
)
"""Counters of requests; the first that an instance has is taken."""
BUCKETS = (
    "http_request_duration_seconds_bucket",
    "http_server_request_duration_seconds_bucket",
    "http_server_requests_seconds_bucket",
)
STATUS_LABELS = ("status", "status_code", "code", "http_response_status_code", "http_status_code")
MOST_BUCKETS = 60


@dataclass(frozen=True)
class Counters:
    """Totals since the instance began. `buckets` maps an upper bound in seconds to the observations at or below it."""

    requests: float | None = None
    errors: float = 0.0
    buckets: Mapping[float, float] = field(default_factory=dict)


def counters_of(samples: Iterable[MetricSample]) -> Counters:
    """The totals over all labels."""
    requests: dict[str, float] = {}
    errors: dict[str, float] = {}
    buckets: dict[str, dict[float, float]] = {}
    for sample in samples:
        if not math.isfinite(sample.value):
            continue
        if sample.name in REQUESTS:
            requests[sample.name] = requests.get(sample.name, 0.0) + sample.value
            if _is_error(sample.labels):
                errors[sample.name] = errors.get(sample.name, 0.0) + sample.value
        elif sample.name in BUCKETS:
            bound = _bound(sample.labels.get("le", ""))
            found = buckets.setdefault(sample.name, {})
            if bound is not None and (bound in found or len(found) < MOST_BUCKETS):
                found[bound] = found.get(bound, 0.0) + sample.value
    counted = next((name for name in REQUESTS if name in requests), None)
    timed = next((name for name in BUCKETS if name in buckets), None)
    return Counters(
        None if counted is None else requests[counted],
        0.0 if counted is None else errors.get(counted, 0.0),
        {} if timed is None else buckets[timed],
    )


def increase(before: Counters, after: Counters) -> Counters:
    """What was counted between two looks. A total that went down began anew: then all of it is new."""
    was_reset = (after.requests or 0.0) < (before.requests or 0.0) or any(
        after.buckets.get(bound, 0.0) < count for bound, count in before.buckets.items()
    )
    if was_reset:
        return after
    return Counters(
        None if after.requests is None else after.requests - (before.requests or 0.0),
        max(0.0, after.errors - before.errors),
        {bound: count - before.buckets.get(bound, 0.0) for bound, count in after.buckets.items()},
    )


def total(parts: Sequence[Counters]) -> Counters:
    """The sum over instances."""
    known = [part.requests for part in parts if part.requests is not None]
    buckets: dict[float, float] = {}
    for part in parts:
        for bound, count in part.buckets.items():
            buckets[bound] = buckets.get(bound, 0.0) + count
    return Counters(sum(known) if known else None, sum(part.errors for part in parts), buckets)


def quantile(share: float, buckets: Mapping[float, float]) -> float | None:
    """The quantile by linear interpolation inside its bucket, as Prometheus' histogram_quantile; None without data.

    Above the highest finite bound nothing is known: that bound is the answer.
    """
    bounds = sorted(buckets)
    if not bounds or buckets[bounds[-1]] <= 0:
        return None
    rank, below, lower = share * buckets[bounds[-1]], 0.0, 0.0
    for bound in bounds:
        count = buckets[bound]
        if count >= rank and count > below:
            if math.isinf(bound):
                return lower if len(bounds) > 1 else None
            return lower + (bound - lower) * (rank - below) / (count - below)
        below, lower = max(below, count), bound
    return lower


def _is_error(labels: Mapping[str, str]) -> bool:
    status = next((labels[name] for name in STATUS_LABELS if name in labels), "")
    return len(status) == 3 and status.startswith("5")


def _bound(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return None if math.isnan(value) else value
