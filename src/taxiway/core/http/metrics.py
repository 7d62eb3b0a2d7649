"""What Taxiway measures of itself, in a registry per app: requests by operation and status, and the process."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class HttpMetrics:
    """Counts and times requests; `render` is the text format of Prometheus."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "taxiway_http_requests_total",
            "Requests answered",
            ["operation", "method", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "taxiway_http_request_seconds",
            "Time to the end of the answer",
            ["operation"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=self.registry,
        )

    def observe(self, operation: str, method: str, status: int, seconds: float) -> None:
        """One request ended."""
        method = method if method in METHODS else "other"
        counted, timed = self._of(operation, method, status)
        counted.inc()
        timed.observe(seconds)

    def _of(self, operation: str, method: str, status: int) -> tuple[Counter, Histogram]:
        # As many as there are operations, methods and statuses.
        key = (operation, method, status)
        if key not in self._known:
            self._known[key] = (self._requests.labels(operation, method, str(status)), self._seconds.labels(operation))
        return self._known[key]

    def render(self) -> Response:
        """The current figures."""
        return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)
