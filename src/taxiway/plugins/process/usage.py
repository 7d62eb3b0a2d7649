"""CPU and memory of a workload with all of its descendants, from /proc."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from taxiway.plugins.process import procs
from taxiway.plugins.process.spec import Instance
from taxiway.plugins.process.supervisor import adopt


@dataclass(frozen=True)
class Usage:
    """`cpu_seconds` used so far by the live processes, `memory_bytes` (proportional where readable), at `ticks`."""

    processes: int
    cpu_seconds: float
    memory_bytes: int
    ticks: float


def workload_processes(instance: Instance) -> list[procs.Process]:
    """The live processes of the workload, the shim not among them."""
    state = adopt(instance.folder)
    table = procs.processes()
    found = {one.pid: one for one in procs.marked(instance.marker, table)}
    if state is not None:
        found |= {one.pid: one for one in procs.descendants(int(state["shim_pid"]), table)}
    return list(found.values())


def sample(instance: Instance) -> Usage:
    """Measure now. It reads all of /proc (about 20 µs per process), so call it every few seconds, not more."""
    found = workload_processes(instance)
    cpu = sum(one.cpu_ticks for one in found) / procs.TICKS_PER_SECOND
    return Usage(len(found), cpu, sum(_memory(one) for one in found), time.monotonic())


def cpu_percent(before: Usage, after: Usage) -> float | None:
    """Percent of one core between two samples; None when they are too near or processes ended in between."""
    seconds = after.ticks - before.ticks
    used = after.cpu_seconds - before.cpu_seconds
    return None if seconds < 0.1 or used < 0 else 100 * used / seconds


def _memory(one: procs.Process) -> int:
    try:
        for line in Path(f"/proc/{one.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return one.memory_bytes
