"""Immutable artefacts in `<data>/artifacts/sha256/ab/<hex>`: written aside, synced, then renamed, so that a path that
exists is whole."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from taxiway.model.errors import InputError, NotFoundError

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
CHUNK = 1 << 20


@dataclass(frozen=True)
class FolderArtifacts:
    """Implements `Artifacts` below `root`. Safe for several processes on one folder."""

    root: Path

    def put(self, source: Path) -> str:
        """Store a file and return its digest. Storing the same bytes twice is free."""
        staging = self.root / "incoming"
        staging.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=staging)
        temporary, digest = Path(name), hashlib.sha256()
        try:
            with os.fdopen(handle, "wb") as target, source.open("rb") as reader:
                while chunk := reader.read(CHUNK):
                    digest.update(chunk)
                    target.write(chunk)
                target.flush()
                os.fchmod(target.fileno(), 0o444)
                os.fsync(target.fileno())
            final = self._path(digest.hexdigest())
            if not final.exists():
                final.parent.mkdir(parents=True, exist_ok=True)
                temporary.rename(final)
                _sync_folder(final.parent)
        finally:
            temporary.unlink(missing_ok=True)
        return f"sha256:{digest.hexdigest()}"

    def path(self, digest: str) -> Path:
        """A read-only path of the stored bytes. NotFoundError when they are not here."""
        matched = _DIGEST.fullmatch(digest)
        if matched is None:
            raise InputError(f"'{digest}' is no digest: write sha256:<64 hex digits>", code="artifacts.digest")
        found = self._path(matched.group(1))
        if not found.is_file():
            raise NotFoundError(f"the artefact {digest} is not in {self.root}", code="artifacts.gone")
        return found

    def beginning_with(self, first: bytes, older_than: float) -> Iterator[Path]:
        """Artefacts that begin so, and were stored or `touched` before a time in seconds."""
        for folder in sorted((self.root / "sha256").glob("??")):
            for entry in sorted(os.scandir(folder), key=lambda item: item.name):
                with suppress(OSError):  # removed in the meantime
                    if entry.stat().st_mtime < older_than:
                        path = Path(entry.path)
                        with path.open("rb") as file:
                            found = file.read(len(first)) == first
                        if found:
                            yield path

    def touch(self, digest: str) -> None:
        """Note that an artefact is needed now, so that it counts as new."""
        os.utime(self.path(digest))

    def _path(self, hexadecimal: str) -> Path:
        return self.root / "sha256" / hexadecimal[:2] / hexadecimal


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
