"""Parses and judges large amounts of YAML beside the interpreter that asks for it, in processes of their own.

Both hold the interpreter's lock: here they cost a process that writes what was read before. They take longer than
writing does, which is why there are two. The first is started when `WORTH_IT` bytes were given, and files are parsed
here until it is ready. They end with `close()` or with whoever started them. What one that is lost was asked for is
parsed here.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import IO

import orjson

from taxiway.features.catalog.kinds import Kinds, shipped
from taxiway.features.catalog.sources.items import ReadRecord
from taxiway.features.catalog.sources.read import Parsed
from taxiway.features.catalog.sources.wire import LENGTH, taken, told_kinds
from taxiway.kit.yaml_documents import documents_and_faults

WORKER = Path(__file__).with_name("parsing_worker.py")
PROCESSES = 2
WORTH_IT = 200_000
"""Bytes, for each process; starting it costs as much as parsing them."""
SMALL = 20_000
"""Bytes; texts of fewer are parsed sooner than they are asked for."""
AHEAD = 2_500_000
"""Bytes that may be begun before they are taken: what is done while a transaction is waited for. What they come to
takes four times as much."""


class ParsedApart:
    """Gives what `documents_and_faults` gives, for one text after another, and records in place of valid documents
    that `kinds` judge by themselves; `origin` is where their source was registered. For one thread; a context manager.
    """

    def __init__(self, origin: str = "", kinds: Kinds | None = None) -> None:
        self._origin, self.kinds = origin, kinds or shipped()
        self._given = self._begun = self._turn = 0
        self._processes: list[_Process] = []

    def __enter__(self) -> ParsedApart:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def is_full(self) -> bool:
        """Whether so much is begun that the first of it should be taken."""
        return self._begun > AHEAD or not any(process.is_ready() for process in self._processes)

    def begin(self, content: bytes, location: str = "") -> Callable[[], Parsed]:
        """Begin to parse a text; what is returned waits for its documents and faults."""
        if len(self._processes) < PROCESSES and self._given >= WORTH_IT * (1 + len(self._processes)):
            told = {"origin": self._origin, "kinds": told_kinds(self.kinds)}
            self._processes.append(_Process(orjson.dumps(told)))
        self._given += len(content)
        ready = [process for process in self._processes if process.is_ready()]
        self._begun += len(content)
        if len(content) < SMALL or not ready:
            return partial(self._here, content)
        at = location.encode("utf-8", "surrogatepass")
        self._turn += 1
        asked = ready[self._turn % len(ready)].ask(LENGTH.pack(len(at)), at, content)
        return partial(self._taken, asked, content, location)

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.close()

    def _here(self, content: bytes) -> Parsed:
        self._begun -= len(content)
        return documents_and_faults(content)

    def _taken(self, asked: Future[bytes], content: bytes, location: str) -> Parsed:
        self._begun -= len(content)
        try:
            answer = asked.result()
        except (OSError, EOFError):
            answer = b""
        if not answer:
            return documents_and_faults(content)
        return taken(answer, location, lambda record: ReadRecord(record, self.kinds, content))


class _Process:
    """One process, and the thread that asks it."""

    def __init__(self, told: bytes) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._is_lost = False
        self._asking = ThreadPoolExecutor(1, thread_name_prefix="parsing")
        self.started = self._asking.submit(self._begin, told)

    def is_ready(self) -> bool:
        """Whether it was started, and is not lost."""
        return not self._is_lost and self.started.done()

    def ask(self, *parts: bytes) -> Future[bytes]:
        """Its answer, later. OSError or EOFError when it is lost."""
        return self._asking.submit(self._ask, parts)

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

    def _begin(self, told: bytes) -> None:
        try:
            self.process = _start()
            _exchange(self.process, (told,))
        except (OSError, EOFError):
            self._is_lost = True

    def _ask(self, parts: tuple[bytes, ...]) -> bytes:
        assert self.process is not None
        try:
            return _exchange(self.process, parts)
        except (OSError, EOFError):
            self._is_lost = True
            raise


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
