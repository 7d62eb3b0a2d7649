"""The folder of a command: files go in from the workspace, and what it changed comes back when it is over.

The command owns what is below `work`, so nothing there is trusted: it is read only when no process of it is left,
links, devices and second names of files are refused, and all of it is looked at before anything is written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from taxiway.features.scaffolder.actions.fetch import remove, write_file
from taxiway.model.errors import InputError, TooLargeError
from taxiway.plugin import Identity
from taxiway.plugin.actions import inside, workspace_files
from taxiway.plugin.daemons import give

MOST_BYTES = 100 * 1024 * 1024
MOST_FILES = 5_000
FOLDERS = ("work", "home", "tmp", "out")
OUTPUT = "out/outputs"
Mask = Callable[[str], str]
Files = Mapping[str, tuple[bytes, bool]]


def make_folders(root: Path, identity: Identity) -> None:
    """The folders of a command, below one that it can pass through only."""
    root.mkdir(parents=True)
    root.chmod(0o711)
    for name in FOLDERS:
        (root / name).mkdir(mode=0o700)
        give(root / name, identity)


def fill(root: Path, files: Files, identity: Identity) -> None:
    """Write files below `root`, which the command then owns. InputError for a name that leads out of it."""
    for name, (content, executable) in files.items():
        place = inside(root, name)
        write_file(place, content, executable)
        for one in (place, *(parent for parent in place.parents if parent.is_relative_to(root) and parent != root)):
            give(one, identity)


def taken(root: Path) -> dict[str, tuple[bytes, bool]]:
    """Every file below a folder, by its path. InputError for what is no plain file, TooLargeError for too much."""
    found: dict[str, tuple[bytes, bool]] = {}
    size = 0
    for name, path in _plain(root):
        size += path.lstat().st_size
        if size > MOST_BYTES or len(found) >= MOST_FILES:
            raise TooLargeError(
                f"a command works on {MOST_FILES} files of {MOST_BYTES} bytes together at most: make fewer"
            )
        found[name] = (path.read_bytes(), os.access(path, os.X_OK))
    return found


def _plain(root: Path) -> Iterator[tuple[str, Path]]:
    for name, path in workspace_files(root):
        if path.lstat().st_nlink != 1:
            raise InputError(f"{name} is a second name of another file: write a file of its own")
        yield name, path


def bring_back(before: Files, after: Files, workspace: Path, mask: Mask) -> list[str]:
    """Write what a command changed into the workspace, and remove what it removed. The names of both.

    InputError when a file that it wrote has a secret in it: nothing is written then.
    """
    changed = [name for name, file in after.items() if before.get(name) != file]
    for name in changed:
        text = after[name][0].decode(errors="replace")
        if mask(text) != text or mask(name) != name:
            raise InputError(
                f"the command wrote a secret into '{mask(name)}', so none of its files were kept: give secrets to what "
                "uses them, and write references",
                code="scaffolder.secret_written",
            )
    gone = sorted(before.keys() - after.keys())
    for name in gone:
        (workspace / name).unlink(missing_ok=True)
    for name in changed:
        place = workspace / name
        if place.is_dir():
            remove(place)
        write_file(place, *after[name])
    return changed + gone
