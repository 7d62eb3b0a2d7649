"""What of this host a run gets: programs, Pythons, and the variables that say where packages come from."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from taxiway.plugin import Identity
from taxiway.plugin.confined import SYSTEM_PATH
from taxiway.plugin.daemons import blocked_by

OLDEST_PYTHON = (3, 11)
_WITH_PASSWORD = re.compile(r"://[^/\s]*@")


def program(name: str, configured: Path | None = None) -> Path | None:
    """The program as configured, else beside this Python, else on PATH; None when it is not there."""
    beside = Path(sys.executable).parent / name
    if configured is not None or beside.is_file():
        return configured or beside
    found = shutil.which(name)
    return Path(found) if found else None


def passed(names: Iterable[str], environ: Mapping[str, str], tell: Callable[[str], None]) -> dict[str, str]:
    """The named variables that are set, without any that holds a user or password in a URL; `tell` hears of those."""
    found: dict[str, str] = {}
    for name in names:
        value = environ.get(name)
        if not value:
            continue
        if _WITH_PASSWORD.search(value):
            tell(f"The variable {name} of this host holds credentials in a URL, so steps do not get it.")
        else:
            found[name] = value
    return found


def pythons(identity: Identity) -> list[tuple[tuple[int, int], Path]]:
    """(minor version, interpreter) of the host's Pythons that this user can run, newest first, one of each minor."""
    names = [Path(folder, name) for folder in SYSTEM_PATH.split(":") for name in ("python3", *_NUMBERED)]
    own = Path(sys.executable).resolve()
    found: dict[tuple[int, int], Path] = {}
    for path in (*names, own):
        if path.is_file() and blocked_by(path, identity) is None:
            version = _version(path)
            if version is not None and version >= OLDEST_PYTHON:
                found.setdefault(version, path)
    return sorted(found.items(), reverse=True)


_NUMBERED = tuple(f"python3.{minor}" for minor in range(11, 20))


def _version(path: Path) -> tuple[int, int] | None:
    argv = [str(path), "-I", "-c", "import sys; print(*sys.version_info[:2])"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=True, cwd="/")
        major, minor = done.stdout.split()
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return int(major), int(minor)
