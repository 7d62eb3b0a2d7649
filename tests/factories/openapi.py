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
                made[name] = filled(document, properties.get(name, {}), made.get(name))
        return made
    options = schema.get("oneOf") or schema.get("anyOf")
    if options:
        is_nullable = {"type": "null"} in options
        return None if overlay is None and is_nullable else filled(document, options[0], overlay)
    return _smallest(schema)


def _resolved(document: Mapping[str, Any], schema: Any) -> Any:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _smallest(schema: Mapping[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    simple = {"integer": schema.get("minimum", 1), "number": 1, "boolean": False, "array": [], "object": {}}
    return simple.get(schema.get("type", ""), FORMATS.get(schema.get("format", ""), "x"))
