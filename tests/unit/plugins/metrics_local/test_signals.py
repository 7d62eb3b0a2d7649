"""Golden signals from counters: resets, several instances, gaps, bounds, and restarts."""

from __future__ import annotations

import contextlib
import math
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest

from taxiway.model.errors import InputError, UnavailableError
from taxiway.plugin import MICROSECONDS, ManualClock, Measurement, MetricSample
from taxiway.plugin.testing import MetricSourceConformance
from taxiway.plugins.metrics_local.signals import quantile
from taxiway.plugins.metrics_local.source import LocalMetrics

Points = Mapping[str, list[float]]


class TestContract(MetricSourceConformance):
    @pytest.fixture
    def source(self, tmp_path: Path) -> LocalMetrics:
        return LocalMetrics(tmp_path / "metrics.db", ManualClock())


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def metrics(tmp_path: Path, clock: ManualClock) -> LocalMetrics:
    return LocalMetrics(tmp_path / "metrics.db", clock)


def page(ok: float, failed: float = 0, fast: float = 0, slow: float = 0) -> list[MetricSample]:
    """A service that answered `ok` + `failed` requests, `fast` in up to 0.1 s, `slow` in up to 0.5 s."""
    bucket = "http_request_duration_seconds_bucket"
    return [
        MetricSample("http_requests_total", {"route": "/", "status": "200"}, ok),
        MetricSample("http_requests_total", {"route": "/x", "status": "503"}, failed),
        MetricSample(bucket, {"le": "0.1"}, fast),
        MetricSample(bucket, {"le": "0.5"}, fast + slow),
        MetricSample(bucket, {"le": "+Inf"}, fast + slow),
    ]


def look(
    metrics: LocalMetrics, clock: ManualClock, *pages: list[MetricSample] | None, first: int = 0, after: float = 5
) -> None:
    clock.advance(after)
    metrics.ingest(
        "dev",
        "orders",
        [Measurement(f"i{first + n}", clock.now(), samples, 2.0, 1000) for n, samples in enumerate(pages)],
    )


def measured(metrics: LocalMetrics, seconds: int = 3600) -> Points:
    series = metrics.query("dev", "orders", seconds)
    return {one.name: [value for _, value in one.points if value is not None] for one in series}


def test_rate_errors_and_latency_come_from_the_increase(metrics: LocalMetrics, clock: ManualClock) -> None:
    look(metrics, clock, page(100, 10, fast=90, slow=20))
    for n in range(1, 5):
        look(metrics, clock, page(100 + 40 * n, 10 + 10 * n, fast=90 + 45 * n, slow=20 + 5 * n))
    points = measured(metrics, 60)
    assert points["rate"] == pytest.approx([10.0] * 4)
    assert points["error_ratio"] == pytest.approx([0.2] * 4)
    assert points["latency_p50"] == pytest.approx([0.1 * 25 / 45] * 4)
    assert points["latency_p95"] == pytest.approx([0.1 + 0.4 * 2.5 / 5] * 4)
    assert points["cpu"] == [2.0] * 5
    assert points["memory"] == [1000.0] * 5


def test_a_counter_that_begins_anew_counts_from_zero(metrics: LocalMetrics, clock: ManualClock) -> None:
    look(metrics, clock, page(1000, fast=1000))
    look(metrics, clock, page(10, fast=10))
    assert measured(metrics)["rate"] == [2.0]


def test_instances_add_up_and_a_new_one_only_sets_its_baseline(metrics: LocalMetrics, clock: ManualClock) -> None:
    look(metrics, clock, page(0))
    look(metrics, clock, page(10), page(5000))
    look(metrics, clock, page(20), page(5010))
    points = measured(metrics, 60)
    assert points["rate"] == [2.0, 4.0]
    assert points["memory"][1:] == [2000.0, 2000.0]


def test_without_traffic_the_rate_is_zero_and_the_rest_is_unknown(metrics: LocalMetrics, clock: ManualClock) -> None:
    look(metrics, clock, page(7))
    look(metrics, clock, page(7))
    points = measured(metrics)
    assert points["rate"] == [0.0]
    assert points["error_ratio"] == points["latency_p95"] == []


