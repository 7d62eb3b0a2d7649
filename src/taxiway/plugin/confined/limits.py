"""What untrusted programs may use, whom they run as, and the command line that holds them to it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True)
class Limits:
    """What a run may use. `memory_bytes` is resident memory of all its processes together, `data_bytes` the private
    memory of one process, `output_bytes` the log text kept; more output is dropped, four times as much ends the run."""

    timeout_seconds: float = 1800.0
    output_bytes: int = 16 * 1024 * 1024
    memory_bytes: int = 4 * 1024**3
    data_bytes: int = 8 * 1024**3
    file_bytes: int = 2 * 1024**3
    open_files: int = 4096
    processes: int = 2048


@dataclass(frozen=True)
class User:
    """Numeric user and group of a run. `exclusive`: no other process on the host has this user while the run lasts."""

    uid: int
    gid: int
    exclusive: bool = False


def limited(
    argv: Sequence[str],
    limits: Limits,
    user: User | None,
    tell: int | None = None,
    environment: int | None = None,
) -> list[str]:
    """The command below a shim that limits it, changes its user, and adopts its orphans.

    Address space is not limited: Node and Go reserve far more than they use. The number of processes counts per user,
    so it is limited only where the run has another user than Taxiway. `tell` is a descriptor that the shim writes to
    when the program itself has ended. `environment` is one that the program's variables are read from, as a JSON
    object; without it the program gets the shim's.
    """
    rules = {
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_DATA": limits.data_bytes,
        "RLIMIT_FSIZE": limits.file_bytes,
    }
    if user is not None:
        rules["RLIMIT_NPROC"] = limits.processes
    ids = {"uid": user.uid if user else None, "gid": user.gid if user else None}
    shim = str(Path(__file__).with_name("shim.py"))
    return [
        sys.executable,
        "-I",
        "-S",
        shim,
        json.dumps({**ids, "limits": rules, "tell": tell, "environment": environment}),
        *argv,
    ]
