"""Releases that are programs already, as Go makes them: executables for this machine in `bin/`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from taxiway.model.errors import InputError
from taxiway.plugins.process.workshop import Made, Members, Workshop, copy

MAGIC = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"#!")
"""How programs begin: ELF on Linux, Mach-O on macOS, scripts on both."""
WHAT = "executables in bin/"


def fits(members: Members) -> bool:
    """Whether an artefact has programs."""
    return bool(_programs(members))


def make(shop: Workshop, folder: Path, members: Members, cancelled: Callable[[], bool]) -> Made:
    """Copy the programs. InputError for a file that this machine cannot execute."""
    target = folder / "bin"
    target.mkdir(mode=0o755)
    names = _programs(members)
    for name, member in names.items():
        copy(members[member](), target / name, mode=0o755)
        with (target / name).open("rb") as file:
            begin = file.read(4)
        if not begin.startswith(MAGIC):
            raise InputError(
                f"bin/{name} in the release is no program for this machine: build it for it, or keep other files "
                "elsewhere",
                code="process.release",
            )
    return Made(target.name, tuple(names))


def _programs(members: Members) -> dict[str, str]:
    paths = {name: PurePosixPath(name) for name in members}
    return {path.name: name for name, path in sorted(paths.items()) if path.parent.as_posix() == "bin"}


def write_script(path: Path, *words: str) -> None:
    """A program that is another one with its first arguments."""
    quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)
    path.write_text(f'#!/bin/sh\nexec {quoted} "$@"\n')
    path.chmod(0o755)
