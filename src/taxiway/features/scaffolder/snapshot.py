"""Snapshots of a template's files: a run pins those that it started with, whatever happens to their source.

A snapshot is a deterministic tar in the artefact store: the folder beside the template, or the whole repository where
the template reads what lies outside of its folder (`../`). Symbolic links, devices and paths that leave the folder are
refused; size and number of files are bounded. What did not change since it was last stored is not read again. Templates
lie in folders, on the built-in forge, or on a forge of the settings, which is read with the credential there.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO, Any

from taxiway.core.context import Platform
from taxiway.features.scaffolder.remote import checkout
from taxiway.model.errors import InputError, NotFoundError, TooLargeError
from taxiway.plugin import Forge
from taxiway.plugin.forging.checkouts import MOST_BYTES, MOST_FILES

TESTS = frozenset({"template.test.yaml", "template.golden"})
"""Beside the template, for its authors: they are no part of a version."""
SETTLED_NANOSECONDS = 2_000_000_000
MOST_KNOWN = 1_000
UNPACKED = Path("cache", "templates")
UNPACKED_SECONDS = 24 * 3600


def snapshot(
    platform: Platform,
    location: str,
    document: Mapping[str, Any],
    commit: str | None = None,
    *,
    within_seconds: float = 0,
) -> str:
    """Store the files of the template at `location` (`file:/…/template.yaml`, `git:<repository>//<path>`, there as of
    `commit` or of the newest one, or `url:https://…`). Returns `<digest>//<where the template's folder is in it>`.

    Another host is not asked again `within_seconds` of the last time: for lists, which nobody waits a forge for."""
    scheme, _, target = location.partition(":")
    is_whole = reads_outside(document)
    stored = _stored(platform)
    if scheme == "file":
        folder = Path(target).parent
        if not folder.is_dir():
            raise NotFoundError(f"the folder of the template, {folder}, is not there (any more)")
        root = _checkout(platform, folder) if is_whole else folder
        return f"{stored.folder(root, frozenset() if is_whole else TESTS)}//{folder.relative_to(root).as_posix()}"
    if scheme == "git":
        repository, _, path = target.partition("//")
        inner = str(PurePosixPath(path).parent)
        root_in, base = (".", inner) if is_whole else (inner, ".")
        left_out = frozenset[str]() if is_whole else TESTS
        return f"{stored.committed(repository, root_in, left_out, commit)}//{base}"
    if scheme == "url":
        return stored.elsewhere(target, is_whole, within_seconds)
    raise _unreadable(location)


def template_files(
    platform: Platform, location: str, commit: str | None = None
) -> tuple[str, Iterator[tuple[str, bytes, bool]]]:
    """The name of the template at `location`, and (path, content, whether it is executable) of the files in its folder,
    its tests among them. Locations and errors are those of `snapshot`."""
    scheme, _, target = location.partition(":")
    if scheme == "file":
        return Path(target).name, _folder_files(Path(target).parent)
    if scheme == "git":
        repository, _, path = target.partition("//")
        inner = PurePosixPath(path)
        forge, wanted = _head(platform, repository, commit)
        return inner.name, _forge_files(forge, repository, str(inner.parent), frozenset(), wanted)
    if scheme == "url":
        found = checkout(platform, target)
        inner = PurePosixPath(found.path)
        return inner.name, found.files(str(inner.parent))
    raise _unreadable(location)


def reads_outside(document: Mapping[str, Any]) -> bool:
    """Whether a template reads what lies outside of its folder."""
    return any("../" in text for text in _texts(document.get("spec")))


def _unreadable(location: str) -> InputError:
    return InputError(f"templates cannot be read from '{location}': register them from a file or a forge")


def loose(folder: Path) -> str:
    """What `snapshot` would return for a template in a folder of its own. Nothing is stored."""
    content = io.BytesIO()
    _write(content, _folder_files(folder, TESTS))
    return f"sha256:{hashlib.sha256(content.getbuffer()).hexdigest()}//."


class Stored:
    """The snapshots of a platform by what they were made of, while it runs. Safe to use from many threads."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._known: dict[Any, tuple[Any, str]] = {}
        self._whole: set[str] = set()
        self._found: dict[Any, tuple[float, str]] = {}

    def folder(self, root: Path, without: frozenset[str]) -> str:
        """The digest of the files below `root`. They are read when any of them may have changed since the last time:
        a file that was changed in the last moment could be changed again without its time showing it."""
        begin = time.time_ns()
        signs = sorted(islice(_signs(root, without), MOST_FILES + 1))
        is_settled = len(signs) <= MOST_FILES and all(sign[2] < begin - SETTLED_NANOSECONDS for sign in signs)
        return self._once((root, without), signs if is_settled else None, lambda: _folder_files(root, without))

    def committed(self, repository: str, path: str, without: frozenset[str], commit: str | None) -> str:
        """The digest of the files below `path` in a commit, of the newest where none is named."""
        forge, wanted = _head(self._platform, repository, commit)
        return self._once(
            (repository, path, without, commit), wanted, lambda: _forge_files(forge, repository, path, without, wanted)
        )

    def elsewhere(self, url: str, is_whole: bool, within_seconds: float) -> str:
        """The reference of what `url` names on another forge, as it was found `within_seconds` ago at most."""
        key = url, is_whole
        at, reference = self._found.get(key, (0.0, ""))
        if reference and time.monotonic() - at < within_seconds:
            return reference
        found = checkout(self._platform, url)
        inner = str(PurePosixPath(found.path).parent)
        root_in, base = (".", inner) if is_whole else (inner, ".")
        left_out = frozenset[str]() if is_whole else TESTS
        files = (one for one in found.files(root_in) if one[0].partition("/")[0] not in left_out)
        reference = f"{self._once(key, found.commit, lambda: files)}//{base}"
        if len(self._found) >= MOST_KNOWN:
            self._found.clear()
        self._found[key] = time.monotonic(), reference
        return reference

    def _once(self, key: Any, sign: Any, files: Callable[[], Iterator[tuple[str, bytes, bool]]]) -> str:
        known = self._known.get(key)
        if known is not None and sign is not None and known[0] == sign:
            with suppress(NotFoundError):  # somebody removed it from the store
                self._platform.artifacts.path(known[1])
                return known[1]
        digest = _store(self._platform, files())
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[key] = sign, digest
        return digest

    def unpacked(self, digest: str) -> Path:
        """The folder that holds the files of a snapshot: whole, whatever the power did since they were written."""
        folder = self._platform.settings.data / UNPACKED / digest.removeprefix("sha256:")
        if digest in self._whole and _touch(folder):
            return folder
        source = self._platform.artifacts.path(digest)
        if folder.is_dir() and not _matches(folder, source):
            shutil.rmtree(folder)
        if not folder.is_dir():
            _extract(source, folder)
        self._whole.add(digest)
        _touch(folder)
        return folder


