"""The router as clients meet it: over real sockets, with real workloads behind it."""

import http.client
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from taxiway.plugins.process import procs, routes
from taxiway.plugins.process.supervisor import PortInUseError, ProcessError
from taxiway.plugins.process.switch import Desired, Site, converge

pytestmark = pytest.mark.integration
Wanted = Callable[..., Desired]
HOST = "shop.dev.localhost"
SLOT = "shop.dev"


@pytest.fixture
def port(site: Site, wanted: Wanted, tmp_path: Path) -> int:
    assert converge(site, SLOT, wanted()).is_ready
    return routes.ensure_router(tmp_path / "router")


def talk(port: int, request: str | bytes, seconds: float = 5) -> bytes:
    """Send raw bytes and read until the router closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(request.encode() if isinstance(request, str) else request)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


def get(port: int, path: str = "/", host: str = HOST, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"Host": host, **headers})
    return connection.getresponse()


def health(port: int) -> dict[str, object]:
    return json.loads(get(port, "/healthz", "router.localhost").read())


def router_process(folder: Path) -> procs.Process:
    state = routes.router_state(folder)
    assert state is not None
    found = procs.process(state["pid"])
    assert found is not None
    return found


def test_requests_reach_the_workload_by_host_with_trustworthy_headers(port: int) -> None:
    answer = get(
        port, "/headers", f"{HOST}:{port}", **{"X-Forwarded-For": "6.6.6.6", "Connection": "x-hop", "X-Hop": "1"}
    )
    seen = dict(line.split(": ", 1) for line in answer.read().decode().splitlines() if line)
    assert seen["X-Forwarded-For"] == "127.0.0.1"
    assert seen["X-Forwarded-Host"] == f"{HOST}:{port}"
    assert "X-Hop" not in seen
    assert answer.headers["X-Request-Id"] == seen["X-Request-Id"]


def test_unknown_hosts_learn_nothing(port: int) -> None:
    answer = get(port, host="bank.dev.localhost")
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert HOST not in answer.read().decode()


def test_a_connection_serves_many_requests(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    for _ in range(5):
        connection.request("GET", "/", headers={"Host": HOST})
        assert connection.getresponse().read() == b"g1"
    assert (
        talk(port, f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n" * 2 + f"HEAD / HTTP/1.0\r\nHost: {HOST}\r\n\r\n").count(
            b"HTTP/1.1 200"
        )
        == 2
    )


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length: +3\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "X-Folded: a\r\n b\r\n",
        "X-Bare: a\nContent-Length: 3\r\n",
        "X-Null: a\0b\r\n",
        f"Host: {HOST}\r\n",
    ],
)
def test_ambiguous_requests_are_refused(port: int, headers: str) -> None:
    answer = talk(port, f"POST / HTTP/1.1\r\nHost: {HOST}\r\n{headers}\r\nabc")
    assert answer.split(b" ")[1] in (b"400", b"501")


@pytest.mark.parametrize("body", ["xyz\r\n", "3\r\nabcd\r\n0\r\n\r\n", "-1\r\n", "3;" + "x" * 9000 + "\r\nabc\r\n"])
def test_broken_chunks_are_refused(port: int, body: str) -> None:
    answer = talk(port, f"POST / HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
    assert answer.startswith(b"HTTP/1.1 400")


def test_a_header_without_end_is_refused(port: int) -> None:
    answer = talk(port, f"GET / HTTP/1.1\r\nHost: {HOST}\r\nX: {'x' * 70_000}\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 431")


def test_event_streams_arrive_piece_by_piece_and_end_with_the_client(port: int) -> None:
    connection = socket.create_connection(("127.0.0.1", port), timeout=5)
    connection.sendall(f"GET /events HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    seen = b""
    started = time.monotonic()
    while b"data: 2" not in seen:
        seen += connection.recv(4096)
    assert time.monotonic() - started < 2
    assert health(port)["in_flight"]
    connection.close()
    deadline = time.monotonic() + 3
    while health(port)["in_flight"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_websockets_pass_in_both_directions(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(
            f"GET /socket HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        assert head.startswith(b"HTTP/1.1 101")
        assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
        for text in (b"hello", b"again"):
            connection.sendall(text)
            assert connection.recv(100) == text[::-1]
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""


def test_large_bodies_stream_in_both_directions_with_flat_memory(port: int, tmp_path: Path) -> None:
    before = router_process(tmp_path / "router").memory_bytes
    piece = b"x" * 1_000_000

    def body() -> Iterator[bytes]:
        for _ in range(100):
            yield piece

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/upload", body=body(), headers={"Host": HOST, "Content-Length": "100000000"})
    assert connection.getresponse().read() == b"100000000"
    connection.request(
        "POST", "/upload", body=body(), headers={"Host": HOST, "Transfer-Encoding": "chunked"}, encode_chunked=True
    )
    assert connection.getresponse().read() == b"100000000"
    answer = get(port, "/big")
    total = 0
    while data := answer.read(1_000_000):
        total += len(data)
    assert total == 100_000_000
    after = router_process(tmp_path / "router").memory_bytes
    assert after - before < 3_000_000
    assert after < 25_000_000


def test_a_slow_request_survives_the_switch_and_none_fails(site: Site, wanted: Wanted, port: int) -> None:
    slow: list[bytes] = []
    thread = threading.Thread(target=lambda: slow.append(get(port, "/slow?s=1").read()))
    thread.start()
    time.sleep(0.2)
    assert converge(site, SLOT, wanted("g2")).is_ready
    assert get(port).read() == b"g2"
    thread.join()
    assert slow == [b"g1"]


def test_a_dead_workload_gives_502_that_says_what_to_do(port: int, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = taken.getsockname()[1]
    version = routes.set_routes(tmp_path / "router", "other", [routes.Route("dead.dev.localhost", "/", closed, "g")])
    routes.wait_loaded(tmp_path / "router", version)
    answer = get(port, host="dead.dev.localhost")
    assert answer.status == 502
    assert "see its logs" in json.loads(answer.read())["detail"]
    assert (
        'taxiway_router_errors_total{host="dead.dev.localhost"} 1'
        in get(port, "/metrics", "router.localhost").read().decode()
    )


def test_paths_choose_the_longest_match_and_an_owner_keeps_its_place(port: int, tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match="belongs to another workload"):
        routes.set_routes(tmp_path / "router", "thief", [routes.Route(HOST, "/", 1, "g")])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = taken.getsockname()[1]
    version = routes.set_routes(tmp_path / "router", "api", [routes.Route(HOST, "/api", closed, "g")])
    routes.wait_loaded(tmp_path / "router", version)
    assert [get(port, path).status for path in ("/api", "/api/x", "/apis")] == [502, 502, 200]


def test_a_broken_table_keeps_the_last_good_one(port: int, tmp_path: Path) -> None:
    (tmp_path / "router" / "routes.json").write_text("{")
    deadline = time.monotonic() + 2
    while not health(port)["problem"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert get(port).read() == b"g1"


def test_a_killed_router_comes_back_on_its_port_with_its_table(site: Site, port: int, tmp_path: Path) -> None:
    found = router_process(tmp_path / "router")
    os.kill(found.pid, signal.SIGKILL)
    deadline = time.monotonic() + 2
    while procs.is_alive(found.pid, found.start_ticks):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert routes.ensure_router(tmp_path / "router") == port
    assert routes.ensure_router(tmp_path / "router") == port
    assert get(port).read() == b"g1"


def test_a_router_port_in_use_is_a_clear_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(PortInUseError, match=f"127.0.0.1:{number}.*set another router port"):
            routes.ensure_router(tmp_path / "second", number)
