"""Carries a change between two trees that are no commits over to a branch: a three-way merge with the first as base.

Git merges commits, so the trees become commits that no ref ever names. Everything is derived from the arguments: asked
again with the same ones it makes the same commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from taxiway.model.pulls import Carried, CarryRequest
from taxiway.model.workload import FileChange
from taxiway.plugin import MICROSECONDS
from taxiway.plugins.git_local.command import ask_git
from taxiway.plugins.git_local.objects import build_tree, open_repo, write_commit

MINE, THEIRS = b"this repository", b"the change"
OPTIONS = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z")


def carry(path: Path, request: CarryRequest) -> Carried:
    """Make the commit in the bare repository at `path`; no ref moves."""
    at = request.at // MICROSECONDS
    with open_repo(path) as repo:
        start = repo[request.start.encode()]
        old, new = (build_tree(repo, None, files) for files in (request.old, request.new))
        base = write_commit(repo, old, None, "base", "taxiway", at)
        mine = write_commit(repo, start.tree, base, "mine", "taxiway", at)
        theirs = write_commit(repo, new, base, "theirs", "taxiway", at)
        answer = ask_git([*OPTIONS, mine.decode(), theirs.decode()], path, ok=(0, 1))
        tree, *names = answer.output.rstrip(b"\0").split(b"\0")
        tree = tree.strip()
        conflicts = sorted({name.decode(errors="replace") for name in names if name}) if answer.code else []
        if conflicts:
            tree = build_tree(repo, tree, dict(_named(repo, tree, conflicts, mine, theirs)))
        if tree == start.tree:
            return Carried(None)
        commit = write_commit(repo, tree, request.start.encode(), request.message, request.author, at)
    return Carried(commit.decode(), tuple(conflicts))


def _named(repo: Any, tree: bytes, conflicts: list[str], mine: bytes, theirs: bytes) -> Mapping[str, FileChange]:
    """Conflict marks that say whose side it is, where git names our nameless commits."""
    found = {}
    for name in conflicts:
        try:
            mode, blob = repo[tree].lookup_path(repo.__getitem__, name.encode())
        except KeyError:
            continue  # one side deleted the file
        content = repo[blob].data
        marked = content.replace(b"<<<<<<< " + mine, b"<<<<<<< " + MINE).replace(
            b">>>>>>> " + theirs, b">>>>>>> " + THEIRS
        )
        if marked != content:
            found[name] = FileChange(marked, bool(mode & 0o111))
    return found
