"""What changed between two documents, as JSON Patch operations that also tell the old value. Pure, bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from taxiway.kit.pointer import pointer

MAX_CHANGES = 200
MAX_VALUE = 4000
LEFT_OUT = (("metadata", "etag"), ("metadata", "uid"))
"""What the server sets and what changes with everything."""


def diff(old: Any, new: Any) -> list[dict[str, Any]]:
    """`{op, path, value, old}` of each change, by path; at most 200. Values larger than 4,000 bytes are cut to text."""
    changes: list[dict[str, Any]] = []
    for change in _diff(old, new, ()):
        if len(changes) == MAX_CHANGES:
            break
        changes.append(change)
    return changes


def _diff(old: Any, new: Any, path: tuple[str | int, ...]) -> Iterator[dict[str, Any]]:
    if path in LEFT_OUT:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _one(old, new, key, (*path, key))
    elif _alike(old, new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _diff(before, after, (*path, index))
    elif orjson.dumps(old, option=orjson.OPT_SORT_KEYS) != orjson.dumps(new, option=orjson.OPT_SORT_KEYS):
        # Compared as JSON, where true is not 1.
        yield {"op": "replace", "path": pointer(path), "value": _cut(new), "old": _cut(old)}


def _one(old: Mapping[str, Any], new: Mapping[str, Any], key: str, path: tuple[str | int, ...]) -> Iterator[Any]:
    if key not in old:
        yield {"op": "add", "path": pointer(path), "value": _cut(new[key])}
    elif key not in new:
        yield {"op": "remove", "path": pointer(path), "old": _cut(old[key])}
    else:
        yield from _diff(old[key], new[key], path)


def _alike(old: Any, new: Any) -> bool:
    # Lists of equally many mappings are compared item by item; of other lists the whole is shown.
    return (
        isinstance(old, Sequence)
        and isinstance(new, Sequence)
        and len(old) == len(new)
        and all(isinstance(item, Mapping) for item in [*old, *new])
    )


def _cut(value: Any) -> Any:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return value if len(text) <= MAX_VALUE else text[:MAX_VALUE] + " …"
