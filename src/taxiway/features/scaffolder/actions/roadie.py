"""`roadiehq:utils:*`, the most used actions of Backstage's community: files, merges, serialising, sleeping, zip
(JSONata is in `jsonata`).

Inputs and outputs are named as there. They work on the workspace, may be tried, and undo has nothing to do. `append`
keeps a mark, so that a repeated step does not append twice.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from taxiway.features.scaffolder.extras import LONGEST_SECONDS, wait_seconds
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.kit.yaml12 import YamlError, load, load_all
from taxiway.model.errors import InputError, NotFoundError
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, inside, schema, workspace_files

MOST_BYTES = 20 * 1024 * 1024
MOST_ZIPPED = 100 * 1024 * 1024
CONTENT = {"type": ["object", "string"], "description": "What to merge"}
ANY: dict[str, Any] = {"description": "A value"}
BOOLEAN = {"type": "boolean"}
NUMBER = {"type": "integer"}
LIST = {"type": "array", "items": {"type": "string"}}
YAML_OPTIONS = schema(indent=NUMBER, lineWidth=NUMBER)
PATH = schema(path="The file")
FIELD = schema(["key", "value"], key="A key of the document of the file that is meant", value="What it has there")
Values = Mapping[str, Any]


def roadie_actions(renderer: Callable[[], Renderer]) -> list[FunctionAction]:
    """The actions of this module."""
    files = {
        "type": "array",
        "items": schema(
            ["file", "find", "replaceWith"],
            file="Path, with wildcards",
            find="What to look for",
            replaceWith="What to put there",
            matchRegex=BOOLEAN,
            includeDotFiles=BOOLEAN,
        ),
    }
    merging = schema(["path", "content"], path="The file", content=CONTENT, mergeArrays=BOOLEAN)
    more = {**merging["properties"], "useDocumentIncludingField": FIELD, "options": YAML_OPTIONS}
    spec: list[tuple[str, str, Callable[[StepContext, Values], Values], Values, Values]] = [
        (
            "fs:write",
            "Write a file",
            _write,
            schema(["path", "content"], path="The file", content="Its content", preserveFormatting=BOOLEAN),
            PATH,
        ),
        ("fs:append", "Append to a file", _append, schema(["path", "content"], path="The file", content="Text"), PATH),
        (
            "fs:parse",
            "Read a file, and parse it where that is asked for",
            _parse,
            schema(["path"], path="The file", parser={"type": "string", "enum": ["yaml", "json", "multiyaml"]}),
            schema(content=ANY),
        ),
        (
            "fs:replace",
            "Replace text in files",
            lambda ctx, values: _replace(ctx, values, renderer()),
            schema(["files"], files=files),
            schema(),
        ),
        ("json:merge", "Merge into a JSON file, which is made where it is missing", _merge_json, merging, PATH),
        ("merge", "Merge into a JSON or YAML file", _merge, {**merging, "properties": more}, PATH),
        (
            "serialize:json",
            "Write a value as JSON",
            _to_json,
            schema(["data"], data=ANY, replacer=LIST, space="Indentation"),
            schema(serialized="The text"),
        ),
        (
            "serialize:yaml",
            "Write a value as YAML",
            _to_yaml,
            schema(["data"], data=ANY, replacer=LIST, options=YAML_OPTIONS, writeMulti=BOOLEAN),
            schema(serialized="The text"),
        ),
        (
            "sleep",
            "Wait for some seconds",
            _sleep,
            schema(["amount"], amount={"type": "number", "minimum": 0, "maximum": LONGEST_SECONDS}),
            schema(),
        ),
        (
            "zip",
            "Zip a file or folder",
            _zip,
            schema(["path", "outputPath"], path="What to zip", outputPath="The archive"),
            schema(outputPath="The archive"),
        ),
    ]
    return [
        FunctionAction(f"roadiehq:utils:{key}", description, function, given, output)
        for key, description, function, given, output in spec
    ]


def read_text(ctx: StepContext, path: str) -> str:
    """The text of a file in the workspace. NotFoundError, InputError above `MOST_BYTES`."""
    file = inside(ctx.workspace, path)
    if not file.is_file():
        raise NotFoundError(f"the workspace has no file '{path}'")
    if file.stat().st_size > MOST_BYTES:
        raise InputError(f"'{path}' is larger than {MOST_BYTES} bytes")
    return file.read_text(errors="replace")


def _save(ctx: StepContext, path: str, text: str) -> Values:
    file = inside(ctx.workspace, path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return {"path": file.relative_to(os.path.realpath(ctx.workspace)).as_posix()}


def _write(ctx: StepContext, values: Values) -> Values:
    return _save(ctx, values["path"], values["content"])


def _append(ctx: StepContext, values: Values) -> Values:
    file = inside(ctx.workspace, values["path"])
    # What was there at the first call is kept, so that a second one does not append twice.
    size = ctx.checkpoint("size", lambda: file.stat().st_size if file.is_file() else 0)
    before = file.read_bytes()[:size] if file.is_file() else b""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(before + values["content"].encode())
    return {"path": values["path"]}


def _parse(ctx: StepContext, values: Values) -> Values:
    text, parser = read_text(ctx, values["path"]), values.get("parser")
    if parser == "multiyaml":
        return {"content": documents_of(values["path"], text)}
    return {"content": text if parser is None else data_of(values["path"], text, parser)}


def data_of(path: str, text: str, kind: str) -> Any:
    """What a text of `kind` (json, yaml) holds. InputError that names `path` when it is none."""
    if kind == "yaml":
        return _parsed(path, lambda: load(text))
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}", code="scaffolder.unreadable") from error


def documents_of(path: str, text: str) -> list[Any]:
    """The values of a text of YAML documents. InputError that names `path`."""
    return [one.value for one in _parsed(path, lambda: list(load_all(text)))]


def _parsed(path: str, read: Callable[[], Any]) -> Any:
    """What `read` makes of YAML. InputError that names `path`."""
    try:
        return read()
    except YamlError as error:
        raise InputError(f"{path} is not YAML: {error}", code="scaffolder.unreadable") from error


def _replace(ctx: StepContext, values: Values, renderer: Renderer) -> Values:
    for item in values["files"]:
        paths, dotfiles = list(workspace_files(ctx.workspace)), bool(item.get("includeDotFiles"))
        named = renderer.named([name for name, _ in paths], [item["file"].removeprefix("./")], dotfiles=dotfiles)
        for (_, path), is_named in zip(paths, named, strict=True):
            if is_named:
                text = path.read_text(errors="surrogateescape")
                path.write_text(_replaced(text, item, renderer), errors="surrogateescape")
    return {}


def _replaced(text: str, item: Values, renderer: Renderer) -> str:
    if not item.get("matchRegex"):
        return text.replace(item["find"], item["replaceWith"])
    find = item["find"].replace("\\/", "/").replace("/", "\\/")
    if "\n" in find:
        raise InputError("a pattern is one line: write a line's end as \\n", code="scaffolder.bad_pattern")
    # The pattern is a stranger's: it runs in the rendering process, which is bounded in time and memory.
    found = renderer.value(f"${{{{ text | replace(r/{find}/g, new) }}}}", {"text": text, "new": item["replaceWith"]})
    return str(found or "")


def _merge_json(ctx: StepContext, values: Values) -> Values:
    exists = inside(ctx.workspace, values["path"]).is_file()
    there = data_of(values["path"], read_text(ctx, values["path"]), "json") if exists else {}
    return _save(ctx, values["path"], json.dumps(_merged(there, values, "json"), indent=2, ensure_ascii=False))


def _merge(ctx: StepContext, values: Values) -> Values:
    path = values["path"]
    text, ending = read_text(ctx, path), Path(path).suffix
    if ending == ".json":
        merged = _merged(data_of(path, text, "json"), values, "json")
        return _save(ctx, path, json.dumps(merged, indent=2, ensure_ascii=False))
    if ending not in (".yaml", ".yml"):
        raise InputError(f"'{path}' ends neither in .json nor in .yaml or .yml", code="scaffolder.unreadable")
    if values.get("preserveYamlComments"):
        ctx.log(f"Comments of {path} are not kept")
    return _save(ctx, path, _merged_yaml(path, text, values))


def _merged_yaml(path: str, text: str, values: Values) -> str:
    chosen, options = values.get("useDocumentIncludingField"), values.get("options")
    if chosen is None:
        return yaml_text(_merged(data_of(path, text, "yaml"), values, "yaml"), options)
    key, wanted = chosen["key"], chosen["value"]
    documents = documents_of(path, text)
    at = next((n for n, one in enumerate(documents) if isinstance(one, Mapping) and str(one.get(key)) == wanted), None)
    if at is None:
        raise NotFoundError(f"no document of '{path}' has '{wanted}' as its {key}")
    documents[at] = _merged(documents[at], values, "yaml")
    return yaml_documents(documents, {"options": options, "writeMulti": True})


def _merged(there: Any, values: Values, kind: str) -> Any:
    content = values["content"]
    given = data_of("content", content, kind) if isinstance(content, str) else content
    return merge(there, given, concat=bool(values.get("mergeArrays")))


def merge(old: Any, new: Any, *, concat: bool = False) -> Any:
    """`new` over `old`, key by key; lists position by position, or with `concat` one behind the other."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return {key: merge(old[key], new[key], concat=concat) if key in old and key in new else _of(old, new, key)
                for key in [*old, *(key for key in new if key not in old)]}  # fmt: skip
    if isinstance(old, list) and isinstance(new, list):
        if concat:
            return [*old, *new]
        return [merge(left, right) for left, right in zip(old, new, strict=False)] + (
            old[len(new) :] or new[len(old) :]
        )
    return new


