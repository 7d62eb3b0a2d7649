"""Writes the reference pages from the code: `make docs`. A test compares what is committed with what this gives.

The texts are the docstrings and descriptions in the code: to change a page, change them.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

sys.path.insert(0, str(Path(__file__).parent))
from docs_actions import actions_page
from docs_scan import SOURCE, codes, events, readers, users
from docs_sources import sources_page

import taxiway.plugins
from taxiway.core.settings import PREFIX, Loaded, Settings, describe
from taxiway.model import errors as error_classes
from taxiway.model.kinds import KINDS
from taxiway.plugin import POINTS, Plugin, testing

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference"
NOTE = "<!-- Written by `make docs` from the code. Do not edit. -->\n\n"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(_cell(value) for value in line) + " |\n" for line in lines)


def _cell(value: Any) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def settings_page() -> str:
    """Every setting of Taxiway and of the plugins that ship with it."""
    rows = [
        (f"`{key}`", f"`{PREFIX}{key.upper().replace('.', '__')}`", _type(key), _default(key, value), text)
        for key, value, _, text in describe(Loaded(Settings(), {}))
    ]
    text = (
        "# Settings\n\nDefaults < `taxiway.yaml` (in the working folder, else in the data folder; another file with "
        "`--config` or `TAXIWAY_CONFIG`) < environment variables < flags. `taxiway config show` prints each value with "
        "its source, secrets masked. Lists and mappings in a variable are written as JSON.\n\n"
    )
    text += table(("key", "variable", "type", "default", "meaning"), rows)
    text += "\n# Settings of plugins\n\nUnder `plugins.<name>` in `taxiway.yaml`.\n"
    for plugin in plugins():
        fields = plugin.settings.model_fields
        if fields:
            text += f"\n## {plugin.name}\n\n{plugin.description}.\n\n" + table(
                ("key", "type", "default", "meaning"),
                [
                    (f"`{name}`", _type_name(item.annotation), _shown(item.get_default()), item.description or "")
                    for name, item in fields.items()
                ],
            )
    return text


def plugins() -> list[Plugin]:
    """The plugins that ship, by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(taxiway.plugins.__path__))
    found = [getattr(importlib.import_module(f"taxiway.plugins.{name}"), "PLUGIN", None) for name in names]
    return [plugin for plugin in found if plugin is not None]


def _type(key: str) -> str:
    model: Any = Settings
    *sections, name = key.split(".")
    for section in sections:
        model = model.model_fields[section].annotation
    return _type_name(model.model_fields[name].annotation)


def _type_name(kind: Any) -> str:
    origin, inner = get_origin(kind), [item for item in get_args(kind) if item is not NoneType]
    if origin in (Union, UnionType):
        return " or ".join(_type_name(item) for item in inner)
    if origin is Literal:
        return " or ".join(f"`{item}`" for item in inner)
    if origin is Annotated:
        return _type_name(inner[0])
    if origin is tuple:
        return f"list of {_type_name(inner[0])}"
    if origin is not None:
        return "mapping"
    names = {"str": "text", "int": "integer", "float": "number", "bool": "true or false", "SecretStr": "secret"}
    return names.get(kind.__name__, kind.__name__.lower())


def _default(key: str, value: Any) -> str:
    return "none" if key == "database_url" else _shown(value)


def _shown(value: Any) -> str:
    if value is None or value == () or value == {}:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(f"`{item}`" for item in value)
    return f"`{json.dumps(value) if isinstance(value, bool) else value}`"


def cli_page() -> str:
    """Every command with its parameters."""
    from taxiway.cli.main import app

    text: str = app.generate_docs(output_format="markdown")
    # A heading's anchor keeps the dashes that a command begins with; the links to it were made without them.
    text = re.sub(r"\[`(-+)([\w-]+)`\]\(#([\w-]+)-\2\)", r"[`\1\2`](#\3-\1\2)", text)
    start, end = text.index("## Table of Contents"), text.index("**Commands**")
    exits = table(("exit code", "meaning"), sorted((kind.exit_code, kind.title) for kind in KINDS.values()))
    answer = f"{text[:start]}{text[end:].rstrip()}\n\n## Exit codes\n\n0 is success, 130 is Ctrl-C.\n\n{exits}"
    return "\n".join(line.rstrip() for line in answer.splitlines()) + "\n"


