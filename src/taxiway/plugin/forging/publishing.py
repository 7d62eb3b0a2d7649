"""From the workspace of a run to commits on a forge: which files go, who made the commit, and how it gets there.

Commits are made in memory and pushed over smart HTTP: no git program, no work tree, and no credential in an argument.
Equal files, message, author and time make the same commit, so that a push that is repeated is no second commit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway.kit.clock import MICROSECONDS, Clock
from taxiway.model.errors import ConflictError, InputError, TooLargeError
from taxiway.model.workload import FileChange
from taxiway.plugin.actions import inside, workspace_files
from taxiway.plugin.context import StepContext
from taxiway.plugin.git_objects import build_tree, checked_path, write_commit

if TYPE_CHECKING:
    from taxiway.plugin.forging.smart_http import GitRemote

MOST_BYTES = 100 * 1024 * 1024
MOST_FILES = 20_000
AUTHOR = ("Scaffolder", "scaffolder@users.taxiway.invalid")
"""Who commits where a step names nobody."""
AUTHOR_INPUTS = {"gitAuthorName": f"Who commits; default {AUTHOR[0]}", "gitAuthorEmail": "Mail address of who commits"}
"""Inputs of an action for `author_of`."""


@dataclass(frozen=True)
class NewCommit:
    """A commit to be: the files that it changes, its message, its author (name, mail address)."""

    changes: Mapping[str, FileChange]
    message: str
    author: tuple[str, str] = AUTHOR
    may_be_empty: bool = False
    """Whether it is made when nothing differs, too."""


def author_of(name: str | None, mail: str | None) -> tuple[str, str]:
    """The author as a step says it, with what it leaves out."""
    return (name or AUTHOR[0], mail or AUTHOR[1])


def folder_changes(
    ctx: StepContext, source: str | None, target: str | None = None, deleted: object = ()
) -> dict[str, FileChange]:
    """The files below `source` of the workspace as changes below `target` of a repository, and `deleted` ones.

    `.git` and what a `.gitignore` there ignores stay behind. InputError for links and for paths that lead out of
    the workspace or the repository, TooLargeError above 100 MiB or 20,000 files.
    """
    from dulwich.ignore import IgnoreFilterManager

    root, base = inside(ctx.workspace, source or "."), target_path(target)
    if not root.is_dir():
        raise InputError(f"the workspace has no folder '{source}': name one that a step before it made")
    ignored = IgnoreFilterManager(str(root), [], False)
    changes: dict[str, FileChange] = {}
    size = 0
    for name, path in workspace_files(root):
        if ignored.is_ignored(name) or any(ignored.is_ignored(f"{above}/") for above in _folders(name)):
            continue
        size += path.stat().st_size
        if size > MOST_BYTES or len(changes) >= MOST_FILES:
            raise TooLargeError(
                f"the workspace has more than {MOST_BYTES} bytes or {MOST_FILES} files: publish less, with sourcePath "
                "or a .gitignore",
                code="forge.too_large",
            )
        changes[base + str(checked_path(name))] = FileChange(path.read_bytes(), os.access(path, os.X_OK))
    for name in deleted if isinstance(deleted, list | tuple) else ():
        changes[base + str(checked_path(str(name)))] = FileChange(None)
    return changes


def target_path(path: str | None) -> str:
    """A folder of a repository as a prefix: empty, or with a slash at its end. InputError when it leads out of it."""
    if not path or path.strip("./") == "":
        if path and ".." in path:
            raise InputError(f"'{path}' leads out of the repository: name a folder in it", code="repositories.bad_path")
        return ""
    if path.startswith("/") or ".." in path.split("/"):
        raise InputError(f"'{path}' leads out of the repository: name a folder in it", code="repositories.bad_path")
    return f"{checked_path(path)}/"


def commit_time(ctx: StepContext, clock: Clock) -> int:
    """When this step commits, in seconds: the same each time it is done again, so that it makes the same commit."""
    return int(ctx.checkpoint("commit time", lambda: clock.now() // MICROSECONDS))


def made_commit(store: Any, new: NewCommit, at_seconds: int, parent: str | None = None) -> str:
    """Write the commit into `store`, which has the trees of its `parent`, and return its id: the parent's where nothing
    changes."""
    old = store[parent.encode()].tree if parent else None
    tree = build_tree(store, old, new.changes)
    if parent and tree == old and not new.may_be_empty:
        return parent
    return write_commit(store, tree, parent.encode() if parent else None, new.message, new.author, at_seconds).decode()


def not_empty(remote: GitRemote, branch: str) -> ConflictError:
    """What to say where a first commit would not be the first."""
    return ConflictError(
        f"the branch {branch} of {remote.shown} has commits already: open a pull request, or choose another branch",
        code="forge.not_empty",
    )


def push_first(
    remote: GitRemote, branch: str, new: NewCommit, at_seconds: int, *, note: Callable[[str], None] = lambda sha: None
) -> str:
    """Push a commit without parents as `branch` of an empty repository, and return its id. Nothing is pushed when it is
    there already; `note` hears of the commit before it is pushed. ConflictError when the branch has other commits,
    InputError when there is nothing to commit."""
    from dulwich.object_store import MemoryObjectStore

    if not new.changes:
        raise InputError("the workspace is empty: fetch something before publishing it", code="forge.nothing")
    store = MemoryObjectStore()
    commit = made_commit(store, new, at_seconds)
    head = remote.heads().get(branch)
    if head == commit:
        return commit
    if head is not None:
        raise not_empty(remote, branch)
    note(commit)
    remote.push(branch, commit, store, list(store))
    return commit


def push_onto(
    remote: GitRemote,
    branch: str,
    base: str,
    new: NewCommit,
    at_seconds: int,
    *,
    old: str | None,
    note: Callable[[str], None] = lambda commit: None,
) -> str:
    """Push a commit with the parent `base` (an id that the forge has) as `branch`, which stands at `old` or is not
    there yet, and return its id; `base` itself where nothing changes: then nothing is pushed."""
    store = remote.fetch(base)
    had = set(store)
    commit = made_commit(store, new, at_seconds, base)
    if commit not in (base, old):
        note(commit)
        remote.push(branch, commit, store, [name for name in store if name not in had], old=old)
    return commit


def _folders(name: str) -> list[str]:
    parts = Path(name).parts[:-1]
    return ["/".join(parts[: index + 1]) for index in range(len(parts))]
