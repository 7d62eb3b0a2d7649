"""The server of static sites: what it says to requests that are odd."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from taxiway.plugins.process import static

pytestmark = pytest.mark.integration


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    for name in ("site/assets/app.js", "site/404.html", "secret.html"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(static.Handler, directory=str(tmp_path / "site")))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def got(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, str | None, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.putrequest(method, path, skip_host=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.headers["Cache-Control"], answer.read()
    finally:
        connection.close()


def test_only_an_asset_that_is_there_is_kept_for_good(port: int) -> None:
    assert got(port, "/assets/app.js")[:2] == (200, static.FOR_GOOD)
    assert got(port, "/assets/next.js") == (404, "no-cache", b"site/404.html")


def test_a_page_of_an_older_release_is_sent_to_who_has_a_newer_one(port: int) -> None:
    later = "Fri, 01 Jan 2100 00:00:00 GMT"
    assert got(port, "/404.html", If_Modified_Since=later) == (200, "no-cache", b"site/404.html")


def test_health_is_told_without_a_body_too(port: int) -> None:
    assert got(port, "/healthz")[::2] == (200, b"ok\n")
    assert got(port, "/healthz", "HEAD")[::2] == (200, b"")


@pytest.mark.parametrize("path", ["/../secret", "/%2e%2e/secret.html", "/.%00./secret.html", "/assets/%00", "/assets/"])
def test_nothing_outside_of_the_site_is_told(port: int, path: str) -> None:
    assert got(port, path)[::2] == (404, b"site/404.html")


@pytest.mark.parametrize("line", [b"GET / x/y z\r\n\r\n", b"GET /" + b"a" * (65_537 - 5)])
def test_what_is_no_request_has_an_answer(port: int, line: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(line)
        assert client.recv(200)
