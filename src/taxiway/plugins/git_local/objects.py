"""Commits and refs written straight into a bare repository, without a work tree.

dulwich is imported by who needs it: a server's start does not.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

from taxiway.model.errors import UnavailableError
from taxiway.plugin import MICROSECONDS, git_objects

ZERO = "0" * 40
LEFT_SECONDS = 2.0
"""A ref is locked for milliseconds; a lock this old was left by a process that died."""


def open_repo(path: Path) -> Any:
    """The bare repository at `path`, as a context manager."""
    from dulwich.repo import Repo

    return Repo(str(path))


def identity(who: str) -> tuple[str, str]:
    """Name and mail address in commits of an entity reference."""
    name = who.rsplit("/", 1)[-1].replace("<", "").replace(">", "").replace("\n", " ")
    return name, f"{name}@users.taxiway.invalid"


def write_commit(repo: Any, tree: bytes, parent: bytes | None, message: str, author: str, at_seconds: int) -> bytes:
    """Write a commit by `author` (an entity reference, shown as its name) and return its id."""
    return git_objects.write_commit(repo.object_store, tree, parent, message, identity(author), at_seconds)


def move_ref(repo: Any, ref: bytes, old: bytes | None, new: bytes) -> bool:
    """Move a ref from `old` (None: it is not there) to `new`; False when somebody else moved it first.

    The caller holds the repository's own lock, so that only a push, whose git locks a ref for milliseconds, or somebody
    who was killed can have locked the ref. UnavailableError when it stays locked.
    """
    from dulwich.file import FileLocked

    path, deadline = Path(repo.path), time.monotonic() + LEFT_SECONDS + 1
    while True:
        try:
            return bool(repo.refs.set_if_equals(ref, old, new) if old else repo.refs.add_if_new(ref, new))
        except FileLocked as error:
            if time.monotonic() > deadline:
                raise UnavailableError(f"{ref.decode()} is locked by another git process: try again") from error
            clear_left_locks(path)
            time.sleep(0.1)


def clear_left_locks(path: Path) -> None:
    """Remove the locks of refs that whoever was killed left in a bare repository: git never removes them by itself."""
    limit = time.time() - LEFT_SECONDS
    for lock in (path / "HEAD.lock", path / "packed-refs.lock", *(path / "refs").rglob("*.lock")):
        with contextlib.suppress(OSError):
            if lock.stat().st_mtime < limit:
                lock.unlink()


def commit_rows(repo: Any, sha: str, limit: int) -> list[dict[str, Any]]:
    """Commits from `sha` back along parents: sha, message, author's name and address, time in microseconds UTC."""
    return [
        {
            "sha": entry.commit.id.decode(),
            "message": entry.commit.message.decode(errors="replace").strip(),
            "author": entry.commit.author.decode(errors="replace").split(" <")[0],
            "mail": entry.commit.author.decode(errors="replace").rpartition("<")[2].rstrip(">"),
            "at": entry.commit.commit_time * MICROSECONDS,
        }
        for entry in repo.get_walker(include=[sha.encode()], max_entries=limit)
    ]