def api_page() -> str:
    """Every operation with its permission and effect."""
    groups: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for path, methods in json.loads((ROOT / "openapi.json").read_text())["paths"].items():
        for method, item in methods.items():
            streams = " (a stream)" if item.get("x-taxiway-streams") else ""
            permission = item.get("x-taxiway-permission")
            groups[item["operationId"].split(".")[0]].append(
                (
                    f"`{item['operationId']}`",
                    f"{method.upper()} `{path}`",
                    f"`{permission}`" if permission else "nobody needs one",
                    item.get("x-taxiway-effect", "read"),
                    item.get("summary", "") + streams,
                )
            )
    text = (
        "# API\n\nThe description is served at `/openapi.json` and committed as `openapi.json`. Sign in with a "
        "session, or send an API token as `Authorization: Bearer …`. Beside these: `/healthz`, `/readyz`, `/metrics`, "
        "and git over HTTP under `/git`. Every operation is a command too: `taxiway api <operation>`.\n"
    )
    for name, rows in sorted(groups.items()):
        head = ("operation", "request", "permission", "effect", "what it does")
        text += f"\n## {name}\n\n" + table(head, sorted(rows))
    return text


def errors_page() -> str:
    """Kinds and codes of errors."""
    kinds, rows = {}, []
    for name, item in vars(error_classes).items():
        if inspect.isclass(item) and issubclass(item, error_classes.TaxiwayError) and item.kind in KINDS:
            kinds[name] = item.kind
            if name != "TaxiwayError":
                kind = KINDS[item.kind]
                rows.append((f"`{item.kind}`", kind.status, kind.exit_code, kind.backstage, inspect.getdoc(item)))
    text = (
        "# Errors\n\nOn our own paths an error is a problem document (RFC 9457) with `code`, `request_id`, `retryable` "
        "and `errors` (JSON Pointer and detail); on Backstage's paths it is Backstage's error body. An error without a "
        "code of its own has its kind as code.\n\n## Kinds\n\n"
    )
    text += table(("kind", "status", "exit code", "Backstage's name", "meaning and remedy"), rows)
    merged: dict[tuple[str, str], list[str]] = defaultdict(list)
    for item in codes(kinds):
        if item.message.strip("…") and item.message not in merged[item.code, item.kind]:
            merged[item.code, item.kind].append(item.message)
        else:
            merged[item.code, item.kind]
    lines = [
        (f"`{code}`", kind, "; ".join(messages) or "says what is wrong") for (code, kind), messages in merged.items()
    ]
    return text + "\n## Codes\n\n`…` stands for what is filled in.\n\n" + table(("code", "kind", "message"), lines)


def points_page() -> str:
    """Every contribution point with its shape."""
    used, asked = users(POINTS), readers(POINTS)
    text = (
        "# Contribution points\n\nWhat a plugin may bring: a list of (point, object) from `Plugin.contribute`. Every "
        "object has a `key`, unique within its point. [Write a plugin](../how-to/write-a-plugin.md) shows the way.\n\n"
        "## In use now\n\nA point that no part of Taxiway asks for is declared so that plugins can be written for it: "
        "what they bring there has no effect yet.\n\n"
    )
    text += table(
        ("point", "asked for by", "what ships with Taxiway"),
        [
            (f"[`{point}`](#{point})", ", ".join(asked[point]) or "nothing yet", ", ".join(used[point]) or "nothing")
            for point in POINTS
        ],
    )
    shapes = _class_sources()
    for point, kind in POINTS.items():
        text += (
            f"\n## {point}\n\n`{kind.__name__}`. {inspect.getdoc(kind)}\n\n```python\n{shapes[kind.__name__]}\n```\n\n"
        )
        tests = getattr(testing, f"{kind.__name__}Conformance")
        text += f"Conformance tests: `taxiway.plugin.testing.{tests.__name__}`. {inspect.getdoc(tests)}\n"
    return text