def _of(old: Values, new: Values, key: str) -> Any:
    return new[key] if key in new else old[key]


def _picked(data: Any, names: Sequence[str] | None) -> Any:
    """A value with just the keys `names` in its objects; all of it without names."""
    if names is None:
        return data
    if isinstance(data, Mapping):
        return {key: _picked(value, names) for key, value in data.items() if key in names}
    return [_picked(value, names) for value in data] if isinstance(data, list) else data


def _to_json(ctx: StepContext, values: Values) -> Values:
    return {"serialized": json_text(values["data"], values)}


def json_text(data: Any, values: Values) -> str:
    """A value as JSON; `values` may have `replacer` (the keys that are kept) and `space` (what to indent with)."""
    space = values.get("space")
    separators = None if space else (",", ":")
    kept = _picked(data, values.get("replacer"))
    return json.dumps(kept, indent=space or None, separators=separators, ensure_ascii=False)


def _to_yaml(ctx: StepContext, values: Values) -> Values:
    return {"serialized": yaml_documents(_picked(values["data"], values.get("replacer")), values)}


def yaml_documents(data: Any, values: Values) -> str:
    """A value as YAML, with `writeMulti` the items of a list as a document each; `options` are those of `yaml_text`."""
    options = values.get("options") or {}
    if not values.get("writeMulti"):
        return yaml_text(data, options)
    if not isinstance(data, list):
        raise InputError("writeMulti is for a list: each of its items becomes a document", code="scaffolder.no_list")
    return "---\n".join(yaml_text(item, options) for item in data)


