"""Carries a change between two trees that are no commits over to a branch: a three-way merge with the first as base.

Git merges commits, so the trees become commits that no ref ever names. Everything is derived from the arguments: asked
again with the same ones it makes the same commit.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from taxiway.model.pulls import Carried, CarryConflict, CarryRequest, CarryTrial, ChangedFiles
from taxiway.model.workload import FileChange
from taxiway.plugin import MICROSECONDS
from taxiway.plugin.git_objects import build_tree
from taxiway.plugins.git_local.command import ask_git, run_git
from taxiway.plugins.git_local.comparing import changed_files
from taxiway.plugins.git_local.objects import open_repo, write_commit

MINE, THEIRS = b"this repository", b"the change"
OPTIONS = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z")


def carry(path: Path, request: CarryRequest) -> Carried:
    """Make the commit in the bare repository at `path`; no ref moves."""
    at = request.at // MICROSECONDS
    with open_repo(path) as repo:
        start = repo[request.start.encode()]
        old, new = (build_tree(repo.object_store, None, files) for files in (request.old, request.new))
        base = write_commit(repo, old, None, "base", "taxiway", at)
        mine = write_commit(repo, start.tree, base, "mine", "taxiway", at)
        theirs = write_commit(repo, new, base, "theirs", "taxiway", at)
        answer = ask_git([*OPTIONS, mine.decode(), theirs.decode()], path, ok=(0, 1))
        tree, *names = answer.output.rstrip(b"\0").split(b"\0")
        tree = tree.strip()
        conflicts: list[CarryConflict] = []
        if answer.code:
            sides = Sides(repo, start.tree, new, tree, mine, theirs)
            tree, conflicts = sides.settle(sorted({name for name in names if name}))
        if tree == start.tree:
            return Carried(None, tuple(conflicts))
        commit = write_commit(repo, tree, request.start.encode(), request.message, request.author, at)
    return Carried(commit.decode(), tuple(conflicts))


def try_carry(path: Path, request: CarryRequest, limit: int) -> CarryTrial:
    """The same in a repository that borrows the objects of the one at `path` and is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="carry-", dir=path) as folder:
        scratch = Path(folder)
        run_git(["init", "--quiet", "--bare", "--template=", "."], scratch)
        (scratch / "objects" / "info").mkdir(parents=True, exist_ok=True)
        (scratch / "objects" / "info" / "alternates").write_text(f"{path.resolve() / 'objects'}\n")
        carried = carry(scratch, request)
        if carried.commit is None:
            return CarryTrial(ChangedFiles((), 0, 0, 0), carried.conflicts)
        return CarryTrial(
            changed_files(scratch, request.start, carried.commit, 0, limit, with_patch=True), carried.conflicts
        )


class Sides:
    """The trees of a merge that did not come out clean: ours, theirs, and what git made of them."""

    def __init__(self, repo: Any, ours: bytes, theirs: bytes, merged: bytes, mine: bytes, change: bytes) -> None:
        self._repo, self._ours, self._theirs, self._merged = repo, ours, theirs, merged
        self._labels = ((b"<<<<<<< " + mine, b"<<<<<<< " + MINE), (b">>>>>>> " + change, b">>>>>>> " + THEIRS))

    def settle(self, names: list[bytes]) -> tuple[bytes, list[CarryConflict]]:
        """The tree to take, and what is to be said of it. Conflict marks say whose side it is, where git names our
        nameless commits; what was deleted here stays deleted."""
        changes: dict[str, FileChange] = {}
        conflicts = []
        for name in names:
            path = name.decode(errors="replace")
            found, ours, theirs = (self._blob(tree, name) for tree in (self._merged, self._ours, self._theirs))
            marked = b"" if found is None else self._relabel(found[1])
            if found is not None and marked != found[1]:
                changes[path] = FileChange(marked, bool(found[0] & 0o111))
                conflicts.append(CarryConflict(path, "content"))
            elif ours is None and theirs is not None:
                changes[path] = FileChange(None)
                conflicts.append(CarryConflict(path, "deleted_here"))
            elif ours is not None and theirs is None:
                conflicts.append(CarryConflict(path, "deleted_there"))
            else:
                conflicts.append(CarryConflict(path, "moved" if ours is None else "binary"))
        return build_tree(self._repo.object_store, self._merged, changes), conflicts

    def _relabel(self, content: bytes) -> bytes:
        for old, new in self._labels:
            content = content.replace(old, new)
        return content

    def _blob(self, tree: bytes, name: bytes) -> tuple[int, bytes] | None:
        try:
            mode, blob = self._repo[tree].lookup_path(self._repo.__getitem__, name)
        except (KeyError, ValueError):
            return None
        content = self._repo[blob]
        return (mode, bytes(content.data)) if content.type_name == b"blob" else None
