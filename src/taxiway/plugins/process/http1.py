"""HTTP/1.1 message heads and bodies, strictly parsed (RFC 9112), for the router.

Whatever two servers could read in two ways is refused rather than repaired: both lengths, folded lines, bare line
feeds, spaces before the colon, chunk sizes that are not plain hexadecimal.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

HEAD_BYTES = 65_536
PIECE_BYTES = 65_536
CHUNK_LINE_BYTES = 4096
TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
HEX = frozenset(b"0123456789abcdefABCDEF")
CONNECTION_HEADERS = frozenset(
    b"connection keep-alive proxy-connection proxy-authenticate proxy-authorization "
    b"te trailer transfer-encoding upgrade".split()
)
Headers = list[tuple[bytes, bytes]]


class BadMessage(Exception):
    """The peer sent something that is not clean HTTP/1.1. `status` is the answer when the peer is a client."""

    def __init__(self, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status


class Head:
    """A start line in three parts and the headers, names as sent."""

    __slots__ = ("headers", "start")

    def __init__(self, start: tuple[bytes, bytes, bytes], headers: Headers) -> None:
        self.start = start
        self.headers = headers

    def all(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key.lower() == name]

    def tokens(self, name: bytes) -> set[bytes]:
        """The comma-separated values of a header in lower case."""
        return {part.strip().lower() for value in self.all(name) for part in value.split(b",") if part.strip()}


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The next head, or None when the peer closed in between. The reader's limit bounds its size."""
    try:
        data = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if not error.partial.strip(b"\r\n"):
            return None
        raise BadMessage("the connection ended inside the header") from error
    except asyncio.LimitOverrunError as error:
        raise BadMessage(f"the header is longer than {HEAD_BYTES} bytes", 431) from error
    lines = data[:-4].split(b"\r\n")
    # RFC 9112 §2.2: one empty line in front of a request line is to be ignored.
    if lines and not lines[0]:
        lines = lines[1:]
    if not lines:
        raise BadMessage("the request line is missing")
    parts = lines[0].split(b" ", 2)
    if len(parts) < 2 or _has_control(lines[0]):
        raise BadMessage("the first line is malformed")
    return Head((parts[0], parts[1], parts[2] if len(parts) > 2 else b""), [_header(line) for line in lines[1:]])


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    if not colon or not name or not TOKEN.issuperset(name):
        raise BadMessage("a header line is malformed (folded lines and spaces before the colon are refused)")
    value = value.strip(b" \t")
    if _has_control(value):
        raise BadMessage("a header has a control character")
    return name, value


def _has_control(value: bytes) -> bool:
    return any((byte < 32 and byte != 9) or byte == 127 for byte in value)


def body_length(head: Head, is_old: bool) -> int | None:
    """Bytes of the body by Content-Length, -1 for chunked, None when neither is there."""
    coding = head.all(b"transfer-encoding")
    length = head.all(b"content-length")
    if coding:
        if length:
            raise BadMessage("both Content-Length and Transfer-Encoding were sent")
        if is_old or len(coding) != 1 or coding[0].lower() != b"chunked":
            raise BadMessage("the only transfer coding understood is chunked", 400 if is_old else 501)
        return -1
    if not length:
        return None
    if len(length) != 1 or not length[0].isdigit() or len(length[0]) > 18:
        raise BadMessage("Content-Length is not one number")
    return int(length[0])


async def pieces(reader: asyncio.StreamReader, length: int | None, idle_seconds: float | None) -> AsyncIterator[bytes]:
    """The body in pieces as they arrive; `length` as from `body_length`, None: until the peer closes.

    TimeoutError when nothing comes for `idle_seconds`; BadMessage when the body is cut or malformed.
    """
    if length == -1:
        async for piece in _chunks(reader, idle_seconds):
            yield piece
        return
    left = length
    while left is None or left > 0:
        async with asyncio.timeout(idle_seconds):
            piece = await reader.read(PIECE_BYTES if left is None else min(left, PIECE_BYTES))
        if not piece:
            if left is None:
                return
            raise BadMessage("the body ended early")
        if left is not None:
            left -= len(piece)
        yield piece


async def _chunks(reader: asyncio.StreamReader, idle_seconds: float | None) -> AsyncIterator[bytes]:
    while True:
        size_text = (await _line(reader, idle_seconds)).split(b";", 1)[0].rstrip(b" \t")
        if not size_text or len(size_text) > 15 or not HEX.issuperset(size_text):
            raise BadMessage("a chunk size is malformed")
        size = int(size_text, 16)
        if size == 0:
            break
        async for piece in pieces(reader, size, idle_seconds):
            yield piece
        if await _line(reader, idle_seconds):
            raise BadMessage("a chunk is longer than its size says")
    # Trailers are read and dropped: a proxy may, and they could smuggle framing headers.
    total = 0
    while line := await _line(reader, idle_seconds):
        _header(line)
        total += len(line)
        if total > HEAD_BYTES:
            raise BadMessage("the trailer is too long", 431)


async def _line(reader: asyncio.StreamReader, idle_seconds: float | None) -> bytes:
    try:
        async with asyncio.timeout(idle_seconds):
            line = await reader.readuntil(b"\r\n")
    except asyncio.IncompleteReadError as error:
        raise BadMessage("the body ended early") from error
    except asyncio.LimitOverrunError as error:
        raise BadMessage("a chunk line is too long") from error
    if len(line) > CHUNK_LINE_BYTES or b"\n" in line[:-2] or b"\r" in line[:-2]:
        raise BadMessage("a chunk line is malformed")
    return line[:-2]


def end_to_end(head: Head) -> Headers:
    """The headers without those that concern one connection only."""
    dropped = CONNECTION_HEADERS | head.tokens(b"connection")
    return [(name, value) for name, value in head.headers if name.lower() not in dropped]


def encode(start: bytes, headers: Headers) -> bytes:
    """A head as bytes."""
    return b"".join([start, b"\r\n", *(b"%b: %b\r\n" % header for header in headers), b"\r\n"])
