"""Processes as /proc shows them: identity by pid and start time, trees, the marker of a workload, safe signals.

Used by the shim and by the platform. A pid alone never names a process here: it may have been given to another one.
"""
# The shim must not pay for pathlib.
# ruff: noqa: PTH123, PTH208

from __future__ import annotations

import os
import signal
import time

MARKER = "TAXIWAY_WORKLOAD"
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Process:
    """One line of /proc/PID/stat. `cpu_ticks` is user plus system time, `memory_bytes` the resident set."""

    __slots__ = ("cpu_ticks", "memory_bytes", "pid", "ppid", "start_ticks", "state")

    def __init__(self, pid: int, fields: list[str]) -> None:
        self.pid = pid
        self.state = fields[0]
        self.ppid = int(fields[1])
        self.cpu_ticks = int(fields[11]) + int(fields[12])
        self.start_ticks = int(fields[19])
        self.memory_bytes = int(fields[21]) * PAGE_BYTES


def process(pid: int) -> Process | None:
    """The process with this pid, or None when there is none or it is only a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read().decode("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command name stands in brackets and may contain anything, brackets included.
    found = Process(pid, text[text.rindex(")") + 2 :].split())
    return None if found.state in "ZX" else found


def is_alive(pid: int, start_ticks: int) -> bool:
    """Whether exactly this process still runs."""
    found = process(pid)
    return found is not None and found.start_ticks == start_ticks


def processes() -> dict[int, Process]:
    """All live processes by pid."""
    found = (process(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return {one.pid: one for one in found if one is not None}


def descendants(root: int, table: dict[int, Process]) -> list[Process]:
    """The processes below `root` (without it), found by parent, parents before children."""
    children: dict[int, list[Process]] = {}
    for one in table.values():
        children.setdefault(one.ppid, []).append(one)
    result: list[Process] = []
    pending = [root]
    while pending:
        below = children.pop(pending.pop(), [])
        result.extend(below)
        pending.extend(one.pid for one in below)
    return result


def marked(marker: str, table: dict[int, Process]) -> list[Process]:
    """The processes that were started with TAXIWAY_WORKLOAD=`marker` in their environment."""
    entry = f"{MARKER}={marker}".encode()
    return [one for one in table.values() if entry in _environment(one.pid)]


def _environment(pid: int) -> list[bytes]:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read().split(b"\0")
    except OSError:
        return []


def send_signal(target: Process, number: int) -> bool:
    """Signal exactly this process; False when it is gone. A reused pid is never hit: the descriptor pins it."""
    try:
        descriptor = os.pidfd_open(target.pid)
    except ProcessLookupError:
        return False
    try:
        if not is_alive(target.pid, target.start_ticks):
            return False
        signal.pidfd_send_signal(descriptor, number)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)


def end_marked(marker: str, timeout_seconds: float = 5.0) -> int:
    """SIGKILL everything that carries the marker until nothing is left; returns how many were killed.

    Called only by the holder of the instance's lock, so nothing new can start meanwhile except forks of the killed.
    """
    killed = 0
    deadline = time.monotonic() + timeout_seconds
    while True:
        found = marked(marker, processes())
        if not found:
            return killed
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(found)} processes of workload {marker} do not end after SIGKILL")
        killed += sum(send_signal(one, signal.SIGKILL) for one in found)
        time.sleep(0.02)


def kill_group(pid: int) -> None:
    """SIGKILL a process group that the caller started and has not waited for yet."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def is_root() -> bool:
    """Whether this process may change users."""
    return os.geteuid() == 0
