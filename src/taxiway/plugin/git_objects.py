"""Trees and commits written straight into an object store, without a work tree: a repository's own, or one in memory.

dulwich is imported by who needs it: a server's start does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from taxiway.model.errors import InputError
from taxiway.model.workload import FileChange

if TYPE_CHECKING:
    from dulwich.objects import ObjectID

FILE, EXECUTABLE, FOLDER = 0o100644, 0o100755, 0o040000
_NO_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|^@$")
"""What git-check-ref-format refuses in a name."""
_NO_PATH = re.compile(r"[\0\ud800-\udfff]")
"""What no tree can hold, and names on disk that are no UTF-8."""
MOST_FOLDERS = 200
"""How deep a tree may be: each folder is a call of `build_tree` within the other."""


def checked_path(path: str) -> PurePosixPath:
    """`path` as a relative path inside a tree. InputError when it would leave it, touch `.git`, or cannot be in one."""
    parts = PurePosixPath(path)
    if _NO_PATH.search(path) or len(parts.parts) > MOST_FOLDERS:
        raise InputError(
            f"{path[:200]!a} is no path in a repository: name it in UTF-8, at most {MOST_FOLDERS} folders deep",
            code="repositories.bad_path",
        )
    if parts.is_absolute() or not parts.parts or any(p in ("..", ".") or p.lower() == ".git" for p in parts.parts):
        raise InputError(f"'{path}' is no path that a repository may hold", code="repositories.bad_path")
    return parts


def checked_branch(name: str) -> str:
    """`name`. InputError when git would not take it for the name of a branch."""
    parts = name.split("/")
    if (
        not 0 < len(name) <= 200
        or _NO_REF.search(name)
        or name.endswith(".")
        or any(not part or part.startswith(".") or part.endswith(".lock") for part in parts)
        or name.startswith("-")
    ):
        raise InputError(f"'{name[:200]}' cannot name a branch", code="repositories.bad_branch")
    return name


def build_tree(store: Any, old: bytes | None, changes: Mapping[str, FileChange]) -> bytes:
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
    tree: Tree = Tree() if old is None else store[old].copy()
    for name, change in here.items():
        if change.content is None:
            if name in tree:
                del tree[name]
            continue
        blob = Blob.from_string(change.content)
        store.add_object(blob)
        tree.add(name, EXECUTABLE if change.executable else FILE, blob.id)
    for folder, inner in below.items():
        key = folder.encode()
        sub = tree[key][1] if key in tree and tree[key][0] == FOLDER else None
        made = build_tree(store, sub, inner)
        if len(store[made]):
            tree.add(key, FOLDER, cast("ObjectID", made))
        elif key in tree:
            del tree[key]
    store.add_object(tree)
    return bytes(tree.id)


def write_commit(
    store: Any, tree: bytes, parent: bytes | None, message: str, author: tuple[str, str], at_seconds: int
) -> bytes:
    """Write a commit by `author` (name, mail address) and return its id. Equal arguments make the same commit."""
    from dulwich.objects import Commit

    name, mail = (part.translate({ord(sign): " " for sign in "<>\n\r\0"}).strip() for part in author)
    commit = Commit()
    commit.tree = cast("ObjectID", tree)
    commit.parents = [cast("ObjectID", parent)] if parent else []
    commit.author = commit.committer = f"{name} <{mail}>".encode()
    commit.author_time = commit.commit_time = at_seconds
    commit.author_timezone = commit.commit_timezone = 0
    commit.encoding = b"UTF-8"
    commit.message = message.encode()
    store.add_object(commit)
    return bytes(commit.id)
