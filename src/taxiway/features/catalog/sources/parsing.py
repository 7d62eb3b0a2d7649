"""Parses and judges large amounts of YAML beside the interpreter that asks for it, in processes of their own.

Both hold the interpreter's lock: here they cost a process that writes what was read before. They take longer than
writing does, which is why there are two. The first is taken when `WORTH_IT` bytes were given, and files are parsed
here until it is ready. What one that is lost was asked for is parsed here.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

import orjson

from taxiway.features.catalog.kinds import Kinds, shipped
from taxiway.features.catalog.sources.items import ReadRecord
from taxiway.features.catalog.sources.parsing_process import PROCESSES, ParsingProcess, Standby
from taxiway.features.catalog.sources.read import Parsed
from taxiway.features.catalog.sources.wire import LENGTH, taken, told_kinds
from taxiway.kit.yaml_documents import documents_and_faults

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

    def __init__(self, origin: str = "", kinds: Kinds | None = None, standby: Standby | None = None) -> None:
        self._origin, self.kinds, self._standby = origin, kinds or shipped(), standby or Standby()
        self._given = self._begun = self._turn = 0
        self._processes: list[ParsingProcess] = []

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
            process = self._standby.take()
            process.ask(orjson.dumps({"origin": self._origin, "kinds": told_kinds(self.kinds)}))
            self._processes.append(process)
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
        """End the processes: what they read was somebody's, and the next source gets others."""
        for process in self._processes:
            process.close()
        if self._processes:
            self._standby.fill()

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