def yaml_text(data: Any, given: Values | None = None) -> str:
    """A value as a YAML document, with `indent` and `lineWidth` as given."""
    options = given or {}
    width = int(options.get("lineWidth") or 80)
    indent = int(options.get("indent") or 2)
    return str(
        yaml.safe_dump(data, sort_keys=False, allow_unicode=True, indent=indent, width=width if width > 0 else 10**9)
    )


def _sleep(ctx: StepContext, values: Values) -> Values:
    ctx.log(f"Waiting {values['amount']:g} seconds")
    wait_seconds(ctx, float(values["amount"]))
    return {}


def _zip(ctx: StepContext, values: Values) -> Values:
    source, target = inside(ctx.workspace, values["path"]), inside(ctx.workspace, values["outputPath"])
    if not source.exists():
        raise NotFoundError(f"the workspace has no '{values['path']}'")
    files = [(source.name, source)] if source.is_file() else list(workspace_files(source))
    if sum(path.stat().st_size for _, path in files) > MOST_ZIPPED:
        raise InputError(f"more than {MOST_ZIPPED} bytes are not zipped")
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in files:
            if path != target:
                info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                info.external_attr = (0o755 if os.access(path, os.X_OK) else 0o644) << 16
                archive.writestr(info, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return {"outputPath": values["outputPath"]}
