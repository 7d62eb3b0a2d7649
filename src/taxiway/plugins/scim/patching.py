"""PATCH of RFC 7644 section 3.5.2 on plain values: a resource and operations in, a new resource out. No I/O.

What identity providers really send is understood: operations in capitals, paths as keys of a value without a path,
members to be removed named in the value.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from taxiway.model.errors import InputError
from taxiway.plugins.scim.filters import Judge, key_in, parse_filter
from taxiway.plugins.scim.schemas import ResourceType

MOST_OPERATIONS = 1000
READ_ONLY = frozenset({"id", "meta", "schemas", "groups"})
PATH = re.compile(r"(?P<attribute>[A-Za-z$][\w$-]*)(?:\[(?P<filter>.+)\])?(?:\.(?P<sub>[A-Za-z$][\w$-]*))?", re.DOTALL)
EQUAL = re.compile(r'\s*(?P<name>[A-Za-z]+)\s+eq\s+"(?P<value>[^"\\]*)"\s*', re.IGNORECASE)


class NoTarget(InputError):
    """A path that leads to nothing (`noTarget`)."""


class InvalidSyntax(InputError):
    """A body that is no PATCH (`invalidSyntax`)."""


class Immutable(InputError):
    """An attribute that cannot be changed (`mutability`)."""


@dataclass(frozen=True)
class _Path:
    """Where an operation acts: in an extension or the core, on an attribute, on some of its values, on a part of it."""

    urn: str
    attribute: str
    filter: str
    judge: Judge | None
    sub: str


def patched(kind: ResourceType, resource: Mapping[str, Any], body: Any) -> dict[str, Any]:
    """The resource after all operations of a PATCH body; not yet judged. InputError for what cannot be done: then none
    of them is."""
    operations = body.get(key_in(body, "Operations")) if isinstance(body, Mapping) else None
    if not isinstance(operations, list) or not operations or len(operations) > MOST_OPERATIONS:
        raise InvalidSyntax(f"a PATCH has 1 to {MOST_OPERATIONS} Operations", code="scim.syntax")
    found = copy.deepcopy(dict(resource))
    for operation in operations:
        if not isinstance(operation, Mapping):
            raise InvalidSyntax("an operation is an object with op, path and value", code="scim.syntax")
        name = str(operation.get("op", "")).lower()
        path, value = operation.get("path"), operation.get("value")
        if name not in ("add", "replace", "remove") or not isinstance(path, str | None):
            raise InvalidSyntax("op is add, replace or remove, and path a text", code="scim.syntax")
        if path:
            _apply(kind, found, name, path, value)
        elif name == "remove":
            raise NoTarget("a removal needs a path", code="scim.no_target")
        elif not isinstance(value, Mapping):
            raise InvalidSyntax("an operation without a path needs an object as its value", code="scim.syntax")
        else:
            for key, one in value.items():
                _spread(kind, found, name, str(key), one)
    return found


def _spread(kind: ResourceType, found: dict[str, Any], name: str, key: str, value: Any) -> None:
    if key in kind.extensions and isinstance(value, Mapping):
        for inner, one in value.items():
            _apply(kind, found, name, f"{key}:{inner}", one)
    elif key not in READ_ONLY:  # sent back as they were read; there is nothing to do
        _apply(kind, found, name, key, value)


def _apply(kind: ResourceType, found: dict[str, Any], name: str, text: str, value: Any) -> None:
    path = _parsed(kind, text)
    if not path.urn and path.attribute in READ_ONLY:
        raise Immutable(f"{path.attribute} cannot be changed", code="scim.mutability")
    holder = found
    if path.urn and not path.attribute:
        _extension(found, name, path.urn, value)
        return
    if path.urn:
        holder = found.setdefault(path.urn, {})
    key = key_in(holder, path.attribute)
    current = holder.get(key)
    is_many = isinstance(current, list) or _is_multi(kind, path)
    if path.judge is not None:
        holder[key] = _selected(name, path, list(current or []), value)
    elif path.sub:
        if is_many:
            raise NoTarget(f"'{text}' names a part of many values: say which in brackets", code="scim.no_target")
        holder[key] = _part(name, dict(current) if isinstance(current, Mapping) else {}, path.sub, value)
    elif name == "remove":
        holder[key] = _without(current, value) if is_many and value not in (None, [], "") else None
    elif name == "add" and is_many:
        holder[key] = [*(current or []), *(value if isinstance(value, list) else [value])]
    elif isinstance(current, Mapping) and isinstance(value, Mapping):
        holder[key] = {**current, **value}
    else:
        holder[key] = value
    if holder[key] in (None, [], {}):
        del holder[key]


def _extension(found: dict[str, Any], name: str, urn: str, value: Any) -> None:
    """A path that names an extension as a whole."""
    if name == "remove":
        found.pop(urn, None)
    elif not isinstance(value, Mapping):
        raise InvalidSyntax(f"the value of {urn} is an object", code="scim.syntax")
    else:
        found[urn] = {**(found.get(urn, {}) if name == "add" else {}), **value}


def _is_multi(kind: ResourceType, path: _Path) -> bool:
    attributes = kind.extensions.get(path.urn, ()) if path.urn else kind.attributes
    return any(one.multi and one.name.lower() == path.attribute.lower() for one in attributes)


def _parsed(kind: ResourceType, text: str) -> _Path:
    urn, rest = "", text.strip()
    if rest.lower().startswith("urn:"):
        known = [one for one in (kind.schema, *kind.extensions) if rest.lower().startswith(one.lower())]
        if not known:
            raise NoTarget(f"'{text[:100]}' is of no known schema", code="scim.no_target")
        urn = "" if known[0] == kind.schema else known[0]
        rest = rest[len(known[0]) :].lstrip(":")
        if urn and not rest:
            return _Path(urn, "", "", None, "")
    match = PATH.fullmatch(rest)
    if match is None:
        raise NoTarget(f"'{text[:100]}' is no path of an attribute", code="scim.no_target")
    judge = parse_filter(match["filter"]) if match["filter"] else None
    return _Path(urn, match["attribute"], match["filter"] or "", judge, match["sub"] or "")


def _selected(name: str, path: _Path, current: list[Any], value: Any) -> list[Any]:
    assert path.judge is not None
    hits = [isinstance(one, Mapping) and path.judge(one) for one in current]
    if name == "remove":
        if path.sub:
            return [
                _part(name, dict(one), path.sub, None) if hit else one for one, hit in zip(current, hits, strict=True)
            ]
        return [one for one, hit in zip(current, hits, strict=True) if not hit]
    if not any(hits):
        equal = EQUAL.fullmatch(path.filter)
        if name == "replace" or equal is None:
            raise NoTarget(f"no value of {path.attribute} matches '{path.filter[:100]}'", code="scim.no_target")
        # Adding to what is not there makes it, as identity providers expect.
        current, hits = [*current, {equal["name"]: equal["value"]}], [*hits, True]
    change: Callable[[Any], Any] = (
        (lambda one: _part(name, dict(one), path.sub, value))
        if path.sub
        else (lambda one: {**one, **value} if isinstance(value, Mapping) else value)
    )
    return [change(one) if hit else one for one, hit in zip(current, hits, strict=True)]


def _part(name: str, holder: dict[str, Any], sub: str, value: Any) -> dict[str, Any]:
    key = key_in(holder, sub)
    if name == "remove":
        holder.pop(key, None)
    else:
        holder[key] = value
    return holder


def _without(current: Any, value: Any) -> list[Any]:
    gone = {_named(one) for one in (value if isinstance(value, list) else [value])}
    return [one for one in current or [] if _named(one) not in gone]


def _named(one: Any) -> str:
    return str(one.get("value") if isinstance(one, Mapping) else one)
