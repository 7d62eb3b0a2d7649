"""The cache folder of each repository: what its jobs keep from run to run, for nobody else.

A new one starts from the seed: unpacked packages are hard links to Taxiway's files, which a job can read but not
change, in folders that are the job's own; `uv` copies them from there. The folder has a name that cannot be guessed
below one that jobs cannot list, because the pipelines of all repositories share a user.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import threading
from pathlib import Path

from taxiway.model.errors import ConflictError
from taxiway.model.event import Event
from taxiway.plugin import Identity, PluginContext
from taxiway.plugins.act.seed import Seed

SHARED = "archive-v"  # folder of uv's cache with unpacked packages; everything else it rewrites in place


class RepositoryCaches:
    """Makes, finds and removes them; safe between threads and processes of one data folder."""

    def __init__(self, ctx: PluginContext, seed: Seed) -> None:
        self._ctx, self._seed = ctx, seed
        self._root = ctx.cache_dir / "repositories"
        self._identity = ctx.identity("pipelines")
        self._lock = threading.Lock()

    def folder(self, repository: str) -> Path:
        """The cache folder of a repository, made when missing."""
        self._root.mkdir(mode=0o711, parents=True, exist_ok=True)
        self._root.chmod(0o711)
        with self._lock:
            folder = self._root / self._name(repository)
            if not folder.is_dir():
                self._make(folder)
        return folder

    def forget(self, repository: str) -> None:
        """Remove what was kept for a repository."""
        with self._lock:
            record = self._ctx.records.get(_key(repository))
            if record is not None:
                shutil.rmtree(self._root / str(record.value["folder"]), ignore_errors=True)
                self._ctx.records.delete(_key(repository))

    def _name(self, repository: str) -> str:
        key = _key(repository)
        record = self._ctx.records.get(key)
        if record is None:
            value = {"repository": repository, "folder": secrets.token_hex(16)}
            try:
                record = self._ctx.records.put(key, value, expect=0)
            except ConflictError:  # another process was first
                record = self._ctx.records.get(key)
        return str(record.value["folder"]) if record else secrets.token_hex(16)

    def _make(self, folder: Path) -> None:
        part = self._root / f".{folder.name}-{secrets.token_hex(4)}"
        part.mkdir(mode=0o700)
        own(part, self._identity)
        (part / "tools").mkdir(mode=0o700)
        own(part / "tools", self._identity)
        seed = self._seed.path()
        if seed is not None:
            start_from(seed, part / "tools" / "uv", self._identity)
        try:
            part.rename(folder)
        except OSError:  # another process was first
            shutil.rmtree(part, ignore_errors=True)


class ForgetRepository:
    """A repository that is made anew under an old name must not find the old one's cache."""

    key = "act_forget_repository"
    types = ("dev.cdevents.repository.deleted.",)

    def __init__(self, caches: RepositoryCaches) -> None:
        self._caches = caches

    def handle(self, event: Event) -> None:
        self._caches.forget(str(event.data.get("repository") or event.subject.removeprefix("repository:")))


def start_from(seed: Path, target: Path, identity: Identity) -> None:
    """Fill `target` (new) from the seed: folders and small files are the user's own, unpacked packages are links."""
    for name, folders, files in os.walk(seed):
        here = target / Path(name).relative_to(seed)
        here.mkdir(mode=0o700)
        own(here, identity)
        inside = Path(name).relative_to(seed).parts
        shared = bool(inside) and inside[0].startswith(SHARED) and len(inside) > 1
        for entry in (*folders, *files):
            source = Path(name, entry)
            if source.is_symlink():
                (here / entry).symlink_to(source.readlink())
            elif source.is_file() and not (shared and identity.uid is not None and _linked(source, here / entry)):
                shutil.copyfile(source, here / entry)
                own(here / entry, identity)


def _linked(source: Path, target: Path) -> bool:
    """Whether `target` is a hard link to `source` now; never across file systems."""
    try:
        target.hardlink_to(source)
    except OSError:
        return False
    return True


def own(path: Path, identity: Identity) -> None:
    """Make one file or folder belong to the pipelines' user."""
    if identity.uid is not None and identity.gid is not None:
        os.chown(path, identity.uid, identity.gid)


def _key(repository: str) -> str:
    return "cache/" + hashlib.sha256(repository.encode()).hexdigest()[:32]
