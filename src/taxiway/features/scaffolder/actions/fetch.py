"""`fetch:template` and `fetch:plain`: files of the template's own snapshot, or of a repository elsewhere, into the
workspace."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from taxiway.features.scaffolder.remote import Fetched, is_remote
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.model.errors import NotFoundError
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, Tree, inside, schema, workspace_files

TEMPLATE_FOLDER = "template"
FOLDER_URL = "Folder, relative to the template, or its URL on a forge"
READ_WITH = "What a URL on a forge is read with, in place of the credential of the settings"
LISTS = {"type": "array", "items": {"type": "string"}}


def fetch_actions(renderer: Callable[[], Renderer], fetched: Fetched) -> list[FunctionAction]:
    """The fetch actions; `renderer` gives the rendering pool when it is first needed, `fetched` what URLs name."""
    return [
        FunctionAction(
            key="fetch:template",
            description="Render the files of a folder of the template, or of a repository, into the workspace",
            function=lambda ctx, values: _fetch_template(ctx, values, renderer(), fetched),
            input_schema=schema(
                ["url"],
                url=FOLDER_URL,
                targetPath="Where to write, relative to the workspace",
                values={"type": "object", "description": "Values that the files see as `values`"},
                copyWithoutTemplating=LISTS,
                copyWithoutRender=LISTS,
                templateFileExtension={"type": ["boolean", "string"]},
                cookiecutterCompat={"type": "boolean"},
                replace={"type": "boolean"},
                trimBlocks={"type": "boolean"},
                lstripBlocks={"type": "boolean"},
                token=READ_WITH,
            ),
            output_schema=schema(),
        ),
        FunctionAction(
            key="fetch:plain",
            description="Copy the files of a folder of the template, or of a repository, into the workspace",
            function=lambda ctx, values: _fetch_plain(ctx, values, fetched),
            input_schema=schema(
                ["url"],
                url=FOLDER_URL,
                targetPath="Where to write",
                token=READ_WITH,
            ),
            output_schema=schema(),
        ),
    ]


def source_folder(ctx: StepContext, url: str) -> Path:
    """The folder of the template's snapshot that `url` names."""
    folder = source_place(ctx, url)
    try:
        is_there = folder.is_dir()
    except OSError:  # a name that is too long for one
        is_there = False
    if not is_there:
        raise NotFoundError(f"the template has no folder '{url}'")
    return folder


def source_place(ctx: StepContext, url: str) -> Path:
    """What `url` names in the template's snapshot, whether it is there or not."""
    base = ctx.workspace.parent / TEMPLATE_FOLDER
    whole = base.with_name(base.name + ".files")
    root = whole if whole.is_dir() else base
    return inside(root, os.path.relpath(base.resolve() / url, root.resolve()))


@contextmanager
def _folder(ctx: StepContext, values: Mapping[str, Any], fetched: Fetched) -> Iterator[Path]:
    """The folder to fetch, of the template or from elsewhere."""
    if is_remote(values["url"]):
        with fetched(ctx, values) as folder:
            yield folder
    else:
        yield source_folder(ctx, values["url"])


def _fetch_plain(ctx: StepContext, values: Mapping[str, Any], fetched: Fetched) -> Mapping[str, Any]:
    target = inside(ctx.workspace, values.get("targetPath") or ".")
    tree = Tree(target)
    with _folder(ctx, values, fetched) as source:
        for name, path in workspace_files(source):
            tree.write(name, path.read_bytes(), os.access(path, os.X_OK))
    return {}


def _fetch_template(
    ctx: StepContext, values: Mapping[str, Any], renderer: Renderer, fetched: Fetched
) -> Mapping[str, Any]:
    target = inside(ctx.workspace, values.get("targetPath") or ".")
    with _folder(ctx, values, fetched) as source:
        render_folder(source, target, values, renderer, ctx.log, is_plan=ctx.is_dry_run)
    return {}


def render_folder(
    source: Path,
    target: Path,
    values: Mapping[str, Any],
    renderer: Renderer,
    log: Callable[[str], None],
    *,
    is_plan: bool = False,
) -> None:
    """Render the files below `source` into `target`; `values` is the input of `fetch:template`."""
    patterns = list(values.get("copyWithoutTemplating") or values.get("copyWithoutRender") or [])
    extension = values.get("templateFileExtension") or ""
    extension = ".njk" if extension is True else extension
    paths = list(workspace_files(source))
    untemplated = untemplated_names(renderer, [name for name, _ in paths], patterns)
    requests = [(name, text_to_render(name, path, untemplated, extension)) for name, path in paths]
    compat = bool(values.get("cookiecutterCompat"))
    context = {"cookiecutter" if compat else "values": values.get("values") or {}}
    options = {name: bool(values.get(name)) for name in ("trimBlocks", "lstripBlocks", "cookiecutterCompat")}
    tree, written = Tree(target), 0
    rendered = renderer.files(requests, context, options, is_plan=is_plan)
    for (name, path), (rendered_name, text) in zip(paths, rendered, strict=True):
        if text is not None and extension:
            rendered_name = rendered_name.removesuffix(extension)
        if not all(rendered_name.split("/")):
            log(f"Skipping {name}: its rendered path is empty")
            continue
        content = path.read_bytes() if text is None else text.encode()
        if tree.write(rendered_name, content, os.access(path, os.X_OK), replace=bool(values.get("replace"))):
            written += 1
        else:
            log(f"Keeping {rendered_name}: it is there already")
    log(f"Wrote {written} files")


def text_to_render(name: str, path: Path, untemplated: Collection[str], extension: str) -> str | None:
    """The text of a file that is rendered; None for one that is copied: named so, of another ending, or no text."""
    if name in untemplated or (extension and not name.endswith(extension)):
        return None
    content = path.read_bytes()
    if b"\0" in content:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def untemplated_names(renderer: Renderer, names: Sequence[str], patterns: Sequence[str]) -> frozenset[str]:
    """The files that globs of `copyWithoutTemplating` name; one of a folder means all that is in it."""
    expanded = [item for pattern in patterns for item in (pattern, f"{pattern.rstrip('/')}/**")]
    return frozenset(name for name, is_named in zip(names, renderer.named(names, expanded), strict=True) if is_named)


def write_file(path: Path, content: bytes, executable: bool) -> None:
    """Write a file with its folders, and its run bit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755 if executable else 0o644)


def remove(path: Path) -> None:
    """Remove a file or folder that may be gone."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
