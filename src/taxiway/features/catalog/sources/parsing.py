"""Parses large amounts of YAML beside the interpreter that asks for it, in a process of its own.

Parsing holds the interpreter's lock: here it costs a process that writes what was read before. Ten thousand catalog
entities take 1.0 s to parse, and 0.2 s to take over as JSON. The process is started when `WORTH_IT` bytes were parsed
without it, and ends with `close()` or with whoever started it. When it is lost, parsing goes on here.
"""

from __future__ import annotations

import contextlib
import struct
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import IO, Any

import orjson

from taxiway.kit.yaml12 import YamlDocument, YamlError
from taxiway.kit.yaml_documents import documents_and_faults

WORKER = Path(__file__).with_name("parsing_worker.py")
WORTH_IT = 500_000
"""Bytes; starting the process costs as much as parsing them."""
SMALL = 20_000
"""Bytes; texts of fewer are parsed sooner than they are asked for."""
Parsed = Iterable[YamlDocument | YamlError]


class ParsedApart:
    """Gives what `documents_and_faults` gives, for one text after another. For one thread; a context manager."""

    ahead = 4
    """So many texts may be begun before the first one's documents are taken."""

    def __init__(self) -> None:
        self._parsed_here = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._is_lost = False
        self._asking = ThreadPoolExecutor(1, thread_name_prefix="parsing")

    def __enter__(self) -> ParsedApart:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, content: bytes) -> Callable[[], Parsed]:
        """Begin to parse a text; what is returned waits for its documents and faults."""
        if len(content) < SMALL or self._parsed_here < WORTH_IT or self._is_lost:
            self._parsed_here += len(content)
            return partial(documents_and_faults, content)
        return partial(self._taken, self._asking.submit(self._ask, content), content)

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

    def _taken(self, asked: Future[bytes], content: bytes) -> Parsed:
        try:
            answer = asked.result()
        except (OSError, EOFError):
            self._is_lost = True
            answer = b""
        return _items(orjson.loads(answer)) if answer else documents_and_faults(content)

    def _ask(self, content: bytes) -> bytes:
        process = self._process = self._process or _start()
        texts, answers = _streams(process)
        texts.write(struct.pack(">I", len(content)) + content)
        texts.flush()
        return _read(answers, struct.unpack(">I", _read(answers, 4))[0])


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


def _items(rows: Iterable[list[Any]]) -> Iterator[YamlDocument | YamlError]:
    for row in rows:
        yield YamlDocument(row[1], row[0]) if len(row) == 2 else YamlError(row[2], row[0])