def test_without_metrics_there_is_cpu_and_memory_but_no_rate(metrics: LocalMetrics, clock: ManualClock) -> None:
    look(metrics, clock, None)
    look(metrics, clock, None)
    points = measured(metrics, 60)
    assert points["rate"] == []
    assert points["cpu"] == [2.0, 2.0]


def test_a_gap_in_the_looks_is_a_gap_in_the_points(metrics: LocalMetrics, clock: ManualClock) -> None:
    look(metrics, clock, page(0))
    look(metrics, clock, page(50))
    look(metrics, clock, page(100), after=600)
    look(metrics, clock, page(150))
    series = {one.name: one.points for one in metrics.query("dev", "orders", 1200)}
    values = [value for _, value in series["rate"]]
    assert [value for value in values if value is not None] == [10.0, 10.0]
    assert None in values[values.index(10.0) : -1]


def test_a_query_gives_at_most_240_points_that_end_now(metrics: LocalMetrics, clock: ManualClock) -> None:
    look(metrics, clock, page(1))
    for seconds in (60, 61, 1199, 1201, 3600, 86_400):
        points = metrics.query("dev", "orders", seconds)[0].points
        step = points[1][0] - points[0][0]
        assert len(points) <= 240
        assert points[-1][0] <= clock.now() < points[-1][0] + step
        assert clock.now() - points[0][0] >= (seconds - step / MICROSECONDS) * MICROSECONDS


def test_a_length_out_of_bounds_is_refused(metrics: LocalMetrics) -> None:
    for seconds in (0, -5, 86_401):
        with pytest.raises(InputError):
            metrics.query("dev", "orders", seconds)


def test_what_was_stored_outlives_a_restart(metrics: LocalMetrics, clock: ManualClock, tmp_path: Path) -> None:
    look(metrics, clock, page(0))
    look(metrics, clock, page(10))
    again = LocalMetrics(tmp_path / "metrics.db", clock)
    look(again, clock, page(20))
    look(again, clock, page(30))
    assert measured(again, 60)["rate"] == [2.0, 2.0]


def test_after_a_day_it_is_forgotten(metrics: LocalMetrics, clock: ManualClock, tmp_path: Path) -> None:
    look(metrics, clock, page(0))
    clock.advance(86_401)
    metrics.ingest("dev", "other", [Measurement("x", clock.now(), page(0))])
    assert metrics.query("dev", "orders", 86_400) == []
    with contextlib.closing(sqlite3.connect(tmp_path / "metrics.db")) as file:
        assert file.execute("select count(*) from look").fetchone() == (1,)


def test_services_and_environments_are_kept_apart(metrics: LocalMetrics, clock: ManualClock) -> None:
    look(metrics, clock, page(1))
    assert metrics.query("prod", "orders", 3600) == []
    assert metrics.query("dev", "orders2", 3600) == []


def test_a_file_that_cannot_be_written_is_told_and_recovered_from(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "gone" / "metrics.db"
    metrics = LocalMetrics(path, clock)
    with pytest.raises(UnavailableError, match="cannot be kept"):
        look(metrics, clock, page(1))
    path.parent.mkdir()
    look(metrics, clock, page(2))
    assert measured(metrics)["cpu"] == [2.0]


@pytest.mark.parametrize(
    ("buckets", "share", "expected"),
    [
        ({}, 0.5, None),
        ({0.1: 0.0, math.inf: 0.0}, 0.5, None),
        ({0.1: 0.0, 0.2: 10.0, math.inf: 10.0}, 0.5, 0.15),
        ({0.1: 1.0, math.inf: 100.0}, 0.95, 0.1),
        ({math.inf: 3.0}, 0.5, None),
        ({0.1: 10.0, 0.2: 5.0, math.inf: 10.0}, 0.5, 0.05),
    ],
)
def test_quantiles_follow_prometheus(buckets: dict[float, float], share: float, expected: float | None) -> None:
    found = quantile(share, buckets)
    assert found == (expected if expected is None else pytest.approx(expected))
