"""What a step commits: the files of the workspace as its `commitAction` says. Used by pushes and merge requests."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from taxiway.model.errors import InputError
from taxiway.model.workload import FileChange
from taxiway.plugin import StepContext
from taxiway.plugin.forging.publishing import folder_changes

if TYPE_CHECKING:
    from taxiway.plugin.forging.smart_http import GitRemote

MOST_NAMED = 5


def workspace_changes(
    ctx: StepContext, source: str | None, target: str | None, action: str
) -> Mapping[str, FileChange]:
    """The files below `source` as changes below `target`: written, or with `delete` removed; none with `skip`."""
    if action == "skip":
        return {}
    found = folder_changes(ctx, source, target)
    return {path: FileChange(None) for path in found} if action == "delete" else found


def check_action(remote: GitRemote, base: str, changes: Mapping[str, FileChange], action: str) -> None:
    """InputError when `action` says that files are new, or that they are there, and they are not so at `base`."""
    if action not in ("create", "update", "delete"):
        return
    look = cache(remote.fetch(base).__getitem__)
    root = look(look(base.encode()).tree)
    wrong = sorted(path for path in changes if _is_there(look, root, path) == (action == "create"))
    if wrong:
        names = ", ".join(wrong[:MOST_NAMED]) + (" …" if len(wrong) > MOST_NAMED else "")
        what = "are there already" if action == "create" else "are not there"
        raise InputError(
            f"the files {names} {what}: leave commitAction out, and files are made or changed as they need be",
            code="gitlab.commit_action",
        )


def _is_there(look: Callable[[bytes], Any], root: Any, path: str) -> bool:
    """Whether a file is at a path. It is looked up: a walk over all would not end where folders hold one another."""
    from dulwich.errors import NotTreeError
    from dulwich.objects import SubmoduleEncountered

    try:
        mode, _ = root.lookup_path(look, path.encode(errors="surrogateescape"))
    except (KeyError, NotTreeError, SubmoduleEncountered):
        return False
    return not stat.S_ISDIR(mode)
