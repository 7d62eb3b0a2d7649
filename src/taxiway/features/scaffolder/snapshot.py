"""Snapshots of a template's files: a run pins those that it started with, whatever happens to their source.

A snapshot is a deterministic tar in the artefact store: the folder beside the template, or the whole repository where
the template reads what lies outside of its folder (`../`). Symbolic links, devices and paths that leave the folder are
refused; size and number of files are bounded.
"""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from taxiway.core.context import Platform
from taxiway.model.errors import InputError, NotFoundError, TooLargeError
from taxiway.plugin import Forge

MAX_FILES = 5_000
MAX_BYTES = 64 * 1024 * 1024
TESTS = frozenset({"template.test.yaml", "template.golden"})
"""Beside the template, for its authors: they are no part of a version."""


def snapshot(platform: Platform, location: str, document: Mapping[str, Any], commit: str | None = None) -> str:
    """Store the files of the template at `location` (`file:/…/template.yaml` or `git:<repository>//<path>`, there as
    of `commit` or of the newest one). Returns `<digest>//<where the template's folder is in it>`."""
    scheme, _, target = location.partition(":")
    is_whole = any("../" in text for text in _texts(document.get("spec")))
    if scheme == "file":
        folder = Path(target).parent
        if not folder.is_dir():
            raise NotFoundError(f"the folder of the template, {folder}, is not there (any more)")
        root = _checkout(platform, folder) if is_whole else folder
        files = _folder_files(root, frozenset() if is_whole else TESTS)
        return f"{_store(platform, files)}//{folder.relative_to(root).as_posix()}"
    if scheme == "git":
        repository, _, path = target.partition("//")
        inner = str(PurePosixPath(path).parent)
        root_in, base = (".", inner) if is_whole else (inner, ".")
        left_out = frozenset[str]() if is_whole else TESTS
        return f"{_store(platform, _forge_files(platform, repository, root_in, left_out, commit))}//{base}"
    raise InputError(f"templates cannot be read from '{location}': register them from a file or the built-in forge")


def unpack(platform: Platform, reference: str, into: Path) -> None:
    """Write a snapshot beside `into`, and make `into` a link to the template's folder in it; once."""
    if into.is_dir():
        return
    digest, _, base = reference.partition("//")
    partial, whole = (into.with_name(into.name + suffix) for suffix in (".partial", ".files"))
    if not whole.is_dir():
        partial.mkdir(parents=True, exist_ok=True)
        with tarfile.open(platform.artifacts.path(digest)) as archive:
            archive.extractall(partial, filter="data")
        partial.rename(whole)
    folder = whole / (base or ".")
    folder.mkdir(parents=True, exist_ok=True)  # one without files is not in the tar
    into.symlink_to(folder, target_is_directory=True)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _checkout(platform: Platform, folder: Path) -> Path:
    """The checkout around a folder, as far as locations may be read; the folder itself where there is none."""
    roots = [root.resolve() for root in platform.settings.catalog.file_roots]
    for candidate in (folder, *folder.parents):
        if not any(candidate.resolve().is_relative_to(root) for root in roots):
            break
        if (candidate / ".git").exists() or candidate.resolve() in roots:
            return candidate
    return folder


def _folder_files(root: Path, without: frozenset[str] = frozenset()) -> Iterator[tuple[str, bytes, bool]]:
    for folder, folders, names in os.walk(root):
        left_out = without if Path(folder) == root else frozenset()
        folders[:] = sorted(name for name in folders if name != ".git" and name not in left_out)
        for name in sorted(set(names) - left_out):
            path = Path(folder, name)
            if path.is_symlink() or not path.is_file():
                raise InputError(f"{path} is no plain file: templates may not hold links or devices")
            yield str(path.relative_to(root)), path.read_bytes(), os.access(path, os.X_OK)


def _forge_files(
    platform: Platform, repository: str, path: str, without: frozenset[str], commit: str | None
) -> Iterator[tuple[str, bytes, bool]]:
    forge = next(iter(platform.registry.all("forge", Forge)), None)
    head = forge.get_repository(repository) if forge else None
    if forge is None or head is None or head.head is None:
        raise NotFoundError(f"there is no repository '{repository}' with commits: push the template first")
    with tempfile.TemporaryDirectory() as folder:
        forge.export(repository, commit or head.head, Path(folder, "tree"))
        yield from _folder_files(Path(folder, "tree", path), without)


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
