"""Parses and judges large amounts of documents beside the interpreter that asks for it, in processes of their own.

Both hold the interpreter's lock: here they cost a process that writes what was read before. They take longer than
writing does, which is why there are two. Where none stands by, the first is started when `WORTH_IT` bytes were given,
and files are parsed here until it is ready. What one that is lost was asked for is parsed here, and everything where
others have taken all that there may be.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

import orjson

from taxiway.features.catalog.kinds import Kinds, shipped
from taxiway.features.catalog.model import Record
from taxiway.features.catalog.sources.forms import FORMS, YAML
from taxiway.features.catalog.sources.items import ReadRecord, read_again
from taxiway.features.catalog.sources.parsing_process import PROCESSES, ParsingProcess, Standby
from taxiway.features.catalog.sources.read import Parsed
from taxiway.features.catalog.sources.wire import LENGTH, taken, told_kinds
from taxiway.kit.yaml12 import YamlDocument, YamlError

WORTH_IT = 200_000
"""Bytes, for each process; starting it costs as much as parsing them."""
SMALL = 20_000
"""Bytes; texts of fewer are parsed sooner than they are asked for."""
AHEAD = 2_500_000
"""Bytes that may be begun before they are taken: what is done while a transaction is waited for. What they come to
takes four times as much."""


class ParsedApart:
    """Gives what the parsers of `FORMS` give, for one text after another, and records in place of valid documents that
    `kinds` judge by themselves; `origin` is where their source was registered. For one thread; a context manager."""

    def __init__(self, origin: str = "", kinds: Kinds | None = None, standby: Standby | None = None) -> None:
        self._origin, self.kinds, self._standby = origin, kinds or shipped(), standby or Standby()
        self._given = self._begun = 0
        self._processes: list[ParsingProcess] = []

    def __enter__(self) -> ParsedApart:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def is_full(self) -> bool:
        """Whether so much is begun that the first of it should be taken."""
        return self._begun > AHEAD or not any(process.is_ready() for process in self._processes)

    def begin(self, content: bytes, location: str = "", form: bytes = YAML, above: int = 0) -> Callable[[], Parsed]:
        """Begin to parse a text of a form, with `above` lines before it; what is returned waits for what it holds."""
        if len(self._processes) < PROCESSES and self._is_worth_another(content):
            self._take_another()
        self._given += len(content)
        ready = [process for process in self._processes if process.is_ready()]
        self._begun += len(content)
        if len(content) < SMALL or not ready:
            return partial(self._here, content, form, above)
        at = location.encode("utf-8", "surrogatepass")
        asked = min(ready, key=ParsingProcess.pending).ask(form, LENGTH.pack(len(at)), at, content)
        return partial(self._taken, asked, content, form, above, location)

    def _is_worth_another(self, content: bytes) -> bool:
        if self._standby.is_ready():
            return len(content) >= SMALL
        return self._given >= WORTH_IT * (1 + len(self._processes))

    def _take_another(self) -> None:
        told = orjson.dumps({"origin": self._origin, "kinds": told_kinds(self.kinds)})
        process = self._standby.take()
        if process is not None:
            process.ask(told)
            self._processes.append(process)

    def close(self) -> None:
        """Let the processes go."""
        processes, self._processes = self._processes, []
        self._standby.give_back(processes)

    def _here(self, content: bytes, form: bytes, above: int) -> Parsed:
        self._begun -= len(content)
        return _parsed(content, form, above)

    def _taken(self, asked: Future[bytes], content: bytes, form: bytes, above: int, location: str) -> Parsed:
        self._begun -= len(content)
        try:
            answer = asked.result()
        except (OSError, EOFError):
            answer = b""
        if not answer:
            return _parsed(content, form, above)

        def read(record: Record) -> ReadRecord:
            return ReadRecord(record, self.kinds, partial(read_again, content, form, location, record.line, above))

        return taken(answer, location, above, read)


def _parsed(content: bytes, form: bytes, above: int) -> Parsed:
    found = FORMS[form](content)
    if not above:
        return found
    return (
        YamlError(one.detail, (one.line or 1) + above)
        if isinstance(one, YamlError)
        else YamlDocument(one.value, one.line + above)
        for one in found
    )
