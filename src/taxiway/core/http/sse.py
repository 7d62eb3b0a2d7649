"""Server-sent events: one helper that ends when the client leaves, when the source ends, or when Taxiway stops. Beside
it long polls, for clients that cannot stream.

Sources are polled in a thread, quickly after a change and slower when nothing happens, so an idle stream costs little:
no thread waits with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import orjson
from fastapi import Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from taxiway.core.context import Platform
from taxiway.kit.signals import waker

T = TypeVar("T")
HEARTBEAT_SECONDS = 15.0
FASTEST_SECONDS = 0.1
SLOWEST_SECONDS = 1.0
FURTHEST = 2**53 - 1
After = Annotated[int, Query(ge=0, le=FURTHEST)]
"""The number behind which a client goes on: one that every client and every database can hold."""


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


def resume_after(last_event_id: str | None, otherwise: int = 0) -> int:
    """The number in a `Last-Event-ID` header, else `otherwise`."""
    is_number = last_event_id and last_event_id.isdecimal() and len(last_event_id) < len(str(FURTHEST))
    return int(last_event_id) if last_event_id and is_number else otherwise


def event_stream(platform: Platform, poll: Callable[[], Batch], topic: str | None = None) -> StreamingResponse:
    """Stream what `poll` (blocking, called in a thread, one call at a time) finds; a signal on `topic` makes it look
    at once."""
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_chunks(platform, poll, topic), media_type="text/event-stream", headers=headers)


async def found_within(platform: Platform, poll: Callable[[], list[T]], topic: str, seconds: float) -> list[T]:
    """What `poll` (blocking, called in a thread) finds once it finds anything; nothing after so many seconds."""
    wake, deadline = asyncio.Event(), platform.clock.monotonic() + seconds
    remove = platform.signals.listen(topic, waker(asyncio.get_running_loop(), wake))
    try:
        while True:
            wake.clear()
            found = await run_in_threadpool(poll)
            left = deadline - platform.clock.monotonic()
            if found or left <= 0 or platform.stopping.is_set():
                return found
            with suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), min(SLOWEST_SECONDS, left))
    finally:
        remove()


async def _chunks(platform: Platform, poll: Callable[[], Batch], topic: str | None) -> AsyncIterator[bytes]:
    wake = asyncio.Event()
    listening = platform.signals.listen(topic, waker(asyncio.get_running_loop(), wake)) if topic else None
    try:
        yield b": open\n\n"
        pause, silent_since = FASTEST_SECONDS, platform.clock.monotonic()
        while not platform.stopping.is_set():
            wake.clear()
            batch = await run_in_threadpool(poll)
            for event in batch.events:
                yield event.encode()
            if batch.done:
                return
            now = platform.clock.monotonic()
            if batch.events:
                pause, silent_since = FASTEST_SECONDS, now
            elif now - silent_since >= HEARTBEAT_SECONDS:
                silent_since = now
                yield b": still here\n\n"
            pause = min(SLOWEST_SECONDS, pause * 1.5)
            with suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), pause)
    finally:
        if listening is not None:
            listening()
