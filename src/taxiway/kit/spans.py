"""How long ago something was, across processes and clock jumps: a stamp that can be stored, and the time since it.

On one boot of one machine every process reads the same monotonic clock, so no jump of the wall clock makes anything
late or early. For a stamp from elsewhere only wall time is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from taxiway.kit.clock import MICROSECONDS, Clock


def stamp(clock: Clock) -> dict[str, Any]:
    """Now, as JSON: {at, monotonic, boot}."""
    return {"at": clock.now(), "monotonic": clock.monotonic(), "boot": boot()}


def seconds_since(clock: Clock, then: Mapping[str, Any]) -> float:
    """Seconds since the stamp, never less than 0."""
    if then["boot"] and then["boot"] == boot():
        return max(0.0, clock.monotonic() - float(then["monotonic"]))
    return max(0.0, (clock.now() - int(then["at"])) / MICROSECONDS)


@cache
def boot() -> str:
    """Names what shares one monotonic clock: this boot and, in a container, its time namespace; '' when unknown."""
    try:
        found = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = Path("/proc/self/ns/time")
        return f"{found}/{space.readlink()}" if space.is_symlink() else found
    except OSError:
        return ""
