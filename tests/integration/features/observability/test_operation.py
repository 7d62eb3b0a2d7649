"""GET /api/observability/v1/metrics over a served platform: permissions, bounds, reasons, and the page's path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from factories.served import Served, served
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog import service as catalog
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.environments import repository
from taxiway.features.environments.contrib import FEATURE as ENVIRONMENTS
from taxiway.features.infrastructure.contrib import FEATURE as INFRASTRUCTURE
from taxiway.features.observability.contrib import FEATURE as OBSERVABILITY
from taxiway.features.observability.targets import Pages
from taxiway.model.workload import WorkloadStatus
from taxiway.plugin import Measurement, MetricSample, SourcedEntity
from taxiway.plugins.metrics_local.source import LocalMetrics

URL = "/api/observability/v1/metrics"
ORDERS = {"service": "component:default/orders", "environment": "development"}


def document(kind: str, name: str, spec: dict[str, Any], version: str = "taxiway.dev/v1") -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    features = [ACCESS, CATALOG, INFRASTRUCTURE, ENVIRONMENTS, OBSERVABILITY]
    with served(tmp_path / "data", features=features) as running:
        platform = running.platform
        platform.registry.add("metric_source", LocalMetrics(tmp_path / "metrics.db", platform.clock), "test")
        spec = {"type": "service", "lifecycle": "production", "owner": "group:default/shop"}
        documents = [
            document("Component", "orders", spec, "backstage.io/v1alpha1"),
            document("EnvironmentType", "development", {"rank": 10}),
            document("Environment", "development", {"type": "development", "destination": "process"}),
        ]
        items = [SourcedEntity(item, "file:test") for item in documents]
        ctx = platform.system("test")
        result = platform.store.write(lambda tx: catalog.apply_entities(tx, ctx, items, "test", full=False))
        assert not result.problems
        yield running


def test_everybody_who_is_signed_in_sees_the_series(server: Served) -> None:
    clock = server.platform.clock
    source = server.platform.registry.get("metric_source", "metrics_local", LocalMetrics)
    for count in (5.0, 8.0):
        samples = [MetricSample("http_requests_total", {"status": "200"}, count)]
        at = clock.now() - (0 if count == 8.0 else 1_000_000)
        source.ingest("development", "orders", [Measurement("i", at, samples, 1.0, 10)])
    with server.client(server.token("viewer")) as client:
        answer = client.get(URL, params={**ORDERS, "seconds": 600})
    assert answer.status_code == 200
    body = answer.json()
    assert body["reason"] is None
    series = {one["name"]: one for one in body["series"]}
    assert list(series) == ["rate", "error_ratio", "latency_p50", "latency_p95", "cpu", "memory"]
    assert series["rate"]["unit"] == "requests/s"
    assert next(value for _, value in series["rate"]["points"] if value is not None) == pytest.approx(3.0, rel=0.2)


def test_what_is_not_there_is_told(server: Served) -> None:
    with server.client(server.token("viewer")) as client:
        nothing = client.get(URL, params=ORDERS)
        assert nothing.status_code == 200
        assert nothing.json() == {
            "series": [],
            "reason": "orders is not deployed in development: deploy it there first",
        }
        assert client.get(URL, params={**ORDERS, "service": "component:default/none"}).status_code == 404
        assert client.get(URL, params={**ORDERS, "environment": "mars"}).status_code == 404
        assert client.get(URL, params={**ORDERS, "seconds": 99_999_999}).status_code in (400, 422)


def test_nobody_is_refused(server: Served) -> None:
    with server.client() as client:
        assert client.get(URL, params=ORDERS).status_code == 401


SCORE = """
apiVersion: score.dev/v1b1
metadata:
  name: orders
  annotations: {%s}
containers: {main: {image: ., command: [x]}}
"""


@pytest.mark.parametrize(
    ("annotations", "path"),
    [
        ('"prometheus.io/path": /internal/metrics', "/internal/metrics"),
        ('"prometheus.io/scrape": "false"', None),
        ("", "/metrics"),
    ],
)
def test_the_live_releases_score_file_says_where_the_metrics_are(
    server: Served, annotations: str, path: str | None
) -> None:
    common = {"service_ref": "component:default/orders", "service_uid": "u", "created_at": 1, "owner": None}
    release = {
        "id": "r1",
        "repository": "orders",
        "commit": "c",
        "version": "1",
        "digest": "d",
        "score_hash": "h",
        "score": SCORE % annotations,
        **common,
    }
    deployment = {
        "id": "d1",
        "run_id": "run",
        "service_key": "orders",
        "environment": "development",
        "release_id": "r1",
        "action": "deploy",
        "state": "live",
        "health": "healthy",
        **common,
    }
    status = {
        "service_ref": "component:default/orders",
        "sync": "synced",
        "health": "healthy",
        "message": "",
        "objects": [],
    }

    def work(tx: Any) -> None:
        repository.add_release(tx, release)
        repository.add_deployment(tx, deployment)
        repository.put_status(tx, "development", "orders", status)

    workload = WorkloadStatus("w", "orders", "development", "orders", "running", True, "g1", port=1)
    pages = Pages(server.platform)
    assert pages.of(workload).path == "/metrics"
    server.platform.store.write(work)
    assert pages.of(workload).path == path
