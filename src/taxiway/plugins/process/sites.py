"""Releases that are static sites: the files of `site/`, served by a small server of Python's standard library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from taxiway.model.errors import InputError
from taxiway.plugins.process import interpreter, static
from taxiway.plugins.process.programs import write_script
from taxiway.plugins.process.workshop import FILE_BYTES, Made, Members, Workshop, copy

FILES = 50_000
PROGRAM = "serve"
WHAT = "the files of a static site in site/, with an index.html"


def fits(members: Members) -> bool:
    """Whether an artefact has a site."""
    return any(_inner(name) == ("index.html",) for name in members)


def make(shop: Workshop, folder: Path, members: Members, cancelled: Callable[[], bool]) -> Made:
    """Copy the site and write its program. UnavailableError: no Python can be run by the user of workloads."""
    python = interpreter.find(shop.identity)
    left = FILE_BYTES
    inside = {name: inner for name in members if (inner := _inner(name)) is not None}
    if len(inside) > FILES:
        raise InputError(f"the site has more than {FILES} files: make it smaller", code="process.release")
    for name, inner in inside.items():
        target = folder.joinpath("site", *inner)
        target.parent.mkdir(parents=True, exist_ok=True)
        copy(members[name](), target, left)
        left -= target.stat().st_size
    server = folder / "static.py"
    server.write_text(Path(static.__file__).read_text())
    programs = folder / "bin"
    programs.mkdir(mode=0o755)
    write_script(programs / PROGRAM, str(python.path), "-I", "-S", str(server), str(folder / "site"))
    return Made(programs.name, (PROGRAM,))


def _inner(name: str) -> tuple[str, ...] | None:
    """The parts of a member's name below `site/`; None for one that is not there."""
    parts = PurePosixPath(name.removeprefix("./")).parts
    return parts[1:] if len(parts) > 1 and parts[0] == "site" and ".." not in parts else None
