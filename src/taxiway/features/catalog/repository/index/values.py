"""The values at one path, each with the bitmap of the entities that have it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from pyroaring import BitMap
from sqlalchemy import Connection, func, select

from taxiway.features.catalog.repository import facets, pairs
from taxiway.features.catalog.tables import facet

MAX_VALUES = 20_000
"""Values that a path may have to be held in memory. Paths with more are read from the store."""


@dataclass
class Value:
    """One value as written, and who has it. Opaque: there is a value that cannot be compared."""

    value: str
    folded: str
    opaque: bool
    bits: BitMap = field(default_factory=BitMap)


class Path:
    """Every value at one path."""

    def __init__(self) -> None:
        self.by_id: dict[int, Value] = {}
        self._by_folded: dict[str, list[Value]] = {}

    def put(self, facet_id: int, value: Value) -> None:
        """A value that was not here yet."""
        self.by_id[facet_id] = value
        if not value.opaque:
            self._by_folded.setdefault(value.folded, []).append(value)

    def equal(self, folded: Sequence[str]) -> list[BitMap]:
        """Bitmaps of the values that are one of `folded`."""
        return [value.bits for one in folded for value in self._by_folded.get(one, ())]

    def comparable(self) -> Iterator[Value]:
        """Values that can be compared."""
        for values in self._by_folded.values():
            yield from values

    def ordered(self) -> Iterator[tuple[str, list[BitMap]]]:
        """(value in lower case, bitmaps of its spellings) in order."""
        for folded in sorted(self._by_folded):
            yield folded, [value.bits for value in self._by_folded[folded]]


def load(conn: Connection, key: str) -> Path | None:
    """Everything at `key`; None when it has too many values to be held."""
    few = select(facet.c.id).where(facets.at_key(key)).limit(MAX_VALUES + 1).subquery()
    if (conn.scalar(select(func.count()).select_from(few)) or 0) > MAX_VALUES:
        return None
    path = Path()
    for code in map(facets.code_of, conn.execute(facets.codes().where(facets.at_key(key)))):
        path.put(code.id, Value(code.value, code.folded, code.opaque))
    for facet_id, rows in groupby(pairs.at_key(conn, key), key=lambda row: row[0]):
        path.by_id[facet_id].bits = BitMap([row[1] for row in rows])
    return path
