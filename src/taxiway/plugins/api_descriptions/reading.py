"""What a description says of itself: kind, title, version, what it is for. No I/O.

Only the beginning of each tree is looked at, event by event: neither nesting nor aliases of a stranger's YAML cost
anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

DEEPEST = 200
MOST_EVENTS = 2_000_000
FIELDS = ("title", "version", "description")
TYPES = {"openapi": "openapi", "swagger": "openapi", "asyncapi": "asyncapi"}
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Outline:
    """What a description says of itself; empty texts where it says nothing. `type` is empty when it is none known."""

    type: str
    title: str = ""
    version: str = ""
    description: str = ""


class Unreadable(ValueError):
    """A description that cannot be read; the message says why."""


def outline(text: str) -> Outline:
    """The outline of an OpenAPI, Swagger or AsyncAPI description in JSON or YAML. Unreadable."""
    top = _json(text)
    if top is None:
        top = _yaml(text)
    kind = next((value for key, value in TYPES.items() if isinstance(top.get(key), str | float | int)), "")
    info = top.get("info")
    values = info if isinstance(info, Mapping) else {}
    return Outline(kind, *(str(values.get(name) or "").strip()[:5000] for name in FIELDS))


def _json(text: str) -> Mapping[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None  # perhaps it is YAML's own way of writing mappings
    return found if isinstance(found, Mapping) else None


@dataclass
class _Open:
    """A mapping or list that has not ended: of a mapping, the key whose value comes next, if one was read."""

    is_mapping: bool
    wants_key: bool = True
    key: str | None = None


def _yaml(text: str) -> dict[str, Any]:
    # Keys at the top with plain values, and those of `info`.
    top: dict[str, Any] = {}
    info: dict[str, str] = {}
    stack: list[_Open] = []
    for event in _events(text):
        if isinstance(event, yaml.CollectionEndEvent):
            stack.pop()
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        plain = event.value if isinstance(event, yaml.ScalarEvent) else None
        holder = stack[-1] if stack else None
        if holder is not None and holder.is_mapping:
            if holder.wants_key:
                holder.key = plain
            elif plain is not None and holder.key is not None:
                if len(stack) == 1:
                    top[holder.key] = plain
                elif len(stack) == 2 and stack[0].key == "info":
                    info[holder.key] = plain
            holder.wants_key = not holder.wants_key
        if isinstance(event, yaml.CollectionStartEvent):
            stack.append(_Open(isinstance(event, yaml.MappingStartEvent)))
            if len(stack) > DEEPEST:
                raise Unreadable(f"it is nested deeper than {DEEPEST} levels")
    if not top:
        raise Unreadable("it is no mapping with `openapi`, `swagger` or `asyncapi`")
    return {**top, "info": info}


def _events(text: str) -> Iterator[Any]:
    try:
        for number, event in enumerate(yaml.parse(text, Loader=LOADER)):
            if number > MOST_EVENTS:
                raise Unreadable(f"it has more than {MOST_EVENTS} parts")
            if isinstance(event, yaml.DocumentEndEvent):
                return
            yield event
    except (yaml.YAMLError, RecursionError) as error:
        problem = getattr(error, "problem", None) or "it is neither JSON nor YAML"
        raise Unreadable(str(problem)) from error
