"""Small files that must survive a kill at any moment: atomic JSON, locks by flock, process identities in lock files.

Used by the shim and the router (which run without site-packages, hence os.path and no pathlib) and by the platform.
"""
# The shim and the router must not pay for pathlib.
# ruff: noqa: PTH104, PTH120, PTH123

from __future__ import annotations

import fcntl
import json
import os
import time
from typing import Any

LOCK_PATIENCE_SECONDS = 0.1


def write_json(path: str, value: Any, mode: int = 0o600) -> None:
    """Replace `path` by `value` as JSON so that a reader sees the old or the new file, also after a power cut."""
    temporary = f"{path}.{os.getpid()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        data = json.dumps(value).encode()
        while data:
            data = data[os.write(descriptor, data) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(temporary, path)
    sync_folder(os.path.dirname(path))


def read_json(path: str) -> Any:
    """The JSON in `path`, or None when the file is missing or not JSON."""
    try:
        with open(path, "rb") as file:
            return json.loads(file.read())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def hand_over(value: Any) -> int:
    """A descriptor of an anonymous file in memory with `value` as JSON; the caller closes it. No disk is used."""
    descriptor = os.memfd_create("taxiway", os.MFD_CLOEXEC)
    data = json.dumps(value).encode()
    while data:
        data = data[os.write(descriptor, data) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def read_handed(descriptor: int) -> Any:
    """What `hand_over` put into the descriptor. ValueError or OSError when it is another one."""
    return json.loads(os.pread(descriptor, os.fstat(descriptor).st_size, 0))


def sync_folder(path: str) -> None:
    """Make renames inside the folder durable."""
    descriptor = os.open(path or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def try_lock(path: str, patience_seconds: float = LOCK_PATIENCE_SECONDS) -> int | None:
    """A descriptor that holds the exclusive lock on `path`, or None when somebody else holds it.

    The patience covers another process that only looks whether the lock is held (`is_locked`).
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
            time.sleep(0.01)


def is_locked(path: str) -> bool:
    """Whether some process holds the exclusive lock on `path`."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def write_holder(descriptor: int, pid: int, start_ticks: int) -> None:
    """Note in a held lock file which process holds it."""
    text = json.dumps({"pid": pid, "start_ticks": start_ticks}).encode()
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text, 0)


def read_holder(path: str) -> tuple[int, int] | None:
    """(pid, start ticks) of the process that wrote itself into the lock file; it may be gone by now."""
    value = read_json(path)
    if not isinstance(value, dict) or "pid" not in value or "start_ticks" not in value:
        return None
    return int(value["pid"]), int(value["start_ticks"])
