"""`roadiehq:utils:jsonata` and its two transforms: JSONata on a value, or on a file of the workspace.

The language is its own package, in the rendering process: an expression is a stranger's, and bounded there in time and
memory. Nothing is written, so a dry run is the real thing, and undo has nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from taxiway.features.scaffolder.actions.roadie import (
    ANY,
    BOOLEAN,
    LIST,
    YAML_OPTIONS,
    data_of,
    documents_of,
    json_text,
    read_text,
    yaml_documents,
)
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.features.scaffolder.rendering.pool import RenderError
from taxiway.model.errors import InputError
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema

EXPRESSION = "A JSONata expression"
AS = {"type": "string", "enum": ["string", "object"], "description": "What the result is to be; default string"}
RESULT = schema(result={**ANY, "description": "What the expression made; nothing where it made nothing"})
Values = Mapping[str, Any]
Make = Callable[[], Renderer]


def jsonata_actions(renderer: Make) -> list[FunctionAction]:
    """The actions of this module."""
    files = {"path": "The file", "expression": EXPRESSION, "as": AS}
    return [
        FunctionAction(
            "roadiehq:utils:jsonata",
            "Transform a value by a JSONata expression",
            partial(_value, renderer),
            schema(["data", "expression"], data={**ANY, "description": "What is transformed"}, expression=EXPRESSION),
            RESULT,
        ),
        FunctionAction(
            "roadiehq:utils:jsonata:json:transform",
            "Transform what a JSON file holds by a JSONata expression",
            partial(_json, renderer),
            schema(["path", "expression"], **files, replacer=LIST, space="Indentation"),
            RESULT,
        ),
        FunctionAction(
            "roadiehq:utils:jsonata:yaml:transform",
            "Transform what a YAML file holds by a JSONata expression",
            partial(_yaml, renderer),
            schema(["path", "expression"], **files, options=YAML_OPTIONS, loadAll=BOOLEAN, writeMulti=BOOLEAN),
            RESULT,
        ),
    ]


def _value(renderer: Make, ctx: StepContext, values: Values) -> Values:
    return _transformed(renderer, values, values["data"])


def _json(renderer: Make, ctx: StepContext, values: Values) -> Values:
    found = _transformed(renderer, values, data_of(values["path"], read_text(ctx, values["path"]), "json"))
    return _told(found, values, lambda result: json_text(result, values))


def _yaml(renderer: Make, ctx: StepContext, values: Values) -> Values:
    path = values["path"]
    text = read_text(ctx, path)
    found = _transformed(
        renderer, values, documents_of(path, text) if values.get("loadAll") else data_of(path, text, "yaml")
    )
    return _told(found, values, lambda result: yaml_documents(result, values))


def _told(found: Values, values: Values, text_of: Callable[[Any], str]) -> Values:
    if values.get("as") == "object" or "result" not in found:
        return found
    return {"result": text_of(found["result"])}


def _transformed(renderer: Make, values: Values, data: Any) -> Values:
    try:
        return renderer().transform(values["expression"], data)
    except RenderError as error:
        raise InputError(
            f"JSONata failed to evaluate the expression: {error.detail}", code="scaffolder.jsonata"
        ) from error
