"""Judges the body of a resource: what is kept of it, in the spelling of the schema, and what is wrong. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from taxiway.model.errors import InputError
from taxiway.plugins.scim.schemas import Attribute, ResourceType

LONGEST_TEXT = 4096
MOST_VALUES = 20_000
BOOLEANS = {"true": True, "false": False}


class InvalidValue(InputError):
    """A value that its attribute cannot have (`invalidValue`)."""


def wrong_value(path: str, detail: str) -> InvalidValue:
    """The error for a value of the attribute at `path`."""
    return InvalidValue(f"{path}: {detail}", code="scim.value")


def kept(kind: ResourceType, body: Mapping[str, Any]) -> dict[str, Any]:
    """What is stored of a body: known attributes in their own spelling, read-only ones and passwords left out.
    InvalidValue for what its attribute cannot have, or without what is required."""
    found = _attributes(kind.attributes, body, "")
    external = _lookup(body, "externalId")
    if external is not None:
        found["externalId"] = _text(external, "externalId")
    for urn, attributes in kind.extensions.items():
        value = _lookup(body, urn)
        if isinstance(value, Mapping):
            extension = _attributes(attributes, value, f"{urn}:")
            if extension:
                found[urn] = extension
    if not str(found.get(kind.key, "")).strip():
        raise wrong_value(kind.key, f"a {kind.name} needs one")
    return found


def _attributes(attributes: Sequence[Attribute], body: Mapping[str, Any], at: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for attribute in attributes:
        value = _lookup(body, attribute.name)
        if attribute.mutability == "readOnly" or value is None or value == []:
            continue
        found[attribute.name] = _many(attribute, value, at) if attribute.multi else _one(attribute, value, at)
    return found


def _lookup(body: Mapping[str, Any], name: str) -> Any:
    if name in body:
        return body[name]
    return next((value for key, value in body.items() if key.lower() == name.lower()), None)


def _many(attribute: Attribute, value: Any, at: str) -> list[Any]:
    path = at + attribute.name
    items = value if isinstance(value, list) else [value]
    if len(items) > MOST_VALUES:
        raise wrong_value(path, f"more than {MOST_VALUES} values")
    found: list[Any] = []
    seen: set[tuple[Any, Any]] = set()
    for item in items:
        # Some send the plain values of a list of complex ones.
        one = _one(attribute, {"value": item} if isinstance(item, str) else item, at)
        same = (one.get("value"), one.get("type"))
        if one and same not in seen:
            seen.add(same)
            found.append(one)
    return found


def _one(attribute: Attribute, value: Any, at: str) -> Any:
    path = at + attribute.name
    if attribute.type == "complex":
        if isinstance(value, str) and attribute.name == "manager":
            return {"value": _text(value, path)}
        if not isinstance(value, Mapping):
            raise wrong_value(path, "an object is expected")
        return _attributes(attribute.subs, value, f"{path}.")
    if attribute.type == "boolean":
        found = BOOLEANS.get(value.lower()) if isinstance(value, str) else value
        if not isinstance(found, bool):
            raise wrong_value(path, "true or false is expected")
        return found
    return _text(value, path)


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise wrong_value(path, "a text is expected")
    if len(value) > LONGEST_TEXT or "\0" in value:
        raise wrong_value(path, f"a text of at most {LONGEST_TEXT} characters without NUL is expected")
    return value


def projected(resource: dict[str, Any], only: Sequence[str], without: Sequence[str]) -> dict[str, Any]:
    """The resource with the `attributes` or without the `excludedAttributes` that were asked for."""
    if only:
        wanted = [path.lower() for path in only]
        return {
            key: _picked(value, [path[len(key) + 1 :] for path in wanted if path.startswith(key.lower() + ".")])
            if key.lower() not in wanted
            else value
            for key, value in resource.items()
            if key in ("id", "schemas")
            or any(path.split(".")[0] == key.lower() or path == key.lower() for path in wanted)
        }
    hidden = {path.lower() for path in without} - {"id", "schemas"}
    return {key: value for key, value in resource.items() if key.lower() not in hidden}


def _picked(value: Any, subs: Sequence[str]) -> Any:
    if not subs:
        return value
    if isinstance(value, list):
        return [_picked(one, subs) for one in value]
    if isinstance(value, Mapping):
        return {key: one for key, one in value.items() if key.lower() in subs}
    return value
