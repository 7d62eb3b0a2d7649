"""Snapshots of a template's folder: a run pins the files that it started with, whatever happens to their source.

A snapshot is a deterministic tar in the artefact store. Symbolic links, devices and paths that leave the folder are
refused; size and number of files are bounded.
"""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from taxiway.core.context import Platform
from taxiway.model.errors import InputError, NotFoundError, TooLargeError
from taxiway.plugin import Forge

MAX_FILES = 5_000
MAX_BYTES = 64 * 1024 * 1024


def snapshot(platform: Platform, location: str) -> str:
    """Store the folder beside the template at `location` (`file:/…/template.yaml` or `git:<repository>//<path>`), and
    return its digest."""
    scheme, _, target = location.partition(":")
    if scheme == "file":
        return _store(platform, _folder_files(Path(target).parent))
    if scheme == "git":
        return _store(platform, _forge_files(platform, target))
    raise InputError(f"templates cannot be read from '{location}': register them from a file or the built-in forge")


def unpack(platform: Platform, digest: str, into: Path) -> None:
    """Write a snapshot into `into`, once: a complete folder is left as it is."""
    if into.is_dir():
        return
    partial = into.with_name(into.name + ".partial")
    partial.mkdir(parents=True, exist_ok=True)
    with tarfile.open(platform.artifacts.path(digest)) as archive:
        archive.extractall(partial, filter="data")
    partial.rename(into)


def _folder_files(root: Path) -> Iterator[tuple[str, bytes, bool]]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_symlink() or not path.is_file():
                raise InputError(f"{path} is no plain file: templates may not hold links or devices")
            yield str(path.relative_to(root)), path.read_bytes(), os.access(path, os.X_OK)


def _forge_files(platform: Platform, target: str) -> Iterator[tuple[str, bytes, bool]]:
    repository, _, path = target.partition("//")
    forge = next(iter(platform.registry.all("forge", Forge)), None)
    head = forge.get_repository(repository) if forge else None
    if forge is None or head is None or head.head is None:
        raise NotFoundError(f"there is no repository '{repository}' with commits: push the template first")
    with tempfile.TemporaryDirectory() as folder:
        forge.export(repository, head.head, Path(folder, "tree"))
        yield from _folder_files(Path(folder, "tree", path).parent)


def _store(platform: Platform, files: Iterator[tuple[str, bytes, bool]]) -> str:
    size = count = 0
    with tempfile.NamedTemporaryFile(suffix=".tar") as target:
        with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for name, content, executable in files:
                size, count = size + len(content), count + 1
                if size > MAX_BYTES or count > MAX_FILES:
                    raise TooLargeError(f"a template may hold {MAX_FILES} files of {MAX_BYTES} bytes together at most")
                info = tarfile.TarInfo(name)
                info.size, info.mode = len(content), 0o755 if executable else 0o644
                archive.addfile(info, io.BytesIO(content))
        target.flush()
        return platform.artifacts.put(Path(target.name))
