"""Identifiers: UUIDv7 (RFC 9562 §5.7), which sort by the time they were made."""

from __future__ import annotations

import os
import threading
from array import array
from collections.abc import Callable, Iterator

from taxiway.kit.clock import Clock

NewId = Callable[[], str]
AT_ONCE = 128
"""So many times 64 random bits are asked for in one go: each question lets go of the interpreter's lock, and getting it
back can take 5 ms."""


def uuid7(now: int, entropy: int) -> str:
    """The UUIDv7 for `now` (microseconds UTC) and 74 bits of `entropy`."""
    milliseconds = (now // 1000) & (2**48 - 1)
    # The sub-millisecond part goes into rand_a, so that ids made in one millisecond still sort.
    fraction = ((now % 1000) * 4096) // 1000
    value = milliseconds << 80 | 7 << 76 | fraction << 64 | 2 << 62 | (entropy & (2**62 - 1))
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def new_ids(clock: Clock) -> NewId:
    """A source of fresh ids that reads time from `clock`. They grow within a process, also when the clock is set back:
    then they count on from where it was."""
    lock, last, entropy = threading.Lock(), 0, _entropy()

    def new_id() -> str:
        nonlocal last
        with lock:
            last = max(last + 1, clock.now())
            return uuid7(last, next(entropy))

    return new_id


def _entropy() -> Iterator[int]:
    while True:
        yield from array("Q", os.urandom(8 * AT_ONCE))
