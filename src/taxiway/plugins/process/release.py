"""Makes a release runnable: a folder per artefact, made once, in RELEASES/<hex>.

What an artefact holds decides how: a wheel (`wheels`), an npm package (`packages`), programs (`programs`) or a static
site (`sites`). No code of the release runs here. The result belongs to Taxiway and others can only read it.
`complete.json` is written last: without it the folder is made anew.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from taxiway.model.errors import InputError, UnavailableError
from taxiway.plugin import Identity, daemons
from taxiway.plugins.process import files, packages, programs, sites, wheels
from taxiway.plugins.process.supervisor import ProcessError, locked
from taxiway.plugins.process.workshop import Made, Members, Workshop, members_of


class Maker(Protocol):
    """A module that makes one sort of release."""

    WHAT: str

    def fits(self, members: Members) -> bool: ...

    def make(self, shop: Workshop, folder: Path, members: Members, cancelled: Callable[[], bool]) -> Made: ...


MAKERS: Sequence[Maker] = (wheels, packages, sites, programs)


@dataclass(frozen=True)
class Release:
    """A prepared release: its programs, and the one to run when nothing else is said (empty: not exactly one)."""

    folder: Path
    programs: Path
    default_command: tuple[str, ...]


def prepare(shop: Workshop, digest: str, artifact: Path, cancelled: Callable[[], bool]) -> Release:
    """The release of this artefact, made when it is not there. Safe from several processes at once.

    InputError: the artefact is not what it should be; UnavailableError: what it needs is missing on this machine.
    """
    name = re.sub(r"[^0-9a-f]", "", digest.removeprefix("sha256:"))[:64]
    folder = shop.releases / name
    there = _complete(folder)
    if there is not None:
        return there
    _open_folder(shop.releases)
    with locked(shop.releases / f"{name}.lock", shop.install_seconds):
        there = _complete(folder)
        if there is not None:
            return there
        shutil.rmtree(folder, ignore_errors=True)
        _open_folder(folder)
        made = _make(shop, folder, artifact, cancelled)
        found = {"programs": made.programs, "default_command": made.names if len(made.names) == 1 else ()}
        files.write_json(str(folder / "complete.json"), found, 0o644)
    return Release(folder, folder / made.programs, tuple(found["default_command"]))


def _make(shop: Workshop, folder: Path, artifact: Path, cancelled: Callable[[], bool]) -> Made:
    with members_of(artifact) as members:
        for maker in MAKERS:
            if maker.fits(members):
                return maker.make(shop, folder, members, cancelled)
    known = "; ".join(maker.WHAT for maker in MAKERS)
    raise InputError(
        f"this is no release that a local process can run. It is one of: {known}. Correct what the workflow uploads as "
        "'release'",
        code="process.release",
    )


def forget(shop: Workshop, used: Callable[[], set[str]]) -> None:
    """Remove the releases whose digests are not among those in use. One that is being made is left for later."""
    for folder in shop.releases.glob("*"):
        if not folder.is_dir() or folder.name in _names(used()):
            continue
        lock = shop.releases / f"{folder.name}.lock"
        with contextlib.suppress(ProcessError), locked(lock, 0.1):
            # Asked again with the lock held: it may have become wanted and been made since.
            if folder.name not in _names(used()):
                (folder / "complete.json").unlink(missing_ok=True)
                shutil.rmtree(folder, ignore_errors=True)
                lock.unlink(missing_ok=True)


def _names(digests: set[str]) -> set[str]:
    return {digest.removeprefix("sha256:") for digest in digests}


def _complete(folder: Path) -> Release | None:
    found = files.read_json(str(folder / "complete.json"))
    if not isinstance(found, dict) or "programs" not in found or not (folder / found["programs"]).is_dir():
        return None
    return Release(folder, folder / found["programs"], tuple(found["default_command"]))


def _open_folder(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o755)


def reachable(path: Path, identity: Identity) -> None:
    """UnavailableError when the workloads' user cannot get to `path`."""
    blocked = daemons.blocked_by(path / "x", identity)
    if blocked is not None:
        raise UnavailableError(
            f"the user {identity.uid} of workloads cannot pass through {blocked}: run 'chmod a+x {blocked}', or choose "
            "another data folder",
            code="process.unreachable",
        )
