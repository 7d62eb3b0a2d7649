"""On which line of its file each value of a document stands. Files are read when somebody asks: nothing is kept of it
in the store, and taking documents in costs nothing for it.

Files here are read each time. Those on other hosts are read by few requests at once and remembered for a while: a host
that does not answer must not hold up the others.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson

from taxiway.core.context import Platform
from taxiway.features.catalog.edit_text import BOM, find_part
from taxiway.features.catalog.overlays import Path
from taxiway.features.catalog.sources.read import PLACEHOLDERS
from taxiway.features.catalog.sources.targets import (
    Target,
    open_in_repository,
    open_target,
    repository_and_path,
)
from taxiway.kit.clock import MICROSECONDS
from taxiway.kit.pointer import pointer
from taxiway.kit.yaml12 import lines_of
from taxiway.model.errors import TaxiwayError

SERVICE = "catalog.field_lines"
AT_ONCE = 2
KEPT = 200
KEPT_FOR = 300 * MICROSECONDS


@dataclass(frozen=True)
class Written:
    """A document as its file has it now, with the lines of its values by JSON Pointer."""

    value: Mapping[str, Any]
    lines: Mapping[str, int]
    places: dict[int, dict[bytes, int]] = field(default_factory=dict, repr=False, compare=False)
    """Items of its lists by what they are, as far as they were looked for."""


def written_at(platform: Platform, location: str, repository: str | None, ref: str, state: str) -> Written | str:
    """The document that describes `ref` in a file, or why that cannot be told. `repository` is the one on the forge
    that it was read from, if it was. `state` names the state of the entity: with another one, a file on another host is
    read again."""
    try:
        target = _opened(platform, location, repository)
        if target.remote:
            key = location, ref, state
            return _files(platform).read(key, platform.clock.now(), partial(_read, target, location, ref))
        return _read(target, location, ref)
    except TaxiwayError as error:
        return f"its file cannot be read now: {error.detail}"


def line_at(written: Written, document: Mapping[str, Any], path: Path) -> int | None:
    """The line of a value that a document has at `path`; None when the file does not say it (any more)."""
    there: Any = written.value
    stored: Any = document
    at: list[str | int] = []
    for key in path:
        if isinstance(there, Mapping) and len(there) == 1 and next(iter(there)) in PLACEHOLDERS:
            break  # what it stands for is in another file
        stored = stored[key]
        place = _place(written, there, key, stored)
        if place is None:
            return None
        there = there[place]
        at.append(place)
    same = isinstance(there, Mapping) or _text(there) == _text(stored)
    return written.lines.get(pointer(at)) if same else None


def _place(written: Written, there: Any, key: str | int, value: Any) -> str | int | None:
    if isinstance(there, list):
        # The catalog sorts some lists: an item is known by what it is.
        if id(there) not in written.places:
            written.places[id(there)] = {_text(item): index for index, item in enumerate(there)}
        return written.places[id(there)].get(_text(value))
    return key if isinstance(there, Mapping) and key in there else None


def says(written: Written, path: Path) -> bool:
    """Whether a file says anything at `path`, a path of keys."""
    there: Any = written.value
    for key in path:
        if not isinstance(there, Mapping) or key not in there:
            return False
        there = there[key]
    return True


def _opened(platform: Platform, location: str, repository: str | None) -> Target:
    kind, _, target = location.partition(":")
    if repository is not None and repository_and_path(location)[0] == repository:
        return open_in_repository(platform, repository, target)  # whatever address the forge had then
    return open_target(platform, kind, target)


def _read(target: Target, location: str, ref: str) -> Written | str:
    text = target.tree.read(target.path).decode("utf-8-sig", "replace").removeprefix(BOM)
    part = find_part(text, ref)
    if part is None:
        return f"{location} does not describe it any more: it is read again with the next turn of its source"
    return Written(part.value, lines_of(text, part.line))


def _text(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


Key = tuple[str, str, str]


@dataclass
class _Files:
    """What was read of files on other hosts, and when."""

    known: OrderedDict[Key, tuple[int, Written | str]] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    turns: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(AT_ONCE))

    def read(self, key: Key, now: int, look: Callable[[], Written | str]) -> Written | str:
        with self.lock:
            at, found = self.known.get(key, (0, ""))
            if found and now - at < KEPT_FOR:
                return found
        if not self.turns.acquire(blocking=False):
            return "other files are being read just now: ask again in a moment"
        try:
            found = look()
        finally:
            self.turns.release()
        with self.lock:
            self.known[key] = now, found
            self.known.move_to_end(key)
            while len(self.known) > KEPT:
                self.known.popitem(last=False)
        return found


def _files(platform: Platform) -> _Files:
    known = platform.services.get(SERVICE)
    if not isinstance(known, _Files):
        known = platform.services[SERVICE] = _Files()
    return known
