"""Follows one run: its log lines and its states as they come, for SSE and for the command line."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from sqlalchemy import select

from taxiway.core.runs import repository
from taxiway.core.runs.parts import Parts
from taxiway.core.store.tables import run as run_table
from taxiway.kit.signals import waker
from taxiway.model.run import ENDED, Run
from taxiway.model.workload import LogLine

POLL_SECONDS = 0.1
"""How often runs of other processes are looked at; what happens in this process wakes the follower."""
LINES = 500


@dataclass(frozen=True)
class RunUpdate:
    """Something new: the run as it stands now, or a line of the log of `step_id`."""

    run: Run | None = None
    step_id: str | None = None
    line: LogLine | None = None


class Follower:
    """Iterate it (in a thread, or with `async for`): first the run as it stands, then updates, until the run ended."""

    def __init__(self, parts: Parts, run_id: str, after: int = 0) -> None:
        self._parts, self._run_id, self._after = parts, run_id, after
        self._version = 0
        self.ended = False

    def poll(self) -> list[RunUpdate]:
        """What is new since the last call, without waiting; sets `ended` once nothing can follow."""
        with self._parts.store.read() as conn:
            lines = repository.read_logs(conn, self._run_id, None, self._after, LINES)
            query = select(run_table.c.version, run_table.c.state).where(run_table.c.id == self._run_id)
            row = conn.execute(query).first()
            if row is None:
                self.ended = True  # retention removed it
                return []
            # A full batch means that more lines are there: they come before the state that they led to
            first, more = self._version == 0, len(lines) == LINES
            run = repository.load(conn, self._run_id) if row.version != self._version and (first or not more) else None
        updates = [RunUpdate(step_id=step_id, line=line) for step_id, line in lines]
        if lines:
            self._after = lines[-1][1].seq
        if run is not None:
            self._version = run.version
            updates = [RunUpdate(run=run), *updates] if first else [*updates, RunUpdate(run=run)]
        self.ended = row.state in ENDED and not more
        return updates

    def __iter__(self) -> Iterator[RunUpdate]:
        wake = threading.Event()
        remove = self._parts.signals.listen(f"run:{self._run_id}", wake.set)
        try:
            while not self.ended:
                wake.clear()
                yield from self.poll()
                if not self.ended:
                    wake.wait(POLL_SECONDS)
        finally:
            remove()

    async def __aiter__(self) -> AsyncIterator[RunUpdate]:
        loop, wake = asyncio.get_running_loop(), asyncio.Event()
        remove = self._parts.signals.listen(f"run:{self._run_id}", waker(loop, wake))
        try:
            while not self.ended:
                wake.clear()
                for update in await asyncio.to_thread(self.poll):
                    yield update
                if not self.ended:
                    try:
                        await asyncio.wait_for(wake.wait(), POLL_SECONDS)
                    except TimeoutError:
                        continue
        finally:
            remove()
