"""What is wrong with a document of kind `Kind`, beyond its own schema. Pure: called by `validation` for each of them.

The schema of a kind is other people's text: it is bounded, and may not make the validator fetch anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from taxiway.features.catalog.kinds import EXTENSION, INVERSE, Kinds, shipped
from taxiway.features.catalog.property_faults import property_faults
from taxiway.kit.pointer import pointer
from taxiway.model.entity import DEFAULT_NAMESPACE
from taxiway.model.errors import FieldError

NAME = re.compile(r"[A-Z][A-Za-z0-9]{0,62}")
MAX_SCHEMA = 64_000
"""Bytes of a schema as JSON."""
MAX_DEPTH = 40


def kind_faults(document: Mapping[str, Any], kinds: Kinds) -> Iterator[FieldError]:
    """Every fault of a document that satisfies the schema of `Kind`."""
    metadata, spec = document["metadata"], document["spec"]
    yield from property_faults(document, kinds)
    if document["kind"] == EXTENSION:
        if not kinds.has(spec["kind"]):
            yield FieldError("/spec/kind", f"there is no kind {spec['kind']} to extend: declare it first")
        return
    yield from _name(metadata)
    yield from schema_faults(spec["schema"])
    for index, item in enumerate(spec.get("relations", ())):
        yield from _relation(item, f"/spec/relations/{index}", metadata["name"], spec["schema"], kinds)
    fields = [item["field"] for item in spec.get("relations", ())]
    for name in sorted({name for name in fields if fields.count(name) > 1}):
        yield FieldError("/spec/relations", f"the field {name} is there twice: a field states one relation")


def _name(metadata: Mapping[str, Any]) -> Iterator[FieldError]:
    name = str(metadata["name"])
    if NAME.fullmatch(name) is None:
        yield FieldError("/metadata/name", "a kind is called by letters and digits, the first a capital: Warehouse")
    same = next((known for known in shipped().by_name if known.lower() == name.lower()), None)
    if same is not None:
        yield FieldError("/metadata/name", f"the kind {same} ships with Taxiway: choose another name")
    if metadata.get("namespace", DEFAULT_NAMESPACE) != DEFAULT_NAMESPACE:
        yield FieldError("/metadata/namespace", "a kind is the same in every namespace: leave this out")


def schema_faults(schema: Mapping[str, Any], at: str = "/spec/schema") -> Iterator[FieldError]:
    """What is wrong with a JSON Schema that stands at `at`: too much, no schema, or leading to another one."""
    deep = next(_too_deep(schema, 0), None)
    if deep is not None:
        yield FieldError(at, f"is nested deeper than {MAX_DEPTH} levels: use $defs")
        return
    if len(json.dumps(schema, default=str)) > MAX_SCHEMA:
        yield FieldError(at, f"is larger than {MAX_SCHEMA} bytes: state less")
        return
    outward = list(_outward(schema, []))
    for path in outward:
        yield FieldError(at + pointer(path), "may only refer to this schema itself: begin with #")
    if outward:
        return
    import jsonschema_rs

    try:
        jsonschema_rs.Draft202012Validator(dict(schema))
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        path, why = _told(error)
        yield FieldError(at + pointer(path), f"is no JSON Schema (2020-12): {why}")


def _told(error: Exception) -> tuple[list[str | int], str]:
    path = list(getattr(error, "instance_path", ()))
    return path, str(getattr(error, "message", error))[:300]


def _too_deep(value: Any, depth: int) -> Iterator[bool]:
    if depth > MAX_DEPTH:
        yield True
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _too_deep(item, depth + 1)


def _outward(value: Any, path: list[str | int]) -> Iterator[list[str | int]]:
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if key in ("$ref", "$dynamicRef", "$schema", "$id") and isinstance(item, str):
            own = item.startswith("#") or (key == "$schema" and item.rstrip("#").endswith("/2020-12/schema"))
            if not own:
                yield [*path, key]
        yield from _outward(item, [*path, key])


def _relation(
    item: Mapping[str, Any], at: str, name: str, schema: Mapping[str, Any], kinds: Kinds
) -> Iterator[FieldError]:
    properties = schema.get("properties")
    said = properties.get(item["field"]) if isinstance(properties, Mapping) else None
    if not isinstance(said, Mapping):
        yield FieldError(f"{at}/field", f"spec.schema has no property {item['field']}: a relation is a field of spec")
    elif (said.get("type") == "array") != bool(item.get("list")):
        is_list = "an array: add list: true" if said.get("type") == "array" else "no array: leave list out"
        yield FieldError(f"{at}/list", f"the property {item['field']} of spec.schema is {is_list}")
    default = item.get("defaultKind")
    if default is not None and default.lower() != name.lower() and not kinds.has(default):
        yield FieldError(f"{at}/defaultKind", f"there is no kind {default}: declare it too, or leave this out")
    for one, other in ((item["type"], item["inverse"]), (item["inverse"], item["type"])):
        known, whose = (INVERSE[one], "Backstage") if one in INVERSE else kinds.inverses.get(one, (other, name))
        if known != other and whose != name:
            yield FieldError(
                f"{at}/inverse", f"{one} is the other end of {known} already, says {whose}: not of {other}"
            )
            return
