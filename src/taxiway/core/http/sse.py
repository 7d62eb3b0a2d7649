"""Server-sent events: one helper that ends when the client leaves, when the source ends, or when Taxiway stops.

Sources are polled in a thread, quickly after a change and slower when nothing happens, so an idle stream costs little.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from taxiway.core.context import Platform

HEARTBEAT_SECONDS = 15.0
FASTEST_SECONDS = 0.1
SLOWEST_SECONDS = 1.0
TICK_SECONDS = 0.1


@dataclass(frozen=True)
class SseEvent:
    """One event: its name, its data (JSON), and an id from which a client can go on."""

    event: str
    data: Any
    id: str | None = None

    def encode(self) -> bytes:
        """The event on the wire."""
        head = f"id: {self.id}\n" if self.id is not None else ""
        return f"{head}event: {self.event}\ndata: ".encode() + orjson.dumps(self.data) + b"\n\n"


@dataclass(frozen=True)
class Batch:
    """What a poll found; `done` closes the stream after these."""

    events: Sequence[SseEvent] = ()
    done: bool = False


def event_stream(platform: Platform, poll: Callable[[], Batch]) -> StreamingResponse:
    """Stream what `poll` (blocking, called in a thread, one call at a time) finds."""
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_chunks(platform, poll), media_type="text/event-stream", headers=headers)


async def _chunks(platform: Platform, poll: Callable[[], Batch]) -> AsyncIterator[bytes]:
    yield b": open\n\n"
    pause, silent = FASTEST_SECONDS, 0.0
    while not platform.stopping.is_set():
        batch = await run_in_threadpool(poll)
        for event in batch.events:
            yield event.encode()
        if batch.done:
            return
        if batch.events:
            pause, silent = FASTEST_SECONDS, 0.0
        else:
            pause = min(SLOWEST_SECONDS, pause * 1.5)
        silent += await _sleep(platform, pause)
        if silent >= HEARTBEAT_SECONDS:
            silent = 0.0
            yield b": still here\n\n"


async def _sleep(platform: Platform, seconds: float) -> float:
    slept = 0.0
    while slept < seconds and not platform.stopping.is_set():
        await asyncio.sleep(min(TICK_SECONDS, seconds - slept))
        slept += TICK_SECONDS
    return slept
