"""`fetch:template:file`, `fetch:plain:file`, `workspace:template`, `workspace:template:file`: Backstage's actions on
single files, and on files that are in the workspace. They may be done again, and undo has nothing to do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from taxiway.features.scaffolder.actions.fetch import LISTS, READ_WITH, render_folder, source_place, write_file
from taxiway.features.scaffolder.remote import Fetched, is_remote
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.model.errors import InputError, NotFoundError
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, inside, schema

BOOLEAN = {"type": "boolean"}
OBJECT = {"type": "object"}
FILE_URL = "File, relative to the template, or its URL on a forge or a host of catalog.url_hosts"
Values = Mapping[str, Any]


def single_actions(renderer: Callable[[], Renderer], fetched: Fetched) -> list[FunctionAction]:
    """The actions of this module."""
    return [
        FunctionAction(
            key="fetch:plain:file",
            description="Copy a file of the template, or one behind a URL, into the workspace",
            function=lambda ctx, values: _plain_file(ctx, values, fetched),
            input_schema=schema(
                ["url", "targetPath"],
                url=FILE_URL,
                targetPath="Where to write",
                token=READ_WITH,
            ),
            output_schema=schema(),
        ),
        FunctionAction(
            key="fetch:template:file",
            description="Render a file of the template, or one behind a URL, into the workspace",
            function=lambda ctx, values: _template_file(ctx, values, renderer(), fetched),
            input_schema=schema(
                ["url", "targetPath"],
                url=FILE_URL,
                targetPath="Where to write",
                values=OBJECT,
                cookiecutterCompat=BOOLEAN,
                replace=BOOLEAN,
                trimBlocks=BOOLEAN,
                lstripBlocks=BOOLEAN,
                token=READ_WITH,
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


@contextmanager
def _source(ctx: StepContext, values: Values, fetched: Fetched) -> Iterator[Path]:
    """The file to fetch, of the template or from elsewhere."""
    if is_remote(values["url"]):
        with fetched(ctx, values, as_file=True) as file:
            yield file
    else:
        yield _file(source_place(ctx, values["url"]), values["url"])


def _plain_file(ctx: StepContext, values: Values, fetched: Fetched) -> Values:
    target = inside(ctx.workspace, values["targetPath"])
    with _source(ctx, values, fetched) as source:
        write_file(target, source.read_bytes(), os.access(source, os.X_OK))
    return {}


def _template_file(ctx: StepContext, values: Values, renderer: Renderer, fetched: Fetched) -> Values:
    with _source(ctx, values, fetched) as source:
        return _render_file(ctx, values, source, renderer)


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
