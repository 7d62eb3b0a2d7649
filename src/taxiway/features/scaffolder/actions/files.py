"""`fs:*` and `debug:log`: work on the workspace, and tell."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from taxiway.features.scaffolder.actions.fetch import remove
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.model.errors import ConflictError, NotFoundError
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, inside, schema, workspace_files

ENTRIES = {"type": "array", "items": schema(name="Its name", path="Its path", fullPath="Its path in the workspace")}
FILES = {"type": "array", "items": schema(["from", "to"], **{"from": "Present path", "to": "New path"})}


def file_actions(renderer: Callable[[], Renderer]) -> list[FunctionAction]:
    """The actions of this module; `renderer` gives the rendering pool when it is first needed."""
    return [
        FunctionAction(
            "fs:delete",
            "Delete files and folders of the workspace",
            partial(_delete, renderer=renderer),
            schema(["files"], files={"type": "array", "items": {"type": "string"}}),
        ),
        FunctionAction(
            "fs:rename", "Rename files and folders of the workspace", _rename, schema(["files"], files=FILES)
        ),
        FunctionAction(
            "fs:readdir",
            "List the files of a folder of the workspace",
            _readdir,
            schema(["paths"], paths={"type": "array", "items": {"type": "string"}}, recursive={"type": "boolean"}),
            schema(["files", "folders"], files=ENTRIES, folders=ENTRIES),
        ),
        FunctionAction(
            "debug:log",
            "Write a message, and on request the list of files, into the log",
            _log,
            schema(
                message="What to write",
                listWorkspace={"type": ["boolean", "string"]},
                extra={"description": "A value to print"},
            ),
        ),
    ]


def _delete(ctx: StepContext, values: Mapping[str, Any], renderer: Callable[[], Renderer]) -> Mapping[str, Any]:
    for name in values["files"]:
        found = [name]
        if any(character in name for character in "*?["):
            inside(ctx.workspace, name)
            # What a pattern costs is as little known as what a template does: it is matched where templates are.
            there = _all_in(ctx.workspace)
            found = [path for path, is_named in zip(there, renderer().named(there, [name]), strict=True) if is_named]
        for path in found:
            remove(inside(ctx.workspace, path))
        ctx.log(f"Deleted {name}")
    return {}


def _all_in(root: Path) -> list[str]:
    """Paths of all files and folders below `root`, a folder before what is in it."""
    found = []
    for folder, folders, files in os.walk(root):
        found += [os.path.relpath(Path(folder, name), root) for name in sorted([*folders, *files])]
    return found


def _rename(ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any]:
    for number, item in enumerate(values["files"]):
        # Two marks, so that a repeated step neither misses what it moved itself nor moves what came in its place.
        was_there = ctx.checkpoint(f"there {number}", inside(ctx.workspace, item["from"]).exists)
        ctx.checkpoint(f"moved {number}", partial(_move, ctx, item, was_there=was_there))
    return {}


def _move(ctx: StepContext, item: Mapping[str, Any], *, was_there: bool) -> bool:
    source, target = inside(ctx.workspace, item["from"]), inside(ctx.workspace, item["to"])
    if not source.exists():
        if was_there and target.exists():
            return True
        raise NotFoundError(f"'{item['from']}' is not in the workspace")
    if target.exists():
        if not item.get("overwrite"):
            raise ConflictError(f"'{item['to']}' is there already: set overwrite to replace it")
        remove(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    return True


def _readdir(ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any]:
    files: list[Path] = []
    folders: set[Path] = set()
    workspace = ctx.workspace.resolve()
    for name in values["paths"]:
        root = inside(ctx.workspace, name)
        for path, full in workspace_files(root):
            parents = [root / parent for parent in PurePosixPath(path).parents if parent.name]
            folders |= set(parents if values.get("recursive") else parents[-1:])
            if values.get("recursive") or not parents:
                files.append(full)
    return {
        "files": [_entry(path, workspace) for path in files],
        "folders": [_entry(path, workspace) for path in sorted(folders)],
    }


def _entry(path: Path, workspace: Path) -> dict[str, str]:
    relative = path.relative_to(workspace).as_posix()
    return {"name": path.name, "path": relative, "fullPath": relative}


def _log(ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any]:
    if values.get("message"):
        ctx.log(str(values["message"]))
    if values.get("extra") is not None:
        ctx.log(json.dumps(values["extra"], indent=2, ensure_ascii=False))
    if values.get("listWorkspace"):
        for name, _ in workspace_files(ctx.workspace):
            ctx.log(name)
    return {}
