"""Parses and judges large amounts of YAML beside the interpreter that asks for it, in a process of its own.

Both hold the interpreter's lock: here they cost a process that writes what was read before. The process is started when
`WORTH_IT` bytes were parsed without it, and files are parsed here until it is ready. It ends with `close()` or with
whoever started it. When it is lost, parsing goes on here.
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
WORTH_IT = 200_000
"""Bytes; starting the process costs more than parsing them."""
SMALL = 20_000
"""Bytes; texts of fewer are parsed sooner than they are asked for."""


class ParsedApart:
    """Gives what `documents_and_faults` gives, for one text after another, and records in place of valid documents
    that `kinds` judge by themselves; `origin` is where their source was registered. For one thread; a context manager.
    """

    ahead = 4
    """So many texts may be begun before the first one's documents are taken."""

    def __init__(self, origin: str = "", kinds: Kinds | None = None) -> None:
        self._origin, self.kinds = origin, kinds or shipped()
        self._parsed_here = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._started: Future[bytes] | None = None
        self._is_lost = False
        self._asking = ThreadPoolExecutor(1, thread_name_prefix="parsing")

    def __enter__(self) -> ParsedApart:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, content: bytes, location: str = "") -> Callable[[], Parsed]:
        """Begin to parse a text; what is returned waits for its documents and faults."""
        if len(content) < SMALL or not self._is_ready():
            self._parsed_here += len(content)
            return partial(documents_and_faults, content)
        at = location.encode("utf-8", "surrogatepass")
        asked = self._asking.submit(self._ask, LENGTH.pack(len(at)), at, content)
        return partial(self._taken, asked, content, location)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()  # what is being asked for ends with it
        self._asking.shutdown(cancel_futures=True)
        if self._process is not None:
            self._process.kill()  # it may have been started meanwhile
            # Leaving it closes the pipes and waits for its end. What was not sent yet goes nowhere.
            with contextlib.suppress(OSError), self._process:
                pass

    def _is_ready(self) -> bool:
        if self._started is None and self._parsed_here >= WORTH_IT:
            self._started = self._asking.submit(self._begin)
        if self._is_lost or self._started is None or not self._started.done():
            return False
        self._is_lost = self._started.exception() is not None
        return not self._is_lost

    def _taken(self, asked: Future[bytes], content: bytes, location: str) -> Parsed:
        try:
            answer = asked.result()
        except (OSError, EOFError):
            self._is_lost = True
            answer = b""
        if not answer:
            return documents_and_faults(content)
        return taken(answer, location, lambda record: ReadRecord(record, self.kinds, content))

    def _begin(self) -> bytes:
        self._process = _start()
        return self._ask(orjson.dumps({"origin": self._origin, "kinds": told_kinds(self.kinds)}))

    def _ask(self, *parts: bytes) -> bytes:
        assert self._process is not None
        texts, answers = _streams(self._process)
        for part in (LENGTH.pack(sum(map(len, parts))), *parts):
            texts.write(part)
        texts.flush()
        return _read(answers, LENGTH.unpack(_read(answers, LENGTH.size))[0])


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


def _streams(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def _read(stream: IO[bytes], count: int) -> bytes:
    found = stream.read(count)
    if len(found) < count:
        raise EOFError("the parsing process ended")
    return found
