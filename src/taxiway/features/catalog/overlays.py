"""What overlays add to entities: the fields that one may write, and layers laid over each other. Pure.

The entity's own source stands at 0. A layer with a higher precedence wins over it, one with a lower fills what is
missing. Of two with the same precedence the one whose source comes first in the alphabet wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson

from taxiway.features.catalog.model import MANAGED_BY, ORIGIN, ORPHAN

Path = tuple[str | int, ...]
IDENTITY = frozenset(
    {
        ("apiVersion",),
        ("kind",),
        *(("metadata", key) for key in ("name", "namespace", "uid", "etag")),
    }
)
"""What says which entity it is: it stands in an overlay's document, and is not written."""
OURS = frozenset(("metadata", "annotations", key) for key in (MANAGED_BY, ORIGIN, ORPHAN))
"""What only the catalog writes."""


@dataclass(frozen=True)
class Layer:
    """What one source says of an entity. The entity's own source has no precedence but 0."""

    source_id: str
    document: Mapping[str, Any] = field(repr=False)
    precedence: int = 0
    lists: str = "union"
    location: str = ""
    line: int = 1
    hash: str = ""
    at: int = 0
    refused: str | None = None
    """Why it is left out: with it, the entity would not be valid."""


def selected(document: Mapping[str, Any], fields: Sequence[str]) -> tuple[dict[str, Any], list[Path]]:
    """What of a document may be written by an overlay that declared `fields`, and what may not, in its order."""
    kept: dict[str, Any] = {}
    refused: list[Path] = []
    writable = _pattern(tuple(fields))
    for path, value in values_of(document):
        if path in IDENTITY or value is None or value == {}:
            continue
        if path in OURS or writable.match("\0".join(map(str, path))) is None:
            refused.append(path)
            continue
        into = kept
        for key in path[:-1]:
            into = into.setdefault(str(key), {})
        into[str(path[-1])] = value
    return kept, refused


def merged(base: Mapping[str, Any], layers: Sequence[Layer]) -> dict[str, Any]:
    """The document that comes of the owner's and the layers upon it."""
    above, below = _sides(layers)
    result: Any = base
    for layer in reversed(above):
        result = _over(layer.document, result, layer.lists, own_first=False)
    for layer in below:
        result = _over(result, layer.document, layer.lists, own_first=True)
    return dict(result)


def in_order(base: Layer, layers: Sequence[Layer]) -> list[Layer]:
    """All of them, the one that wins first."""
    above, below = _sides(layers)
    return [*above, base, *below]


def _sides(layers: Sequence[Layer]) -> tuple[list[Layer], list[Layer]]:
    ordered = sorted(layers, key=lambda layer: (-layer.precedence, layer.source_id))
    return [one for one in ordered if one.precedence > 0], [one for one in ordered if one.precedence <= 0]


def _over(upper: Any, lower: Any, lists: str, *, own_first: bool) -> Any:
    # `own_first`: which side's items lead a joined list. Those of the owner do, whoever wins.
    first, second = (upper, lower) if own_first else (lower, upper)
    if isinstance(upper, Mapping) and isinstance(lower, Mapping):
        return {
            key: _over(upper[key], lower[key], lists, own_first=own_first)
            if key in upper and key in lower
            else upper.get(key, lower.get(key))
            for key in {**first, **second}
        }
    if isinstance(upper, list) and isinstance(lower, list) and lists == "union":
        there = set(map(_text, first))
        return [*first, *(item for item in second if _text(item) not in there)]
    return upper


def _text(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def values_of(value: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The values of a document with their paths. Lists are values: an overlay writes all of one, or nothing."""
    for key, item in value.items():
        below = (*path, key)
        if isinstance(item, Mapping) and item:
            yield from values_of(item, below)
        else:
            yield below, item


@lru_cache(64)
def _pattern(fields: tuple[str, ...]) -> re.Pattern[str]:
    # A dot parts two keys or stands in one, as in those of annotations.
    each = ("".join(_SIGNS.get(sign, re.escape(sign)) for sign in field) for field in fields)
    return re.compile(f"(?:{'|'.join(each)})(?:\0|\\Z)")


_SIGNS = {".": "[.\0]", "*": "[^\0]*"}


@dataclass(frozen=True)
class Origin:
    """Where a value of a merged document comes from: the path in the source's own document, and what it won over."""

    path: Path
    value: Any
    source_id: str | None
    own_path: Path
    over: Sequence[tuple[str, Any]] = ()


@dataclass(frozen=True)
class _Said:
    source_id: str
    value: Any
    path: Path
    own: bool = False


def origins(document: Mapping[str, Any], layers: Sequence[Layer]) -> Iterator[Origin]:
    """Every value of a merged document in its order. `layers` are those it came of, the one that wins first;
    `source_id` is None for what none of them said: the catalog did."""
    yield from _origins(
        document, (), [_Said(layer.source_id, layer.document, (), layer.precedence == 0) for layer in layers]
    )


def _origins(value: Any, path: Path, said: Sequence[_Said]) -> Iterator[Origin]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            below = [
                _Said(one.source_id, one.value[key], (*one.path, key), one.own)
                for one in said
                if isinstance(one.value, Mapping) and key in one.value
            ]
            yield from _origins(item, (*path, key), below)
    elif isinstance(value, list) and value:
        yield from _items(value, path, [one for one in said if isinstance(one.value, list)])
    else:
        text = _text(value)
        same = next((one for one in said if _text(one.value) == text), None)
        over = [(one.source_id, one.value) for one in said if same is not None and _text(one.value) != text]
        source_id, own_path = (None, ()) if same is None else (same.source_id, same.path)
        yield Origin(path, value, source_id, own_path, over)


def _items(value: Sequence[Any], path: Path, said: Sequence[_Said]) -> Iterator[Origin]:
    places = [(one, {_text(item): index for index, item in reversed(list(enumerate(one.value)))}) for one in said]
    texts = [_text(item) for item in value]
    here = set(texts)
    if places and not here.issubset(places[0][1]):
        # It was joined: what the owner says would stay without the others.
        places.sort(key=lambda place: not place[0].own)
    lost = [(one.source_id, one.value) for one, at in places if not here.issuperset(at)]
    for index, (item, text) in enumerate(zip(value, texts, strict=True)):
        holder = next(((one, at[text]) for one, at in places if text in at), None)
        own = [] if holder is None else [_Said(holder[0].source_id, item, (*holder[0].path, holder[1]))]
        for origin in _origins(item, (*path, index), own):
            over = [one for one in lost if one[0] != origin.source_id]
            yield Origin(origin.path, origin.value, origin.source_id, origin.own_path, over)