def unpack(platform: Platform, reference: str, into: Path) -> None:
    """Make `into` a link to the template's folder in a snapshot, and `<into>.files` one to all of it; once.

    What is unpacked is shared by every run and plan of that version, and changed by none.
    """
    if into.is_dir():
        _touch(into.with_name(into.name + ".files"))
        return
    digest, _, base = reference.partition("//")
    whole = _stored(platform).unpacked(digest)
    folder = whole / (base or ".")
    folder.mkdir(parents=True, exist_ok=True)  # one without files is not in the tar
    for link, target in ((into.with_name(into.name + ".files"), whole), (into, folder)):
        if not link.is_dir():
            link.unlink(missing_ok=True)  # its snapshot was removed since
            link.symlink_to(target, target_is_directory=True)


def link_loose(folder: Path, into: Path) -> None:
    """Like `unpack`, of a folder that belongs to the caller."""
    into.with_name(into.name + ".files").symlink_to(folder, target_is_directory=True)
    into.symlink_to(folder, target_is_directory=True)


def forget_unpacked(platform: Platform) -> int:
    """Remove the unpacked snapshots that nothing was made from for a day; how many."""
    root, removed = platform.settings.data / UNPACKED, 0
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        if not _is_unused(folder):
            continue
        # Moved away as a whole first: whoever looks for it meanwhile finds all of it, or nothing.
        with (
            tempfile.TemporaryDirectory(dir=root, prefix=".", ignore_cleanup_errors=True) as scratch,
            suppress(OSError),
        ):
            gone = folder.rename(Path(scratch, "files"))
            if _is_unused(gone):
                removed += 1
            else:  # a run began to use it in between
                gone.rename(folder)
    return removed


