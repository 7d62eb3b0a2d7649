"""One request through the router: request head out, both bodies streamed at the same time, response head back.

Called by `router.Connection` once the route is known. No body is ever held: each piece is passed on before the next
one is read, so memory stays flat whatever the size.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__:
    from taxiway.plugins.process import http1
else:
    import http1

CLIENT_IDLE_SECONDS = 60.0
HEAD_SECONDS = 120.0
CONNECT_SECONDS = 5.0
REPLACED = frozenset(
    b"forwarded x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-port "
    b"x-real-ip x-request-id content-length host".split()
)


class UpstreamError(Exception):
    """The workload did not answer properly. `status` 502 or 504."""

    def __init__(self, detail: str, status: int = 502) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status


class Exchange:
    """State of one request. `is_answered`: a response head went to the client. `keep`: the connection goes on."""

    def __init__(self, head: http1.Head, length: int | None, client: str, host: str) -> None:
        self.head = head
        self.length = length
        self.client = client
        self.host = host
        self.is_old = head.start[2] == b"HTTP/1.0"
        tokens = head.tokens(b"connection")
        self.is_upgrade = b"upgrade" in tokens and bool(head.all(b"upgrade")) and not self.is_old
        self.keep = b"close" not in tokens and not self.is_old
        self.is_sent = False
        self.is_answered = False
        self.status = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.request_id = _request_id(head)

    async def run(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        upstream: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        """Pass the request on and the response back. UpstreamError before an answer, OSError when a side is lost."""
        upstream[1].write(http1.encode(b" ".join((*self.head.start[:2], b"HTTP/1.1")), self._request_headers()))
        sending = asyncio.create_task(self._send_body(client[0], upstream[1]))
        try:
            answer = await self._answer(client[1], upstream[0], sending)
            if answer.start[1] == b"101":
                await sending
                await self._switch(answer, client, upstream)
                return
            await self._receive_body(answer, client[1], upstream[0])
            if not sending.done():
                # The workload answered without reading everything: the rest must not be taken for a next request.
                self.keep = False
        finally:
            if not sending.done():
                sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    def _request_headers(self) -> http1.Headers:
        sent_host = (self.head.all(b"host") or [self.host.encode("latin-1")])[0]
        headers = [(name, value) for name, value in http1.end_to_end(self.head) if name.lower() not in REPLACED]
        headers += [
            (b"Host", sent_host),
            (b"X-Forwarded-For", self.client.encode()),
            (b"X-Forwarded-Host", sent_host),
            (b"X-Forwarded-Proto", b"http"),
            (b"X-Request-Id", self.request_id),
        ]
        if self.length == -1:
            headers.append((b"Transfer-Encoding", b"chunked"))
        elif self.length is not None:
            headers.append((b"Content-Length", b"%d" % self.length))
        if self.is_upgrade:
            headers += [(b"Connection", b"Upgrade"), (b"Upgrade", self.head.all(b"upgrade")[0])]
        else:
            headers.append((b"Connection", b"close"))
        return headers

    async def _send_body(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        async for piece in http1.pieces(source, self.length or 0, CLIENT_IDLE_SECONDS):
            self.bytes_in += len(piece)
            try:
                if self.length == -1:
                    sink.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                else:
                    sink.write(piece)
                await sink.drain()
            except OSError:
                # The workload stopped reading; its answer, if there is one, says why.
                return
        if self.length == -1:
            sink.write(b"0\r\n\r\n")
        await sink.drain()
        self.is_sent = True

    async def _answer(
        self, client: asyncio.StreamWriter, source: asyncio.StreamReader, sending: asyncio.Task[None]
    ) -> http1.Head:
        """The final response head, relaying 1xx ones; a bad request body ends the wait with its own error."""
        while True:
            answer = await self._response_head(source, sending)
            code = answer.start[1]
            if code == b"101" and not self.is_upgrade:
                raise UpstreamError("the workload switched protocols without being asked")
            if code.startswith(b"1") and code != b"101":
                if not self.is_old:
                    client.write(http1.encode(b" ".join((b"HTTP/1.1", *answer.start[1:])), http1.end_to_end(answer)))
                continue
            return answer

    async def _response_head(self, source: asyncio.StreamReader, sending: asyncio.Task[None]) -> http1.Head:
        reading = asyncio.ensure_future(http1.read_head(source))
        try:
            while not reading.done():
                wanted = {reading} if sending.done() else {reading, sending}
                timeout = HEAD_SECONDS if sending.done() else None
                done, _ = await asyncio.wait(wanted, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    raise UpstreamError(f"the workload sent no answer within {HEAD_SECONDS:g} s", 504)
                if sending in done and not reading.done():
                    sending.result()
            answer = reading.result()
        except http1.BadMessage as error:
            if sending.done() and sending.exception() is error:
                raise
            raise UpstreamError(f"the workload's answer is malformed: {error.detail}") from error
        except ConnectionError as error:
            raise UpstreamError("the workload closed the connection without an answer") from error
        finally:
            reading.cancel()
        if answer is None:
            raise UpstreamError("the workload closed the connection without an answer")
        if not answer.start[0].startswith(b"HTTP/1.") or not answer.start[1].isdigit() or len(answer.start[1]) != 3:
            raise UpstreamError("the workload's answer is not HTTP/1.1")
        return answer

    def answered(self, status: int) -> None:
        self.is_answered = True
        self.status = status

    async def _receive_body(
        self, answer: http1.Head, client: asyncio.StreamWriter, source: asyncio.StreamReader
    ) -> None:
        status = int(answer.start[1])
        try:
            length = http1.body_length(answer, answer.start[0] == b"HTTP/1.0")
        except http1.BadMessage as error:
            raise UpstreamError(f"the workload's answer is malformed: {error.detail}") from error
        has_body = not (self.head.start[0] == b"HEAD" or status in (204, 304))
        is_chunked = has_body and (length == -1 or length is None) and not self.is_old
        headers = http1.end_to_end(answer)
        if not answer.all(b"x-request-id"):
            headers.append((b"X-Request-Id", self.request_id))
        if is_chunked:
            headers.append((b"Transfer-Encoding", b"chunked"))
        if not self.keep or not self.is_sent:
            self.keep = False
            headers.append((b"Connection", b"close"))
        self.answered(status)
        client.write(http1.encode(b" ".join((b"HTTP/1.1", *answer.start[1:])), headers))
        if has_body:
            async for piece in http1.pieces(source, length, None):
                self.bytes_out += len(piece)
                client.write(b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece)
                await drain(client)
            if is_chunked:
                client.write(b"0\r\n\r\n")
        await drain(client)

    async def _switch(
        self,
        answer: http1.Head,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        upstream: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        """WebSocket and the like: bytes in both directions until both sides ended, or one was lost."""
        self.keep = False
        self.answered(101)
        headers = [*http1.end_to_end(answer), (b"Connection", b"Upgrade")]
        headers += [(b"Upgrade", value) for value in answer.all(b"upgrade")]
        client[1].write(http1.encode(b" ".join((b"HTTP/1.1", *answer.start[1:])), headers))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_copy(client[0], upstream[1], self._count_in))
                group.create_task(_copy(upstream[0], client[1], self._count_out))
        except* OSError:
            pass  # One side is lost; the caller closes the other.

    def _count_in(self, size: int) -> None:
        self.bytes_in += size

    def _count_out(self, size: int) -> None:
        self.bytes_out += size


async def drain(client: asyncio.StreamWriter) -> None:
    """Wait until the client took what was written; TimeoutError for one that stopped reading."""
    async with asyncio.timeout(CLIENT_IDLE_SECONDS):
        await client.drain()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter, count: Callable[[int], None]) -> None:
    while piece := await source.read(http1.PIECE_BYTES):
        sink.write(piece)
        await sink.drain()
        count(len(piece))
    if sink.can_write_eof():
        sink.write_eof()


def _request_id(head: http1.Head) -> bytes:
    given = head.all(b"x-request-id")
    if len(given) == 1 and 0 < len(given[0]) <= 128 and http1.TOKEN.issuperset(given[0]):
        return given[0]
    return os.urandom(16).hex().encode()
