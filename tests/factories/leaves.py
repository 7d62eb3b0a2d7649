"""The leaves of a JSON value by their pointers, and whether pointers that were named cover them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any


def leaves(value: Any, at: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, one in value.items():
            yield from leaves(one, at + "/" + key.replace("~", "~0").replace("/", "~1"))
    elif isinstance(value, list) and value:
        for index, one in enumerate(value):
            yield from leaves(one, f"{at}/{index}")
    else:
        yield at


def covered(leaf: str, told: set[str]) -> bool:
    parts = leaf.split("/")
    return any("/".join(parts[:size]) in told for size in range(1, len(parts) + 1))


def unheld(document: Any, items: Sequence[Any]) -> list[str]:
    """The leaves of a document that no note of `items` tells of, or that are not where the nearest ones say that they
    were carried to."""
    notes = [(note, item) for item in items for note in item.notes if note.fate != "added"]
    found = []
    for leaf in leaves(document, ""):
        over = [(note, item) for note, item in notes if covered(leaf, {note.field})]
        nearest = max((len(note.field) for note, _ in over), default=-1)
        near = [(note, item) for note, item in over if len(note.field) == nearest]
        value = value_at(document, leaf)
        texts = {str(value), json.dumps(value)}
        kept = [
            note.fate != "carried" or any(text in one for text in texts for one in [note.to, *_held(item, note.to)])
            for note, item in near
            if note.to is not None
        ]
        if not near or (kept and not any(kept)):
            found.append(leaf)
    return found


def _held(item: Any, to: str) -> list[str]:
    return texts_in(value_at(item.entity or item.location, to))


def value_at(value: Any, at: str) -> Any:
    """What a JSON pointer leads to."""
    for part in at.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def texts_in(value: Any) -> list[str]:
    """A value and all that it holds, as texts."""
    inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return [str(value), *(text for one in inner for text in texts_in(one))]
