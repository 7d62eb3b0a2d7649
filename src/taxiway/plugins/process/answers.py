"""The router's own answers: problems (RFC 9457) and its two pages. Part of the router: standard library only."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__:
    from taxiway.plugins.process import exchange, http1
else:
    import exchange
    import http1


class Counters:
    """Totals of one host since the router's start."""

    __slots__ = ("bytes_in", "bytes_out", "errors", "requests")

    def __init__(self) -> None:
        self.requests = self.errors = self.bytes_in = self.bytes_out = 0


async def answer(writer: asyncio.StreamWriter, status: int, kind: bytes, body: bytes) -> bool:
    """Send a whole answer and say False: the connection is not used again."""
    headers = [(b"Content-Type", kind), (b"Content-Length", b"%d" % len(body)), (b"Connection", b"close")]
    headers.append((b"Cache-Control", b"no-store"))
    if status in (502, 504):
        headers.append((b"Retry-After", b"1"))
    writer.write(http1.encode(b"HTTP/1.1 %d %b" % (status, b"OK" if status == 200 else b"Problem"), headers) + body)
    await exchange.drain(writer)
    return False


async def answer_problem(writer: asyncio.StreamWriter, status: int, title: str, detail: str) -> bool:
    """An RFC 9457 problem; False as above."""
    body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail}).encode()
    return await answer(writer, status, b"application/problem+json", body)


def metrics_text(counters: dict[str, Counters]) -> str:
    """Counters per host in the text format of Prometheus. Only hosts of the table are ever counted."""
    lines = []
    for name in ("requests", "errors", "bytes_in", "bytes_out"):
        lines.append(f"# TYPE taxiway_router_{name}_total counter")
        for host, totals in sorted(counters.items()):
            lines.append(f'taxiway_router_{name}_total{{host="{host}"}} {getattr(totals, name)}')
    return "\n".join(lines) + "\n"
