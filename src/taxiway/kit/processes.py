"""Processes found through `/proc`: by a marker in their environment, whatever group or session they moved to.

Used before interrupted work is repeated and when a run is cancelled. Where there is no `/proc` nothing is found.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

RUN_MARKER = "TAXIWAY_RUN_ID"
"""Variable that every subprocess of a run's step must carry in its environment; its value is the run's id."""
_PROC = Path("/proc")


def start_time(pid: int) -> int | None:
    """Clock ticks after boot at which the process started; None when it is gone. With the pid, it names a process."""
    try:
        stat = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return None
    fields = stat[stat.rindex(b")") + 2 :].split()
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def find_marked(marker: str, value: str) -> Iterator[tuple[int, int]]:
    """(pid, start time) of every other living process whose environment holds `marker=value`."""
    wanted = f"{marker}={value}".encode()
    if not _PROC.is_dir():
        return
    for entry in os.scandir(_PROC):
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environ = Path(entry.path, "environ").read_bytes()
        except OSError:
            continue
        if wanted in environ.split(b"\0") and (started := start_time(int(entry.name))) is not None:
            yield int(entry.name), started


def kill_marked(marker: str, value: str, *, grace_seconds: float = 0.0, most_seconds: float = 10.0) -> int:
    """End every process that carries `marker=value`, and its children made meanwhile, until none is left.

    With a grace they get SIGTERM first. Returns how many were ended; gives up after `most_seconds`.
    """
    ended: set[tuple[int, int]] = set()
    begun = time.monotonic()
    while found := list(find_marked(marker, value)):
        waited = time.monotonic() - begun
        if waited > most_seconds:
            break
        for pid, started in found:
            if waited >= grace_seconds or (pid, started) not in ended:
                _send(pid, started, signal.SIGKILL if waited >= grace_seconds else signal.SIGTERM)
            ended.add((pid, started))
        time.sleep(0.02)
    return len(ended)


def _send(pid: int, started: int, number: int) -> None:
    if start_time(pid) == started:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
