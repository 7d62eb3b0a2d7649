"""Finds a Python interpreter that the workloads' user can execute, by trying it as that user."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from taxiway.model.errors import UnavailableError
from taxiway.plugin import Identity, daemons

FOLDERS = ("/usr/local/bin", "/usr/bin", "/opt/homebrew/bin")
NAME = re.compile(r"python3\.\d+")
OLDEST = (3, 11)
TRY_SECONDS = 10.0
ASK = "import json, ssl, sqlite3, sys; print(json.dumps(sys.version_info[:2]))"


@dataclass(frozen=True)
class Interpreter:
    """A usable interpreter and its (major, minor)."""

    path: Path
    version: tuple[int, int]


def find(identity: Identity) -> Interpreter:
    """The one with Taxiway's own version if possible, else the newest. UnavailableError when there is none."""
    found = []
    for path in _candidates():
        version = _try(path, identity)
        if version is not None and version == sys.version_info[:2]:
            return Interpreter(path, version)
        if version is not None and version >= OLDEST:
            found.append(Interpreter(path, version))
    if found:
        return max(found, key=lambda one: one.version)
    who = f"the user {identity.uid} of workloads" if identity.uid is not None else "this user"
    raise UnavailableError(
        f"{who} can run no Python 3.11 or newer: install one for everybody (a package of the system, in /usr/bin), "
        "then it is used at the next try",
        code="process.no_python",
    )


def _candidates() -> Iterator[Path]:
    own = Path(getattr(sys, "_base_executable", "") or sys.executable).resolve()
    seen = {own}
    yield own
    for folder in FOLDERS:
        for path in sorted(Path(folder).glob("python3.*")):
            real = path.resolve()
            if NAME.fullmatch(path.name) and real not in seen:
                seen.add(real)
                yield real


def _try(path: Path, identity: Identity) -> tuple[int, int] | None:
    try:
        ended = subprocess.run(
            [str(path), "-I", "-S", "-c", ASK],
            env={},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TRY_SECONDS,
            check=False,
            **daemons.as_user(identity),
        )
        major, minor = json.loads(ended.stdout)
    except (OSError, ValueError, TypeError, subprocess.SubprocessError):
        return None
    return int(major), int(minor)
