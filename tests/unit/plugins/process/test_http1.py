"""Heads and bodies of HTTP/1.1: what is clean passes whatever the packets, the rest is refused."""

import asyncio

import pytest

from taxiway.plugins.process import http1

pytestmark = pytest.mark.unit


async def _body(data: bytes, length: int | None) -> bytes:
    reader = asyncio.StreamReader(limit=http1.HEAD_BYTES)

    async def feed() -> None:
        for position in range(len(data)):
            reader.feed_data(data[position : position + 1])
            await asyncio.sleep(0)
        reader.feed_eof()

    feeding = asyncio.create_task(feed())
    result = b"".join([piece async for piece in http1.pieces(reader, length, 1)])
    await feeding
    return result


def head(text: str) -> http1.Head | None:
    async def read() -> http1.Head | None:
        reader = asyncio.StreamReader(limit=http1.HEAD_BYTES)
        reader.feed_data(text.encode("latin-1"))
        reader.feed_eof()
        return await http1.read_head(reader)

    return asyncio.run(read())


def test_chunks_are_joined_and_trailers_dropped() -> None:
    data = b"3\r\nabc\r\nA;note=x\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n"
    assert asyncio.run(_body(data, -1)) == b"abc0123456789"


@pytest.mark.parametrize(
    "data", [b"3\r\nab", b"0x3\r\nabc\r\n0\r\n\r\n", b"3\nabc\r\n0\r\n\r\n", b"3\r\nabcd\r\n0\r\n\r\n"]
)
def test_broken_chunks_are_refused(data: bytes) -> None:
    with pytest.raises(http1.BadMessage):
        asyncio.run(_body(data, -1))


def test_a_short_body_is_an_error_and_not_an_end() -> None:
    with pytest.raises(http1.BadMessage):
        asyncio.run(_body(b"abc", 4))


def test_an_unframed_body_lasts_until_the_peer_closes() -> None:
    assert asyncio.run(_body(b"abc", None)) == b"abc"


def test_hop_by_hop_headers_go_with_those_that_connection_names() -> None:
    found = head(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-One\r\nx-one: 1\r\nTE: trailers\r\nAccept: b\r\n\r\n"
    )
    assert found is not None
    assert http1.end_to_end(found) == [(b"Host", b"a"), (b"Accept", b"b")]


@pytest.mark.parametrize(
    "lengths", ["Content-Length: 1\r\nContent-Length: 1\r\n", "Content-Length: 1, 1\r\n", "Content-Length: \xb2\r\n"]
)
def test_lengths_that_are_not_one_number_are_refused(lengths: str) -> None:
    found = head(f"POST / HTTP/1.1\r\n{lengths}\r\n")
    assert found is not None
    with pytest.raises(http1.BadMessage):
        http1.body_length(found, is_old=False)


def test_the_end_of_a_connection_is_no_request() -> None:
    assert head("") is None
    assert head("\r\n") is None
    with pytest.raises(http1.BadMessage):
        head("GET / HTTP/1.1\r\nHost")
