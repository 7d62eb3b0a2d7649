"""The processes that `parsing` gives files to, and those that stand by for the next source.

They end when they are closed, or with whoever started them.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO

from taxiway.features.catalog.sources.wire import LENGTH

WORKER = Path(__file__).with_name("parsing_worker.py")
PROCESSES = 2
MOST = 4 * PROCESSES
"""Processes that are taken at once, by whoever asks: more would only take turns on the processor, at 12 MB and more."""
LIFE = 30_000_000
"""Bytes that a process is given before another one takes its place."""


class ParsingProcess:
    """One process, and the thread that asks it."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._is_lost, self._last, self._given, self._answered = False, Future[bytes](), 0, 0
        self._asking = ThreadPoolExecutor(1, thread_name_prefix="parsing")
        self.started = self._asking.submit(self._begin)

    def is_ready(self) -> bool:
        """Whether it was started, and is not lost."""
        return not self._is_lost and self.started.done()

    def pending(self) -> int:
        """Bytes that it was given and has not answered."""
        return self._given - self._answered

    def ask(self, *parts: bytes) -> Future[bytes]:
        """Its answer, later. OSError or EOFError when it is lost."""
        self._given += sum(map(len, parts))
        self._last = self._asking.submit(self._ask, parts)
        return self._last

    def is_fit(self) -> bool:
        """Whether it has nothing to do, and may be asked for more: its memory grows with what it has read."""
        return self.is_ready() and self._last.done() and self._given < LIFE

    def close(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.kill()  # what is being asked for ends with it
        self._asking.shutdown(cancel_futures=True)
        if self.process is not None:
            self.process.kill()  # it may have been started meanwhile
            # Leaving it closes the pipes and waits for its end. What was not sent yet goes nowhere.
            with contextlib.suppress(OSError), self.process:
                pass

    def _begin(self) -> None:
        try:
            self.process = _start()
            _exchange(self.process, ())
        except (OSError, EOFError):
            self._is_lost = True

    def _ask(self, parts: tuple[bytes, ...]) -> bytes:
        try:
            if self.process is None:
                raise EOFError("the parsing process did not start")
            return _exchange(self.process, parts)
        except (OSError, EOFError):
            self._is_lost = True
            raise
        finally:
            self._answered += sum(map(len, parts))


def _start() -> subprocess.Popen[bytes]:
    # -I keeps the environment and the current folder out.
    return subprocess.Popen(
        [sys.executable, "-I", str(WORKER), str(WORKER.parents[4])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        cwd="/",
        start_new_session=True,
    )


def _exchange(process: subprocess.Popen[bytes], parts: tuple[bytes, ...]) -> bytes:
    texts, answers = _streams(process)
    for part in (LENGTH.pack(sum(map(len, parts))), *parts):
        texts.write(part)
    texts.flush()
    return _read(answers, LENGTH.unpack(_read(answers, LENGTH.size))[0])


def _streams(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def _read(stream: IO[bytes], count: int) -> bytes:
    found = stream.read(count)
    if len(found) < count:
        raise EOFError("the parsing process ended")
    return found


class Standby:
    """Processes that were started before somebody needs them: a tenth of a second, and 12 MB each. None stands by until
    `keep`, and then somebody who needs one starts it."""

    def __init__(self) -> None:
        self._ready: list[ParsingProcess] = []
        self._count, self._taken, self._lock = 0, 0, threading.Lock()

    def keep(self, count: int) -> None:
        """Have so many stand by from now on."""
        self._count = count
        self._fill()

    def give_back(self, processes: Sequence[ParsingProcess]) -> None:
        """They are not needed any more: they stand by again, or others do."""
        with self._lock:
            self._taken -= len(processes)
            fit = [one for one in processes if one.is_fit()][: max(0, self._count - len(self._ready))]
            self._ready += fit
        for process in processes:
            if process not in fit:
                process.close()
        self._fill()

    def is_ready(self) -> bool:
        """Whether one can be taken that needs no start."""
        with self._lock:
            return self._taken < MOST and any(process.is_ready() for process in self._ready)

    def take(self) -> ParsingProcess | None:
        """One that stands by, rather one that needs no start, or a new one; None when `MOST` are taken. It is the
        caller's, who gives it back."""
        with self._lock:
            if self._taken >= MOST:
                return None
            self._taken += 1
            if not self._ready:
                return ParsingProcess()
            return self._ready.pop(next((place for place, one in enumerate(self._ready) if one.is_ready()), 0))

    def _fill(self) -> None:
        # Starts those that are missing, without waiting for them.
        with self._lock:
            while len(self._ready) < self._count:
                self._ready.append(ParsingProcess())
            gone, self._ready = self._ready[self._count :], self._ready[: self._count]
        for process in gone:
            process.close()
