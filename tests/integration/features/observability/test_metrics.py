"""The scraper against real HTTP servers, good and bad, and the operation over them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import MakePlatform
from taxiway.core.context import Platform
from taxiway.core.permissions import READ
from taxiway.features.observability import service as observability
from taxiway.features.observability.exposition import MOST_BYTES, ScrapeError, parse, scrape
from taxiway.features.observability.scraper import Scraper
from taxiway.model.workload import LogLine, ObjectKey, ObjectStatus, Target, WorkloadStatus
from taxiway.plugins.metrics_local.source import LocalMetrics

PAGE = """# HELP http_requests_total HTTP requests served.
# TYPE http_requests_total counter
http_requests_total{method="GET",route="/a \\"quoted\\"",status="200"} %d
http_requests_total{method="GET",route="/",status="500"} 0.0
http_requests_created{method="GET"} 1.7e+09
http_request_duration_seconds_bucket{le="0.1"} %d
http_request_duration_seconds_bucket{le="+Inf"} %d
other_things_total 5
broken line that nobody asked for {{{
"""


class RunningWorkloads:
    """A destination whose workloads are whatever the test says."""

    key = "test"

    def __init__(self) -> None:
        self.there: list[WorkloadStatus] = []

    def apply(self, target: Target, objects: Sequence[object]) -> Sequence[ObjectStatus]:
        return []

    def observe(self, target: Target, objects: Sequence[object]) -> Sequence[ObjectStatus]:
        return []

    def prune(self, target: Target, keys: Sequence[ObjectKey]) -> None:
        return None

    def workloads(self, environment: str | None = None, service: str | None = None) -> Sequence[WorkloadStatus]:
        return [w for w in self.there if environment in (None, w.environment) and service in (None, w.service)]

    def logs(self, workload_id: str, after: int, limit: int) -> Sequence[LogLine]:
        return []


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server that lets `answer` deal with each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        connection.recv(65536)
                        answer(connection)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def page(text: str, status: str = "200 OK", headers: str = "") -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(f"HTTP/1.1 {status}\r\n{headers}\r\n{text}".encode())


def workload(port: int | None, *, ready: bool = True, service: str = "orders") -> WorkloadStatus:
    return WorkloadStatus(
        "w1",
        service,
        "development",
        service,
        "running",
        ready,
        "g1",
        pid=1,
        port=port,
        cpu_percent=3.0,
        memory_bytes=500,
        message="" if ready else "readiness probe answers 503",
    )


@pytest.fixture
def platform(make_platform: MakePlatform, tmp_path: Path) -> Platform:
    made = make_platform()
    made.permissions["observability.read"] = READ
    made.registry.add("metric_source", LocalMetrics(tmp_path / "metrics.db", made.clock), "test")
    made.registry.add("destination", RunningWorkloads(), "test")
    return made


def place(platform: Platform, *workloads: WorkloadStatus) -> None:
    platform.registry.get("destination", "test", RunningWorkloads).there = list(workloads)


def rounds(platform: Platform, count: int = 2) -> None:
    scraper = Scraper(platform)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(count):
            scraper.look(pool)
            time.sleep(0.01)


def test_requests_are_counted_from_page_to_series(platform: Platform) -> None:
    counts = iter((10, 30, 50))

    def answer(connection: socket.socket) -> None:
        n = next(counts)
        page(PAGE % (n, n, n), headers="content-type: text/plain\r\n")(connection)

    with answering(answer) as port:
        place(platform, workload(port), workload(None, service="no-port"))
        rounds(platform, 3)
    source = platform.registry.get("metric_source", "metrics_local", LocalMetrics)
    series = {
        one.name: [v for _, v in one.points if v is not None] for one in source.query("development", "orders", 60)
    }
    assert series["rate"][0] > 0
    assert series["error_ratio"] == [0.0]
    assert series["latency_p95"] == pytest.approx([0.095])
    assert series["memory"] == [500.0]
    assert source.query("development", "no-port", 60)


def test_one_hanging_workload_does_not_hold_up_the_others(platform: Platform) -> None:
    stop = threading.Event()
    with answering(lambda connection: (stop.wait(10), None)[1]) as hanging, answering(page(PAGE % (1, 1, 1))) as good:
        place(platform, workload(hanging, service="hangs"), workload(good))
        begun = time.monotonic()
        rounds(platform, 1)
        assert time.monotonic() - begun < 4
        stop.set()
    source = platform.registry.get("metric_source", "metrics_local", LocalMetrics)
    assert source.query("development", "orders", 60)


def drip(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(100):
        connection.sendall(b"a 1\n")
        time.sleep(0.1)


def flood(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(MOST_BYTES // 65536 + 2):
        connection.sendall(b"x" * 65536)


SERIES = "".join(f'http_requests_total{{route="/{n}"}} 1\n' for n in range(5001))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (page("", "404 Not Found"), "answers 404"),
        (drip, "did not finish within 2 s"),
        (flood, "larger than"),
        (lambda connection: None, "no HTTP answer"),
        (page("http_requests_total{ nonsense"), "not in the Prometheus text format"),
        (page("3\r\na 1\r\n0\r\n\r\n", headers="Transfer-Encoding: chunked\r\n"), "in chunks"),
        (page(SERIES), "more than 5000 HTTP series"),
    ],
    ids=["404", "drip", "flood", "closes", "nonsense", "chunks", "cardinality"],
)
def test_bad_pages_end_within_the_limits_and_say_what_to_do(answer: Callable[[socket.socket], None], said: str) -> None:
    begun = time.monotonic()
    with answering(answer) as port:
        with pytest.raises(ScrapeError, match=said):
            scrape(port, "/metrics")
        assert time.monotonic() - begun < 4


def test_a_closed_port_and_a_path_with_a_line_break_are_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ScrapeError, match="failed"):
        scrape(port, "/metrics")
    with pytest.raises(ScrapeError, match="is no path"):
        scrape(port, "/metrics HTTP/1.1\r\nX: y")


def test_pages_of_other_libraries_are_read() -> None:
    micrometer = 'http_server_requests_seconds_count{status="200",uri="/"} 4.0 1700000000000\n'
    opentelemetry = 'http_server_request_duration_seconds_bucket{http_response_status_code="200",le="0.1"} 3\n'
    assert [sample.value for sample in parse(micrometer + opentelemetry)] == [4.0, 3.0]


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ([], "is not deployed in development"),
        ([workload(1, ready=False)], "readiness probe answers 503"),
        ([workload(None)], "has no service port"),
    ],
    ids=["not deployed", "not ready", "no port"],
)
def test_the_reason_says_why_there_is_nothing(platform: Platform, there: list[WorkloadStatus], said: str) -> None:
    place(platform, *there)
    assert said in observability.why_nothing(platform, "orders", "development")


def test_the_reason_is_found_by_looking_at_the_service(platform: Platform) -> None:
    with answering(page("", "404 Not Found")) as port:
        place(platform, workload(port))
        assert "answers 404" in observability.why_nothing(platform, "orders", "development")
    with answering(page("up 1\n")) as port:
        place(platform, workload(port))
        assert "has no HTTP metrics" in observability.why_nothing(platform, "orders", "development")
    with answering(page(PAGE % (1, 1, 1))) as port:
        place(platform, workload(port))
        assert "first measurements" in observability.why_nothing(platform, "orders", "development")
