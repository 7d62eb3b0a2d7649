"""The rendering processes: started when they are needed, at most so many at a time, a few kept warm for a while.

Whoever needs one takes an idle one, starts one while few work, and else waits a moment for one that works: starting a
process costs more than most renders. Only when none comes free in that time one more is started, so that a few slow
templates hold nobody up. Called by `rendering/client.py` alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from taxiway.kit.built import built_web
from taxiway.model.errors import InputError, TimedOutError, UnavailableError
from taxiway.plugin import Identity

WORKER = Path(__file__).with_name("worker.py")
ENGINE = Path("templating", "nunjitsu.js")
"""The engine in the folder of the built portal."""
MEMORY_BYTES = 512 * 1024 * 1024
CPU_SECONDS = 120
BUSY_SECONDS = 60.0
"""A worker that was busy for so long is replaced, well before its limit could end it in the midst of a request."""
IDLE_SECONDS = 20.0
KEEP = 2
MOST = 8
PATIENCE_SECONDS = 0.5
"""How long a worker is waited for before one more is started."""
QUEUE_SECONDS = 30.0


class RenderError(InputError):
    """A template could not be rendered. The message has the file, the line and the reason."""


class Worker:
    """One rendering process."""

    def __init__(self, engine: Path, identity: Identity) -> None:
        uid, gid = (-1, -1) if identity.uid is None else (identity.uid, identity.gid or identity.uid)
        # -I keeps the environment and the current folder out.
        self.process = subprocess.Popen(
            [sys.executable, "-I", str(WORKER), str(engine), str(MEMORY_BYTES), str(CPU_SECONDS), str(uid), str(gid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
        )
        self.used_at = time.monotonic()
        self.busy_seconds = 0.0

    def ask(self, request: bytes, seconds: float) -> dict[str, Any]:
        """The answer to a request, within `seconds`."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        begin = time.monotonic()
        deadline = begin + seconds
        self.process.stdin.write(struct.pack(">I", len(request)) + request)
        self.process.stdin.flush()
        (length,) = struct.unpack(">I", self._read(4, deadline))
        answer = json.loads(self._read(length, deadline))
        self.used_at = time.monotonic()
        self.busy_seconds += self.used_at - begin
        assert isinstance(answer, dict)
        return answer

    def is_usable(self) -> bool:
        """Whether it lives, and has not worked for too long."""
        return self.process.poll() is None and self.busy_seconds < BUSY_SECONDS

    def close(self) -> None:
        """End the process."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in filter(None, (self.process.stdin, self.process.stdout)):
            with contextlib.suppress(OSError):
                stream.close()

    def _read(self, count: int, deadline: float) -> bytes:
        assert self.process.stdout is not None
        descriptor, parts = self.process.stdout.fileno(), bytearray()
        while len(parts) < count:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimedOutError("rendering the template took too long: look for a loop without an end")
            chunk = os.read(descriptor, min(count - len(parts), 1 << 20))
            if not chunk:
                raise RenderError("rendering the template was stopped: it needs more memory or time than the limit")
            parts += chunk
        return bytes(parts)


class Pool:
    """Workers for many threads, each for one at a time: `take` one, then `give` it back or `drop` it."""

    def __init__(
        self, start: Callable[[], Worker], *, keep: int = KEEP, most: int = MOST, patience: float = PATIENCE_SECONDS
    ) -> None:
        self._start, self._keep, self._most, self._patience = start, keep, most, patience
        self._idle: list[Worker] = []
        self._taken = 0
        self._free = threading.Condition()
        self._timer: threading.Timer | None = None

    def take(self) -> Worker:
        """A worker. UnavailableError when none comes free in time."""
        begin = time.monotonic()
        with self._free:
            while True:
                if (worker := self._usable()) is not None:
                    self._taken += 1
                    return worker
                waited = time.monotonic() - begin
                if self._taken < (self._most if waited >= self._patience else self._keep):
                    self._taken += 1
                    break
                if waited >= QUEUE_SECONDS:
                    raise UnavailableError("every rendering process is busy: try again in a minute")
                self._free.wait((self._patience if waited < self._patience else QUEUE_SECONDS) - waited)
        try:
            return self._start()
        except BaseException:
            self._left()
            raise

    def give(self, worker: Worker) -> None:
        """The worker is free for the next one."""
        with self._free:
            is_kept = len(self._idle) < self._keep and worker.is_usable()
            if is_kept:
                self._idle.append(worker)
                self._expire_later()
            self._taken -= 1
            self._free.notify()
        if not is_kept:
            worker.close()

    def drop(self, worker: Worker) -> None:
        """End the worker: nobody knows what its last request left behind."""
        worker.close()
        self._left()

    def close(self) -> None:
        """End every idle worker."""
        with self._free:
            idle, self._idle = self._idle, []
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        for worker in idle:
            worker.close()

    def _usable(self) -> Worker | None:
        while self._idle:
            worker = self._idle.pop()
            if worker.is_usable():
                return worker
            worker.close()
        return None

    def _left(self) -> None:
        with self._free:
            self._taken -= 1
            self._free.notify()

    def _expire_later(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(IDLE_SECONDS, self._expire)
            self._timer.daemon = True
            self._timer.start()

    def _expire(self) -> None:
        with self._free:
            self._timer = None
            limit = time.monotonic() - IDLE_SECONDS
            old = [worker for worker in self._idle if worker.used_at < limit]
            self._idle = [worker for worker in self._idle if worker.used_at >= limit]
            if self._idle:
                self._expire_later()
        for worker in old:
            worker.close()


def start_worker(identity: Identity) -> Worker:
    """A new rendering process, which runs as `identity`."""
    web = built_web()
    if web is None or not (web / ENGINE).is_file():
        raise UnavailableError("the template engine is not built in this checkout: run `make web`, then try again")
    return Worker(web / ENGINE, identity)