def _class_sources() -> Mapping[str, str]:
    """Class name → its members without docstrings."""
    shapes = {}
    files = sorted((SOURCE / "plugin" / "points").glob("*.py"))
    for node in (node for file in files for node in ast.parse(file.read_text()).body):
        if isinstance(node, ast.ClassDef):
            for item in (node, *node.body):
                if isinstance(item, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(item):
                    item.body = item.body[1:] or [ast.Expr(ast.Constant(...))]
            shapes[node.name] = "\n".join(ast.unparse(item) for item in node.body).replace(":\n    ...", ": ...")
    return shapes


ATTRIBUTES = (
    ("`specversion`", "`1.0`"),
    ("`id`", "a UUIDv7, unique in this installation"),
    ("`source`", "`taxiway/<organisation>`"),
    ("`type`", "what happened; the end of the name is the version of the data's schema"),
    ("`subject`", "what it happened to: an entity reference, `run:<id>`, `repository:<name>`, `token:<id>`"),
    ("`time`", "when, RFC 3339 with microseconds, UTC"),
    ("`datacontenttype`", "`application/json`"),
    ("`data`", "the particulars, without secrets and personal data"),
    ("`seq`", "extension: the place in the log, counted from 1 without gaps"),
    ("`hash`", "extension: the hash over this event and the one before"),
    ("`actor`", "extension: who did it"),
    ("`onbehalfof`", "extension: for whom the actor did it; absent where for nobody else"),
    ("`via`", "extension: the way it was asked for, such as `portal`, `cli`, `plugin:<name>`"),
    ("`tokenid`", "extension: the API token that was used; absent without one"),
    ("`subjectuid`", "extension: the uid of an entity as the subject; absent for others"),
)


def events_page() -> str:
    """Every event type that is emitted."""
    rows: dict[str, list[set[str]]] = defaultdict(lambda: [set(), set(), set()])
    for item in events():
        subjects, keys, origins = rows[item.type]
        subjects.add(item.subject)
        keys.update(item.keys)
        origins.add(".".join(item.module.split(".")[:2]))
    lines = [
        (f"`{kind}`", ", ".join(sorted(subjects)), ", ".join(sorted(keys)), ", ".join(sorted(origins)))
        for kind, (subjects, keys, origins) in sorted(rows.items())
    ]
    return (
        "# Events\n\nEach event is answered in the JSON format of CloudEvents 1.0, in lists "
        "(`GET /api/events/v1/events`) and as server-sent events (`GET /api/events/v1/stream`). "
        "[Read the audit log](../how-to/read-the-audit-log.md) "
        "shows how to get at them.\n\n"
        + table(("attribute", "what it says"), ATTRIBUTES)
        + "\n## Types\n\n`dev.cdevents.*` types are CDEvents': their `data` has the shape of CDEvents 0.5.1 "
        "({context, subject, customData}), with what the table names as `customData`. `dev.taxiway.*` types are ours; "
        "plugins add theirs at the point "
        "[`event_type`](contribution-points.md#event_type). An event is stored only if its data is as the schema "
        "of its type says (`GET /api/events/v1/types`). `…` is filled in: an id or an entity reference.\n\n"
        + table(("type", "subject", "data", "emitted by"), lines)
    )


PAGES: Mapping[str, Callable[[], str]] = {
    "actions": lambda: actions_page(table),
    "settings": settings_page,
    "sources": lambda: sources_page(table, _type_name, _shown),
    "cli": cli_page,
    "api": api_page,
    "errors": errors_page,
    "contribution-points": points_page,
    "events": events_page,
}


def render() -> dict[Path, str]:
    """Path → content of every generated page."""
    return {FOLDER / f"{name}.md": NOTE + page() for name, page in PAGES.items()}


def main() -> None:
    """Write the pages that differ, and say which."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, content in render().items():
        if not path.is_file() or path.read_text() != content:
            path.write_text(content)
            print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