def _is_unused(folder: Path) -> bool:
    try:
        return folder.stat().st_mtime < time.time() - UNPACKED_SECONDS
    except FileNotFoundError:
        return False


def _touch(folder: Path) -> bool:
    """Say that a folder is in use; False when it is not there."""
    try:
        os.utime(folder)
    except FileNotFoundError:
        return False
    return True


def _stored(platform: Platform) -> Stored:
    stored: Stored = platform.services.setdefault("scaffolder.snapshots", Stored(platform))
    return stored


def _extract(source: Path, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".") as scratch:
        partial = Path(scratch, "files")
        partial.mkdir()
        with tarfile.open(source) as archive:
            archive.extractall(partial, filter="data")
        try:
            partial.rename(folder)
        except OSError:  # another was faster, and made the same
            if not folder.is_dir():
                raise


def _matches(folder: Path, source: Path) -> bool:
    with tarfile.open(source) as archive:
        for member in archive:
            content, path = archive.extractfile(member), folder / member.name
            if content is None or not path.is_file() or path.read_bytes() != content.read():
                return False
    return True


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
        links = {name for name in folders if Path(folder, name).is_symlink()}
        for name in sorted({*names, *links} - left_out):
            path = Path(folder, name)
            if path.is_symlink() or not path.is_file():
                raise InputError(f"{path} is no plain file: templates may not hold links or devices")
            if path.stat().st_size > MOST_BYTES:  # before it is read
                raise _too_large()
            yield str(path.relative_to(root)), path.read_bytes(), os.access(path, os.X_OK)


def _signs(root: Path, without: frozenset[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """What changes with each change of a file below `root`: path, inode, times, size and mode."""
    pending = [("", os.fspath(root))]
    while pending:
        prefix, folder = pending.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name == ".git" or (not prefix and entry.name in without):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    pending.append((f"{prefix}{entry.name}/", entry.path))
                    continue
                found = entry.stat(follow_symlinks=False)
                newest = max(found.st_ctime_ns, found.st_mtime_ns)
                yield prefix + entry.name, found.st_ino, newest, found.st_size, found.st_mode


def _head(platform: Platform, repository: str, commit: str | None) -> tuple[Forge, str]:
    """The forge, and the commit to read; the newest one where none is named."""
    forge = next(iter(platform.registry.all("forge", Forge)), None)
    head = forge.get_repository(repository) if forge else None
    if forge is None or head is None or head.head is None:
        raise NotFoundError(f"there is no repository '{repository}' with commits: push the template first")
    return forge, commit or head.head


def _forge_files(
    forge: Forge, repository: str, path: str, without: frozenset[str], commit: str
) -> Iterator[tuple[str, bytes, bool]]:
    with tempfile.TemporaryDirectory() as folder:
        forge.export(repository, commit, Path(folder, "tree"))
        yield from _folder_files(Path(folder, "tree", path), without)


def _store(platform: Platform, files: Iterator[tuple[str, bytes, bool]]) -> str:
    with tempfile.NamedTemporaryFile(suffix=".tar") as target:
        _write(target, files)
        target.flush()
        return platform.artifacts.put(Path(target.name))


def _write(target: IO[bytes], files: Iterable[tuple[str, bytes, bool]]) -> None:
    size = count = 0
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content, executable in files:
            size, count = size + len(content), count + 1
            if size > MOST_BYTES or count > MOST_FILES:
                raise _too_large()
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o755 if executable else 0o644
            archive.addfile(info, io.BytesIO(content))


def _too_large() -> TooLargeError:
    return TooLargeError(
        f"a template may hold {MOST_FILES} files of {MOST_BYTES} bytes together at most: move what is no part of it "
        "out of its folder"
    )
