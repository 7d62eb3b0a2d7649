"""An artefact folder as one file whose bytes depend only on its content: a tar with fixed owner, time and order."""

from __future__ import annotations

import tarfile
from pathlib import Path

from taxiway.model.errors import InputError, TooLargeError

MAX_BYTES = 500_000_000
MAX_FILES = 20_000


def pack(folder: Path, target: Path) -> None:
    """Write `folder` to the tar file `target`. Links and special files are refused; TooLargeError above the limits."""
    files = sorted(path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    if not files:
        raise InputError("the artefact 'release' is empty: let the workflow upload at least one file")
    if len(files) > MAX_FILES:
        raise TooLargeError(f"the artefact 'release' has more than {MAX_FILES} files")
    total = 0
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        for path in files:
            name = path.relative_to(folder).as_posix()
            if path.is_symlink() or not path.is_file():
                raise InputError(f"the artefact 'release' holds a link or special file: {name}; upload plain files")
            stat = path.stat()
            total += stat.st_size
            if total > MAX_BYTES:
                raise TooLargeError(f"the artefact 'release' is larger than {MAX_BYTES} bytes")
            info = tarfile.TarInfo(name)
            info.size, info.mode = stat.st_size, 0o755 if stat.st_mode & 0o100 else 0o644
            with path.open("rb") as source:
                archive.addfile(info, source)
