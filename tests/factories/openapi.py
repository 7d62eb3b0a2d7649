"""Makes answers out of an API's description: what it requires of an answer, with what a fake has to say in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FORMATS = {"uri": "https://example.com/", "date-time": "2024-01-01T00:00:00Z"}


def filled(document: Mapping[str, Any], schema: Any, overlay: Any = None) -> Any:
    """A value of `schema` with `overlay` in it; what the overlay does not say is as small as it may be."""
    schema = _resolved(document, schema)
    if schema.get("type") == "array" and isinstance(overlay, list):
        return [filled(document, schema.get("items", {}), item) for item in overlay]
    if overlay is not None and not isinstance(overlay, dict):
        return overlay
    parts = [schema, *(_resolved(document, one) for one in schema.get("allOf", []))]
    if any("properties" in part or part.get("type") == "object" for part in parts):
        made = dict(overlay or {})
        for part in parts:
            properties = part.get("properties", {})
            for name in {*part.get("required", []), *(set(made) & set(properties))}:
                if name not in made or made[name] is not None:
                    made[name] = filled(document, properties.get(name, {}), made.get(name))
        return made
    options = schema.get("oneOf") or schema.get("anyOf")
    if options:
        is_nullable = {"type": "null"} in options
        fitting = [one for one in options if _may_be(_resolved(document, one), overlay)]
        return None if overlay is None and is_nullable else filled(document, (fitting or options)[0], overlay)
    return _smallest(schema) if overlay is None else overlay


def _may_be(schema: Mapping[str, Any], overlay: Any) -> bool:
    """Whether a value that has what `overlay` says may be one of `schema`."""
    if not isinstance(overlay, dict):
        return True
    known = schema.get("properties", {})
    told = ((known[name], value) for name, value in overlay.items() if name in known)
    return schema.get("type") != "array" and all(value in one["enum"] for one, value in told if "enum" in one)


def _resolved(document: Mapping[str, Any], schema: Any) -> Any:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _smallest(schema: Mapping[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    simple = {"integer": schema.get("minimum", 1), "number": 1, "boolean": False, "array": [], "object": {}}
    return simple.get(schema.get("type", ""), FORMATS.get(schema.get("format", ""), "x"))
