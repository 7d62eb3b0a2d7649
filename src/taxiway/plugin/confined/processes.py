"""Finds and ends every process of a run, whatever it did to get away. Linux (/proc).

A run is known by a marker in the environment that its processes inherit, by a user of its own where there is one, and
by descent and session from a process already known: a child may call setsid, fork twice, or clear its environment.
Ending repeats until nothing is found, and a process is only ever signalled as the pair (id, start time).
"""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MARKER = "TAXIWAY_RUN_ID"


@dataclass(frozen=True)
class ProcessKey:
    """A process for its whole life: ids are reused, start times (clock ticks after boot) are not."""

    pid: int
    started: int


@dataclass(frozen=True)
class ProcessInfo:
    """One process as /proc shows it; `memory_bytes` is resident memory."""

    key: ProcessKey
    parent: int
    session: int
    uid: int
    memory_bytes: int
    marked: bool


def snapshot(run_id: str, own_uid: int | None = None, variable: str = MARKER) -> list[ProcessInfo]:
    """All processes; those that vanish meanwhile and zombies are left out."""
    marker = f"{variable}={run_id}".encode()
    names = [entry.name for entry in Path("/proc").iterdir()]
    found = (_info(int(name), marker, own_uid) for name in names if name.isdecimal())
    return [info for info in found if info is not None]


def _info(pid: int, marker: bytes, own_uid: int | None) -> ProcessInfo | None:
    folder = Path("/proc") / str(pid)
    try:
        fields = (folder / "stat").read_bytes().rpartition(b")")[2].split()
        uid = folder.stat().st_uid
    except (OSError, IndexError):
        return None
    if fields[0] in (b"Z", b"X"):
        return None
    marked = own_uid is not None and _any_uid(folder, own_uid)
    if not marked:
        with suppress(OSError):
            marked = marker in (folder / "environ").read_bytes().split(b"\0")
    memory = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return ProcessInfo(ProcessKey(pid, int(fields[19])), int(fields[1]), int(fields[3]), uid, memory, marked)


def _any_uid(folder: Path, uid: int) -> bool:
    """Whether real, effective, saved or file-system user is `uid`."""
    with suppress(OSError):
        for line in (folder / "status").read_bytes().splitlines():
            if line.startswith(b"Uid:"):
                return str(uid).encode() in line.split()[1:]
    return False


def belonging(processes: Iterable[ProcessInfo], known: Iterable[ProcessKey]) -> list[ProcessInfo]:
    """Those of the run: marked or known ones, their descendants, and members of a session that one of them leads."""
    everyone = [info for info in processes if info.key.pid not in (1, os.getpid())]
    known_keys = set(known)
    mine = {info.key.pid: info for info in everyone if info.marked or info.key in known_keys}
    grew = True
    while grew:
        new = [info for info in everyone if info.key.pid not in mine and (info.parent in mine or info.session in mine)]
        mine.update({info.key.pid: info for info in new})
        grew = bool(new)
    return list(mine.values())


def key_of(pid: int) -> ProcessKey | None:
    """The process that has this id now."""
    info = _info(pid, b"", None)
    return info.key if info else None


def end_all(
    run_id: str,
    known: set[ProcessKey],
    own_uid: int | None = None,
    keep: ProcessKey | None = None,
    timeout_seconds: float = 10.0,
    *,
    variable: str = MARKER,
) -> list[ProcessKey]:
    """Kills every process of the run until two looks find none; returns what is left (empty unless time ran out).
    `variable` is what `run_id` is the value of in their environment.

    First all are stopped, so that none forks while others are killed. `keep` is the shim that adopts orphans: it stays,
    so that what is born meanwhile is found below it, and ends by itself.
    """
    deadline = time.monotonic() + timeout_seconds
    quiet = 0
    while True:
        found = [info for info in belonging(snapshot(run_id, own_uid, variable), known) if info.key != keep]
        known.update(info.key for info in found)
        quiet = 0 if found else quiet + 1
        if quiet == 2:
            return []
        if time.monotonic() > deadline:
            return [info.key for info in found]
        for sign in (signal.SIGSTOP, signal.SIGKILL):
            for info in found:
                send(info.key, sign)
        time.sleep(0.02)


def send(key: ProcessKey, sign: signal.Signals) -> bool:
    """Signals exactly this process; False when it is gone."""
    try:
        descriptor = os.pidfd_open(key.pid)
    except OSError:
        return False
    try:
        info = _info(key.pid, b"", None)
        if info is None or info.key != key:
            return False
        signal.pidfd_send_signal(descriptor, sign)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
