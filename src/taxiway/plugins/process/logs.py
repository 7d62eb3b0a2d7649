"""Reads the log file of an instance. A byte offset is the cursor: it stays valid when old output is freed.

The shim frees old blocks by punching a hole at the front, so the first bytes may be gone while offsets go on.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MOST_BYTES = 1_000_000
LINE_BYTES = 16_384


@dataclass(frozen=True)
class Line:
    """`seq` is the offset behind the line: pass it as `after` to go on."""

    seq: int
    text: str


def read(folder: Path, after: int = 0, limit: int = 1000, is_over: bool = False) -> list[Line]:
    """Up to `limit` whole lines behind offset `after` (at most 1 MB). A line longer than 16 KB is split.

    `is_over`: nobody writes any more, so what is behind the last line break is a line too.
    """
    try:
        descriptor = os.open(folder / "log", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return []
    try:
        size = os.fstat(descriptor).st_size
        # A file system without holes makes the shim start the log anew: then the old cursor lies behind the end.
        start = _first(descriptor, after if after <= size else 0)
        data = os.pread(descriptor, MOST_BYTES, start)
        return _lines(data, start, limit, is_over and start + len(data) >= size)
    finally:
        os.close(descriptor)


def tail(folder: Path, count: int = 20) -> list[Line]:
    """The last `count` lines (of the last 256 KB)."""
    try:
        size = (folder / "log").stat().st_size
    except FileNotFoundError:
        return []
    start = max(0, size - 256 * 1024)
    found = read(folder, start, 100_000)
    return found[-count:] if start == 0 else found[1:][-count:]


def follow(folder: Path, after: int, stopped: Callable[[], bool], period_seconds: float = 0.2) -> Iterator[Line]:
    """Lines as they come, until `stopped()`."""
    while not stopped():
        found = read(folder, after)
        yield from found
        if found:
            after = found[-1].seq
        else:
            time.sleep(period_seconds)


def _first(descriptor: int, offset: int) -> int:
    """The first offset that still holds data."""
    try:
        return os.lseek(descriptor, offset, os.SEEK_DATA)
    except OSError as error:
        # ENXIO: nothing but the end behind the offset; EINVAL: a file system that knows no holes.
        if error.errno not in (errno.ENXIO, errno.EINVAL):
            raise
        return offset


def _lines(data: bytes, start: int, limit: int, is_over: bool) -> list[Line]:
    # The hole ends inside a block, whose first bytes were freed with it.
    position = len(data) - len(data.lstrip(b"\0"))
    result: list[Line] = []
    while len(result) < limit and position < len(data):
        end = data.find(b"\n", position, position + LINE_BYTES)
        whole = end >= 0
        stop = end if whole else position + LINE_BYTES
        if not whole and stop > len(data):
            if not is_over:
                break
            stop = len(data)
        result.append(Line(start + stop + (1 if whole else 0), data[position:stop].decode("utf-8", "replace")))
        position = stop + (1 if whole else 0)
    return result
