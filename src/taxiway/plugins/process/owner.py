"""Who listens on a port of this machine: a process of the workload that was given it, or a stranger.

A port is only promised: while a workload is down, anybody may take it. Used by the router before each connection, by
the shim before each start, and by the platform. Standard library only; asks /proc, so it sees what the kernel sees.
"""
# The shim and the router must not pay for pathlib.
# ruff: noqa: PTH115, PTH118, PTH123, PTH208

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from taxiway.plugins.process import files, procs
else:
    import files
    import procs

LISTENING = "0A"
REACHED_BY_LOOPBACK = frozenset({"0100007F", "00000000", "0" * 32, "0" * 16 + "FFFF00000100007F"})
"""Local addresses in /proc/net/tcp and tcp6 at which a connection to 127.0.0.1 may arrive."""
REFUSED_SECONDS = 0.05
KNOWN = 10_000


def listeners(port: int) -> set[str]:
    """The sockets ("socket:[inode]") that a connection to 127.0.0.1 and this port may reach."""
    found = set()
    ending = f":{port:04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table, encoding="ascii") as file:
                rows = file.read().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if fields[3] != LISTENING or not fields[1].endswith(ending):
                continue
            if fields[1][: -len(ending)] in REACHED_BY_LOOPBACK:
                found.add(f"socket:[{fields[9]}]")
    return found


def holds(pid: int, sockets: set[str]) -> bool:
    """Whether the process has one of the sockets open."""
    folder = f"/proc/{pid}/fd"
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    for name in names:
        try:
            if os.readlink(os.path.join(folder, name)) in sockets:
                return True
        except OSError:
            continue
    return False


def holder(folder: str, port: int) -> tuple[int, int] | None:
    """(pid, start ticks) of a process of the instance in `folder` that listens on the port; None: none does."""
    state = files.read_json(os.path.join(folder, "state.json"))
    sockets = listeners(port)
    if not sockets or not isinstance(state, dict) or not state.get("shim_pid"):
        return None
    main = procs.process(int(state["pid"])) if state.get("pid") else None
    if main is not None and main.start_ticks == state["start_ticks"] and holds(main.pid, sockets):
        return main.pid, main.start_ticks
    for one in procs.descendants(int(state["shim_pid"]), procs.processes()):
        if holds(one.pid, sockets):
            return one.pid, one.start_ticks
    return None


def taken_port(spec: dict[str, Any]) -> int:
    """A port of the instance on which somebody listens, 0 when all are free. For the shim, before it starts any of
    its own."""
    return next((int(one["port"]) for one in spec["ports"] if listeners(int(one["port"]))), 0)


class Guard:
    """Remembers which process was found to hold a port for an instance; a look costs one small read while it lives."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], tuple[int, int]] = {}
        self._refused: dict[tuple[str, int], float] = {}

    def allows(self, folder: str, port: int) -> bool:
        """Whether who listens on the port is of the instance. An empty folder stands for nobody in particular."""
        key = (folder, port)
        known = self._known.get(key)
        if not folder or (known is not None and procs.is_alive(*known)):
            return True
        if time.monotonic() < self._refused.get(key, 0.0):
            return False
        found = holder(folder, port)
        if len(self._known) + len(self._refused) > KNOWN:
            self._known, self._refused = {}, {}
        if found is None:
            self._known.pop(key, None)
            self._refused[key] = time.monotonic() + REFUSED_SECONDS
            return False
        self._refused.pop(key, None)
        self._known[key] = found
        return True
