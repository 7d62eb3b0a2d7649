"""Trees and commits written straight into a bare repository, without a work tree.

dulwich is imported by who needs it: a server's start does not.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from taxiway.model.errors import InputError, UnavailableError
from taxiway.model.workload import FileChange
from taxiway.plugin import MICROSECONDS

if TYPE_CHECKING:
    from dulwich.objects import ObjectID

ZERO = "0" * 40
LEFT_SECONDS = 2.0
"""A ref is locked for milliseconds; a lock this old was left by a process that died."""
FILE, EXECUTABLE, FOLDER = 0o100644, 0o100755, 0o040000


def open_repo(path: Path) -> Any:
    """The bare repository at `path`, as a context manager."""
    from dulwich.repo import Repo

    return Repo(str(path))


def checked_path(path: str) -> PurePosixPath:
    """`path` as a relative path inside a tree. InputError when it would leave it or touch `.git`."""
    parts = PurePosixPath(path)
    if parts.is_absolute() or not parts.parts or any(p in ("..", ".") or p.lower() == ".git" for p in parts.parts):
        raise InputError(f"'{path}' is no path that a repository may hold", code="repositories.bad_path")
    return parts


def build_tree(repo: Any, old: bytes | None, changes: Mapping[str, FileChange]) -> bytes:
    """The id of the tree that `changes` make of tree `old`; folders that become empty go."""
    from dulwich.objects import Blob, Tree

    here: dict[bytes, FileChange] = {}
    below: dict[str, dict[str, FileChange]] = {}
    for path, change in changes.items():
        first, *rest = checked_path(path).parts
        if rest:
            below.setdefault(first, {})["/".join(rest)] = change
        else:
            here[first.encode()] = change
    tree: Tree = Tree() if old is None else repo[old].copy()
    for name, change in here.items():
        if change.content is None:
            if name in tree:
                del tree[name]
            continue
        blob = Blob.from_string(change.content)
        repo.object_store.add_object(blob)
        tree.add(name, EXECUTABLE if change.executable else FILE, blob.id)
    for folder, inner in below.items():
        key = folder.encode()
        sub = tree[key][1] if key in tree and tree[key][0] == FOLDER else None
        made = build_tree(repo, sub, inner)
        if len(repo[made]):
            tree.add(key, FOLDER, cast("ObjectID", made))
        elif key in tree:
            del tree[key]
    repo.object_store.add_object(tree)
    return bytes(tree.id)


def identity(who: str) -> tuple[str, str]:
    """Name and mail address in commits of an entity reference."""
    name = who.rsplit("/", 1)[-1].replace("<", "").replace(">", "").replace("\n", " ")
    return name, f"{name}@users.taxiway.invalid"


def write_commit(repo: Any, tree: bytes, parent: bytes | None, message: str, author: str, at_seconds: int) -> bytes:
    """Write a commit by `author` (an entity reference, shown as its name) and return its id."""
    from dulwich.objects import Commit

    commit = Commit()
    commit.tree = tree
    commit.parents = [cast("ObjectID", parent)] if parent else []
    name, mail = identity(author)
    commit.author = commit.committer = f"{name} <{mail}>".encode()
    commit.author_time = commit.commit_time = at_seconds
    commit.author_timezone = commit.commit_timezone = 0
    commit.encoding = b"UTF-8"
    commit.message = message.encode()
    repo.object_store.add_object(commit)
    return bytes(commit.id)


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
