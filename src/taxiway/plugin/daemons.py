"""Servers that outlive Taxiway: start them detached, find them again after a restart, end them, as another user.

For engines that keep a server of their own (a database). A server is found by an argument of its command line that
only it has (its folder), so nothing has to be written down that a crash could lose; pid and start time together name
the process from then on.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from taxiway.kit.processes import start_time
from taxiway.model.errors import TimedOutError
from taxiway.plugin.context import Identity

_PROC = Path("/proc")
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Daemon:
    """A process by pid and start time (clock ticks after boot); `child` is set when this process started it."""

    pid: int
    started: int
    child: subprocess.Popen[bytes] | None = field(default=None, compare=False, repr=False)

    def alive(self) -> bool:
        """Whether exactly this process still runs; reaps it when it was ours and ended."""
        if self.child is not None and self.child.poll() is not None:
            return False
        return start_time(self.pid) == self.started

    def send(self, number: int) -> None:
        """Signal it; nothing happens when it is gone."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self, seconds: float) -> bool:
        """Whether it ended within `seconds`."""
        deadline = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def end(self, *signals: tuple[int, float]) -> None:
        """Send each (signal, seconds to wait), then SIGKILL, until it ended. TimedOutError when even that fails."""
        for number, seconds in (*signals, (signal.SIGKILL, 10.0)):
            self.send(number)
            if self.wait(seconds):
                return
        raise TimedOutError(f"the process {self.pid} does not end: end it by hand")


def start(
    arguments: Sequence[str],
    *,
    identity: Identity,
    cwd: Path,
    log: Path,
    environment: Mapping[str, str],
    stdin: bytes | None = None,
) -> Daemon:
    """Start a server in a session of its own, with only `environment`, its output appended to `log`."""
    with log.open("ab") as output:
        child = subprocess.Popen(
            list(arguments),
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd=cwd,
            env=dict(environment),
            start_new_session=True,
            **as_user(identity),
        )
    if stdin is not None and child.stdin is not None:
        with contextlib.suppress(BrokenPipeError), child.stdin:
            child.stdin.write(stdin)
    return Daemon(child.pid, start_time(child.pid) or 0, child)


def as_user(identity: Identity) -> dict[str, Any]:
    """Options of `subprocess` that make a child run as `identity`, without Taxiway's further groups."""
    if identity.uid is None:
        return {}
    return {"user": identity.uid, "group": identity.gid, "extra_groups": []}


def find(argument: str, user: int) -> list[Daemon]:
    """Living processes of `user` whose command line has exactly this argument, oldest first."""
    wanted, found = os.fsencode(argument), []
    for entry in os.scandir(_PROC) if _PROC.is_dir() else ():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if entry.stat().st_uid == user and wanted in Path(entry.path, "cmdline").read_bytes().split(b"\0"):
                started = start_time(int(entry.name))
                if started is not None:
                    found.append(Daemon(int(entry.name), started))
    return sorted(found, key=lambda one: (one.started, one.pid))


def find_in(folder: Path, program: str, user: int) -> list[Daemon]:
    """Living processes of `user` called `program` that work in `folder`, as far as the kernel shows it to Taxiway."""
    found = []
    for entry in os.scandir(_PROC) if _PROC.is_dir() else ():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            here = Path(entry.path)
            if (
                entry.stat().st_uid == user
                and (here / "comm").read_text().strip() == program
                and (here / "cwd").readlink() == folder
                and (started := start_time(int(entry.name))) is not None
            ):
                found.append(Daemon(int(entry.name), started))
    return found


def blocked_by(path: Path, identity: Identity) -> Path | None:
    """The first folder on the way to `path` that `identity` may not pass through; None: it gets there."""
    if identity.uid is None:
        return None
    for folder in reversed(path.resolve().parents):
        found = folder.stat()
        mine = stat.S_IXUSR if found.st_uid == identity.uid else 0
        group = stat.S_IXGRP if found.st_gid == identity.gid else 0
        # As the kernel decides: the first class that fits counts, even when a later one would allow more.
        if not found.st_mode & (mine or group or stat.S_IXOTH):
            return folder
    return None


def give(path: Path, identity: Identity) -> None:
    """Make `path` belong to `identity`."""
    if identity.uid is not None and identity.gid is not None:
        os.chown(path, identity.uid, identity.gid)


def give_group(path: Path, identity: Identity) -> None:
    """Make `path` belong to the group of `identity`; its owner stays."""
    if identity.gid is not None:
        os.chown(path, -1, identity.gid)


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_port_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def tail(log: Path, lines: int = 8, most_bytes: int = 4000) -> str:
    """The last lines of a log, for an error message."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - most_bytes))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock, between threads and processes alike, for as long as the block runs."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
