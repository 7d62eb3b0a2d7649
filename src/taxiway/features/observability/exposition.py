"""Reads a workload's metrics page: one bounded HTTP request to 127.0.0.1, and the Prometheus text format.

The page comes from repository code: bytes, seconds, lines and labels are limited, and only the metrics that a golden
signal can need are parsed at all, which keeps a page of thousands of lines cheap.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator

from taxiway.plugin import MetricSample

SECONDS = 2.0
MOST_BYTES = 2_000_000
MOST_SAMPLES = 5_000
WANTED = re.compile(
    r"(?:http_requests|http_request_duration_seconds|http_server_request_duration_seconds|http_server_requests_seconds)"
    r"(?:_total|_count|_bucket)\b"
)
PATH = re.compile(r"/[!-~]{0,500}")


class ScrapeError(Exception):
    """Why there are no metrics, in words for the service's owner."""


def scrape(port: int, path: str) -> list[MetricSample]:
    """The samples at `http://127.0.0.1:port/path`. ScrapeError says what the service must change."""
    if not PATH.fullmatch(path):
        raise ScrapeError(f"{path!r} is no path: correct prometheus.io/path in the Score file")
    return parse(_body(_fetch(port, path), path))


def parse(text: str) -> list[MetricSample]:
    """The wanted samples of a page in the text format. ScrapeError when a line of them is broken."""
    from prometheus_client.parser import text_string_to_metric_families

    # Comments are dropped with the other lines: without types, every line is a sample under its own full name.
    wanted = "\n".join(line for line in text.splitlines() if WANTED.match(line))
    samples = []
    try:
        for family in text_string_to_metric_families(wanted + "\n"):
            for sample in family.samples:
                samples.append(MetricSample(sample.name, dict(sample.labels), float(sample.value)))
                if len(samples) > MOST_SAMPLES:
                    raise ScrapeError(
                        f"the metrics page has more than {MOST_SAMPLES} HTTP series: use route templates as labels, "
                        "not raw paths"
                    )
    except (ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        raise ScrapeError(f"the metrics page is not in the Prometheus text format: {error}") from error
    return samples


def _fetch(port: int, path: str) -> bytes:
    """The raw answer. HTTP/1.0 ends with the connection and knows no chunks; the deadline is for all of it."""
    deadline = time.monotonic() + SECONDS
    request = (
        f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: taxiway\r\n"
        "Accept: text/plain;version=0.0.4\r\nConnection: close\r\n\r\n"
    )
    try:
        with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
            connection.sendall(request.encode("ascii"))
            return b"".join(_chunks(connection, deadline, path))
    except TimeoutError as error:
        raise ScrapeError(f"GET {path} did not finish within {SECONDS:g} s: make the metrics page faster") from error
    except OSError as error:
        raise ScrapeError(f"GET {path} failed: {error.strerror or error}") from error


def _chunks(connection: socket.socket, deadline: float, path: str) -> Iterator[bytes]:
    size = 0
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        chunk = connection.recv(65536)
        if not chunk:
            return
        size += len(chunk)
        if size > MOST_BYTES:
            raise ScrapeError(f"the answer to GET {path} is larger than {MOST_BYTES} bytes: expose fewer series")
        yield chunk


def _body(raw: bytes, path: str) -> str:
    head, separator, body = raw.partition(b"\r\n\r\n")
    status = head.split(b"\r\n", 1)[0].split()
    if not separator or len(status) < 2 or not status[0].startswith(b"HTTP/"):
        raise ScrapeError(f"GET {path} got no HTTP answer")
    if status[1] != b"200":
        code = status[1].decode("ascii", "replace")[:3]
        raise ScrapeError(f"GET {path} answers {code}: expose Prometheus metrics there, or set prometheus.io/path")
    if b"\r\ntransfer-encoding:" in head.lower():
        raise ScrapeError(f"GET {path} answers in chunks to an HTTP/1.0 request: send the whole page at once")
    return body.decode("utf-8", "replace")
