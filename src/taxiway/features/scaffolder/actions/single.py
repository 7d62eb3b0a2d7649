"""`fetch:template:file`, `fetch:plain:file`, `workspace:template`, `workspace:template:file`: Backstage's actions on
single files, and on files that are in the workspace. They may be done again, and undo has nothing to do."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from taxiway.features.scaffolder.actions.fetch import LISTS, NOT_NEEDED, render_folder, source_place, write_file
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.model.errors import InputError, NotFoundError
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, inside, schema

BOOLEAN = {"type": "boolean"}
OBJECT = {"type": "object"}
Values = Mapping[str, Any]


def single_actions(renderer: Callable[[], Renderer]) -> list[FunctionAction]:
    """The actions of this module."""
    return [
        FunctionAction(
            key="fetch:plain:file",
            description="Copy a file of the template into the workspace",
            function=_plain_file,
            input_schema=schema(
                ["url", "targetPath"],
                url="File, relative to the template",
                targetPath="Where to write",
                token=NOT_NEEDED,
            ),
            output_schema=schema(),
        ),
        FunctionAction(
            key="fetch:template:file",
            description="Render a file of the template into the workspace",
            function=lambda ctx, values: _render_file(ctx, values, source_place(ctx, values["url"]), renderer()),
            input_schema=schema(
                ["url", "targetPath"],
                url="File, relative to the template",
                targetPath="Where to write",
                values=OBJECT,
                cookiecutterCompat=BOOLEAN,
                replace=BOOLEAN,
                trimBlocks=BOOLEAN,
                lstripBlocks=BOOLEAN,
                token=NOT_NEEDED,
            ),
            output_schema=schema(),
        ),
        FunctionAction(
            key="workspace:template",
            description="Render a folder of the workspace into another",
            function=lambda ctx, values: _workspace_folder(ctx, values, renderer()),
            input_schema=schema(
                ["sourcePath", "targetPath"],
                sourcePath="Folder to render",
                targetPath="Where to write",
                values=OBJECT,
                copyWithoutTemplating=LISTS,
                cookiecutterCompat=BOOLEAN,
                templateFileExtension={"type": ["boolean", "string"]},
                replace=BOOLEAN,
            ),
            output_schema=schema(),
        ),
        FunctionAction(
            key="workspace:template:file",
            description="Render a file of the workspace into another",
            function=lambda ctx, values: _render_file(
                ctx, values, inside(ctx.workspace, values["sourcePath"]), renderer()
            ),
            input_schema=schema(
                ["sourcePath", "targetPath"],
                sourcePath="File to render",
                targetPath="Where to write",
                values=OBJECT,
                cookiecutterCompat=BOOLEAN,
                replace=BOOLEAN,
            ),
            output_schema=schema(),
        ),
    ]


def _plain_file(ctx: StepContext, values: Values) -> Values:
    source = _file(source_place(ctx, values["url"]), values["url"])
    write_file(inside(ctx.workspace, values["targetPath"]), source.read_bytes(), os.access(source, os.X_OK))
    return {}


def _render_file(ctx: StepContext, values: Values, source: Path, renderer: Renderer) -> Values:
    name = values.get("url") or values["sourcePath"]
    source, target = _file(source, name), inside(ctx.workspace, values["targetPath"])
    if target.exists() and not values.get("replace"):
        ctx.log(f"Keeping {values['targetPath']}: it is there already")
        return {}
    try:
        text = source.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise InputError(f"'{name}' is no text: copy it with fetch:plain:file") from error
    root = "cookiecutter" if values.get("cookiecutterCompat") else "values"
    options = {key: bool(values.get(key)) for key in ("trimBlocks", "lstripBlocks", "cookiecutterCompat")}
    # The name is where the target says: only the text is rendered.
    ((_, rendered),) = renderer.files([(Path(name).name, text)], {root: values.get("values") or {}}, options)
    write_file(target, (rendered or "").encode(), os.access(source, os.X_OK))
    return {}


def _workspace_folder(ctx: StepContext, values: Values, renderer: Renderer) -> Values:
    source, target = (inside(ctx.workspace, values[key]) for key in ("sourcePath", "targetPath"))
    if not source.is_dir():
        raise NotFoundError(f"the workspace has no folder '{values['sourcePath']}'")
    if target.is_relative_to(source):
        raise InputError("the target may not be inside of the source: name another folder")
    render_folder(source, target, values, renderer, ctx.log, is_plan=ctx.is_dry_run)
    return {}


def _file(path: Path, name: str) -> Path:
    if not path.is_file() or path.is_symlink():
        raise NotFoundError(f"there is no file '{name}'")
    return path
