"""The artifacts of a run, as files that Taxiway may read. The folder was writable for repository code: nothing in it is
trusted, links and special files are refused, sizes are bounded."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .sandbox import Layout, RunnerError

MAX_FILES = 20_000


@dataclass(frozen=True)
class Artifact:
    """A named artifact: its folder, and its files as paths relative to it with their sizes in bytes."""

    name: str
    folder: Path
    files: Mapping[str, int]


def artifacts(layout: Layout, max_bytes: int = 1024**3) -> dict[str, Artifact]:
    """The artifacts of a run by name. Raises RunnerError on a link, a special file, or more than `max_bytes` in all."""
    found: dict[str, Artifact] = {}
    total = count = 0
    for folder in sorted(layout.artifacts.iterdir()):
        if folder.name.startswith(".") or folder.is_symlink() or not folder.is_dir():
            continue
        files = _files(folder)
        total, count = total + sum(files.values()), count + len(files)
        if total > max_bytes or count > MAX_FILES:
            raise RunnerError(f"The run's artifacts exceed {max_bytes >> 20} MiB or {MAX_FILES} files. Upload less.")
        found[folder.name] = Artifact(folder.name, folder, files)
    return found


def _files(folder: Path) -> dict[str, int]:
    files: dict[str, int] = {}
    for name, folders, entries in os.walk(folder):
        for entry in (*folders, *entries):
            path = Path(name) / entry
            facts = path.lstat()
            relative = str(path.relative_to(folder))
            if stat.S_ISREG(facts.st_mode):
                files[relative] = facts.st_size
            elif not stat.S_ISDIR(facts.st_mode):
                raise RunnerError(
                    f"Artifact '{folder.name}' holds '{relative}', which is not a plain file. Upload files."
                )
    return files
