"""Answers that go on: lines as the other side sends them. Called by `Outgoing.open_lines` alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import SplitResult

from taxiway.model.errors import TooLargeError, UnavailableError
from taxiway.plugin.outgoing.answer import Answer, shown

if TYPE_CHECKING:
    import urllib3

CHUNK = 65_536
MOST_REFUSAL = 100_000
CONNECT_SECONDS = 10.0


def open_stream(
    pool: urllib3.HTTPConnectionPool, url: SplitResult, headers: Mapping[str, str], idle_seconds: float, line_bytes: int
) -> tuple[Answer, Iterator[bytes]]:
    """The answer, with its body where it is no success, and its lines otherwise."""
    import urllib3
    from urllib3.exceptions import HTTPError

    place = url.geturl()
    try:
        response = pool.urlopen(
            "GET",
            (url.path or "/") + (f"?{url.query}" if url.query else ""),
            headers={"host": url.netloc, **headers},
            redirect=False,
            retries=False,
            timeout=urllib3.Timeout(CONNECT_SECONDS, idle_seconds),
            preload_content=False,
            assert_same_host=False,
        )
        said = {name.lower(): value for name, value in response.headers.items()}
        if response.status != 200:
            body = response.read(MOST_REFUSAL)
            response.close()
            return Answer(response.status, said, body, place), iter(())
    except (HTTPError, OSError, ValueError) as error:
        raise _broken(place, error) from error
    return Answer(200, said, b"", place), _lines(response, place, line_bytes)


def _lines(response: urllib3.BaseHTTPResponse, place: str, line_bytes: int) -> Iterator[bytes]:
    from urllib3.exceptions import HTTPError

    rest = b""
    try:
        while True:
            part = response.read1(CHUNK, decode_content=True)
            if not part:
                return
            *whole, rest = (rest + part).split(b"\n")
            yield from (line for line in whole if line.strip())
            if len(rest) > line_bytes:
                raise TooLargeError(
                    f"{shown(place)} sent a line of more than {line_bytes} bytes", code="outgoing.too_large"
                )
    except (HTTPError, OSError, ValueError) as error:
        raise _broken(place, error) from error
    finally:
        response.close()


def _broken(place: str, error: Exception) -> UnavailableError:
    return UnavailableError(
        f"{shown(place)} does not go on ({type(error).__name__}): check the network and the other system",
        code="outgoing.unreachable",
    )
