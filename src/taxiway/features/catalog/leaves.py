"""The leaves of documents: what filters, facets and orders see of them. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from taxiway.features.catalog.scalars import text_of

MAX_TEXT = 200
MAX_LEAVES = 4000
COLUMNS = frozenset({"metadata.name", "metadata.uid", "metadata.etag"})
"""Paths that are columns, not leaves."""
Leaf = tuple[str, str, bool]
"""(lower-case path, value as written, opaque)."""


@dataclass(frozen=True, eq=False)
class LeafTable:
    """The leaves of a file's documents, each once, as `table_of` has them. Equal to itself alone."""

    content: bytes
    size: int

    @cached_property
    def leaves(self) -> Sequence[Leaf]:
        """All of them."""
        return [(path, value, bool(opaque)) for path, _, value, _, opaque in orjson.loads(self.content)]


class Leaves(Collection[Leaf]):
    """The leaves of one document, by their places in the table of its file."""

    def __init__(self, table: LeafTable, places: Sequence[int]) -> None:
        self.table, self.places = table, places

    def __iter__(self) -> Iterator[Leaf]:
        return map(self.table.leaves.__getitem__, self.places)

    def __len__(self) -> int:
        return len(self.places)

    def __contains__(self, leaf: object) -> bool:
        return leaf in tuple(self)


def table_of(leaves: Iterable[Leaf]) -> bytes:
    """Leaves as they are given to the store: JSON of rows (path, digest, value, value in lower case where it differs,
    opaque as 0 or 1)."""
    return orjson.dumps([_row(*leaf) for leaf in leaves])


def digest(value: str) -> int:
    """48 bits of a value in lower case: by them it is found in the store."""
    return int.from_bytes(hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=6).digest(), "big")


def _row(path: str, value: str, opaque: bool) -> tuple[str, int, str, str | None, int]:
    lower = value.lower()
    return path, digest(lower), value, None if lower == value else lower, int(opaque)


def leaves(document: Mapping[str, Any]) -> set[Leaf]:
    """The document's leaves as filters see them. Names and uids are columns and therefore left out."""
    found: set[Leaf] = set()
    _collect(document, "", found)
    return found


def _collect(value: Any, path: str, found: set[Leaf]) -> None:
    # Called for every value of every document: strings, which most of them are, are dealt with where they are met.
    if len(path) > MAX_TEXT or len(found) >= MAX_LEAVES:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            below = f"{path}.{key}".lower() if path else str(key).lower()
            if type(item) is not str:
                _collect(item, below, found)
            elif len(below) <= MAX_TEXT:
                _add(below, item, found)
    elif isinstance(value, list):
        for item in value:
            if type(item) is not str:
                _collect(item, path, found)
                continue
            _add(path, item, found)
            if len(path) + len(item) < MAX_TEXT and len(found) < MAX_LEAVES and "\0" not in item:
                found.add((f"{path}.{item}".lower(), "true", False))
    elif isinstance(value, Mapping):
        _collect(dict(value), path, found)
    elif value is None:
        _add(path, None, found)
    else:
        _add(path, text_of(value), found)


def _add(path: str, text: str | None, found: set[Leaf]) -> None:
    if path not in COLUMNS and len(found) < MAX_LEAVES and "\0" not in path:
        opaque = text is None or len(text) > MAX_TEXT or "\0" in text
        found.add((path, "", True) if opaque or text is None else (path, text, False))
