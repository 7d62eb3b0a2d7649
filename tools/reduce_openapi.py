"""Cuts a published OpenAPI description down to the operations that a test needs, without its texts.

    python tools/reduce_openapi.py DESCRIPTION.json "VERSION" OUT.json [OPERATION…]

Without operations, those of OUT are kept: that renews it from a newer description. What is asked stays whole, as JSON
Schema; of answers what is required of them stays.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

TEXTS = frozenset({"description", "summary", "title", "example", "examples", "externalDocs", "deprecated", "tags"})
METHODS = frozenset({"get", "put", "post", "delete", "patch", "head"})


def plain(value: Any, *, names: bool = False) -> Any:
    """A value without texts and extensions, as JSON Schema, in which `nullable` is a type. In a mapping of `names`
    (properties, schemas) every key stays."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {
        key: plain(item, names=not names and key in ("properties", "schemas"))
        for key, item in value.items()
        if names or not (key in TEXTS or key == "nullable" or key.startswith("x-"))
    }
    return {"anyOf": [made, {"type": "null"}]} if not names and value.get("nullable") is True else made


def operation(description: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """What is asked and answered with success. Parameters of paths go: the path says them."""
    listed = [_at(description, one["$ref"]) if "$ref" in one else one for one in found.get("parameters", [])]
    kept: dict[str, Any] = {
        "operationId": found["operationId"],
        "parameters": [
            {key: plain(one[key]) for key in ("name", "in", "required", "schema") if key in one}
            for one in listed
            if one["in"] == "query"
        ],
        "responses": {
            status: {key: slim(plain(_bodies(one[key]))) for key in ("content",) if key in one}
            for status, one in _answers(description, found).items()
        },
    }
    if "requestBody" in found:
        asked = found["requestBody"]
        kept["requestBody"] = {"content": plain(_bodies(asked["content"])), "required": bool(asked.get("required"))}
    return kept


def _bodies(content: dict[str, Any]) -> dict[str, Any]:
    return {kind: {"schema": body["schema"]} for kind, body in content.items() if kind == "application/json"}


def _answers(description: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    return {
        status: _at(description, one["$ref"]) if "$ref" in one else one
        for status, one in found["responses"].items()
        if status.startswith("2")
    }


def slim(schema: Any) -> Any:
    """What is required of an answer: its optional properties go."""
    if isinstance(schema, dict):
        required = schema.get("required", [])
        out = {key: slim(value) for key, value in schema.items() if key != "properties"}
        if isinstance(schema.get("properties"), dict):
            out["properties"] = {key: slim(value) for key, value in schema["properties"].items() if key in required}
        return out
    return [slim(item) for item in schema] if isinstance(schema, list) else schema


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(item) for item in value.values()))
    return set().union(*(references(item) for item in value)) if isinstance(value, list) else set()


def reduce(description: dict[str, Any], wanted: set[str], source: str) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for path, item in description["paths"].items():
        chosen = {
            method: operation(description, found)
            for method, found in item.items()
            if method in METHODS and found.get("operationId") in wanted
        }
        if chosen:
            paths[path] = chosen
    missing = wanted - {found["operationId"] for item in paths.values() for found in item.values()}
    if missing:
        raise SystemExit(f"the description has no {', '.join(sorted(missing))}")
    requests = [found.get("requestBody") for item in paths.values() for found in item.values()]
    schemas = _schemas(description, references(requests), lambda schema: schema)
    answers = _schemas(description, references(paths) - set(schemas), slim)
    kept = {ref.rpartition("/")[2]: value for ref, value in sorted({**answers, **schemas}.items())}
    return {"openapi": "3.1.0", "info": {"version": source}, "paths": paths, "components": {"schemas": kept}}


def _schemas(description: dict[str, Any], wanted: set[str], change: Callable[[Any], Any]) -> dict[str, Any]:
    """The schemas that `wanted` refer to, and those that these refer to."""
    made: dict[str, Any] = {}
    todo = set(wanted)
    while todo:
        ref = todo.pop()
        made[ref] = change(plain(_at(description, ref)))
        todo |= references(made[ref]) - set(made)
    return made


def _at(description: dict[str, Any], ref: str) -> Any:
    found: Any = description
    for part in ref.removeprefix("#/").split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


def main() -> None:
    source, version, target, *wanted = sys.argv[1:]
    if not wanted:
        before = json.loads(Path(target).read_text())
        wanted = [found["operationId"] for item in before["paths"].values() for found in item.values()]
    reduced = reduce(json.loads(Path(source).read_text()), set(wanted), version)
    Path(target).write_text(json.dumps(reduced, separators=(",", ":"), sort_keys=True) + "\n")
    print(f"{target}: {len(wanted)} operations, {Path(target).stat().st_size} bytes")


if __name__ == "__main__":
    main()
