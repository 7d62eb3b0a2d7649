"""The places of a set of entities in the order that a list asks for, as one sequence that can be cut anywhere.

Orders are those of `listing`: by reference; by name; by the smallest value at a path, entities without one last.
Equal values are in the order of their references, also when values descend.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from pyroaring import BitMap

from taxiway.features.catalog.repository.index.state import State
from taxiway.features.catalog.repository.index.values import Path
from taxiway.features.catalog.repository.numbers import number_of
from taxiway.features.catalog.repository.query import Query

Key = str | float


class Places(Protocol):
    """A set of entities in some order. A position is (value, reference), the value None where there is none."""

    def slice(self, start: int, stop: int) -> Sequence[int]:
        """The ids at these places."""
        ...

    def rank(self, value: Any, ref: str, *, inclusive: bool) -> int:
        """How many come before a position (or at it)."""
        ...

    def value(self, entity_id: int) -> Key | None:
        """What an entity is sorted by."""
        ...


class ByRef:
    """By reference, up or down."""

    def __init__(self, state: State, where: BitMap, *, descending: bool) -> None:
        self._state, self._where, self._down, self._count = state, where, descending, len(where)

    def slice(self, start: int, stop: int) -> Sequence[int]:
        if not self._down:
            return self._state.by_ref.slice(self._where, start, stop)
        stop = min(stop, self._count)
        return self._state.by_ref.slice(self._where, self._count - stop, self._count - start)[::-1]

    def rank(self, value: str | None, ref: str, *, inclusive: bool) -> int:
        if not self._down:
            return self._state.by_ref.rank(self._where, ref, inclusive=inclusive)
        return self._count - self._state.by_ref.rank(self._where, ref, inclusive=not inclusive)

    def value(self, entity_id: int) -> str | None:
        return self._state.refs[entity_id]


class ByName:
    """By name, up or down."""

    def __init__(self, state: State, where: BitMap, *, descending: bool) -> None:
        self._state, self._where, self._down = state, where, descending
        self._order, self._count = state.by_name, len(where)

    def slice(self, start: int, stop: int) -> Sequence[int]:
        if not self._down:
            return self._order.slice(self._where, start, stop)
        stop = min(stop, self._count)
        if start >= stop:
            return []
        # Down is up read backwards, but for equal names: whole groups of them are taken and turned one by one.
        low = self._group(self._count - stop)[0]
        high = self._group(self._count - start - 1)[1]
        groups: dict[str | None, list[int]] = {}
        for one in self._order.slice(self._where, low, high):
            groups.setdefault(self.value(one), []).append(one)
        turned = [one for group in reversed(groups.values()) for one in group]
        first = self._count - high
        return turned[start - first : stop - first]

    def rank(self, value: str | None, ref: str, *, inclusive: bool) -> int:
        place = self._order.rank(self._where, f"{value}\0{ref}", inclusive=inclusive)
        if not self._down:
            return place
        low = self._order.rank(self._where, f"{value}\0")
        high = self._order.rank(self._where, f"{value}\1")
        return self._count - high + place - low

    def value(self, entity_id: int) -> str | None:
        return self._state.refs[entity_id].rpartition("/")[2]

    def _group(self, place: int) -> tuple[int, int]:
        name = self.value(self._order.slice(self._where, place, place + 1)[0])
        return self._order.rank(self._where, f"{name}\0"), self._order.rank(self._where, f"{name}\1")


class ByPath:
    """By the smallest value at a path, up or down, as text or by number."""

    def __init__(self, state: State, where: BitMap, path: Path, query: Query) -> None:
        self._state, self._where, self._down = state, where, query.descending
        self._segments: list[tuple[Key | None, BitMap]] = []
        left = where.copy()
        for key, bitmaps in _by_number(path) if query.numeric else path.ordered():
            here = left & (bitmaps[0] if len(bitmaps) == 1 else BitMap.union(*bitmaps))
            if here:
                self._segments.append((key, here))
                left -= here
        if query.descending:
            self._segments.reverse()
        if left:
            self._segments.append((None, left))

    def slice(self, start: int, stop: int) -> Sequence[int]:
        found: list[int] = []
        place = 0
        for _, bits in self._segments:
            if place >= stop:
                break
            if place + len(bits) > start:
                found.extend(self._state.by_ref.slice(bits, max(0, start - place), stop - place))
            place += len(bits)
        return found

    def rank(self, value: Any, ref: str, *, inclusive: bool) -> int:
        place = 0
        for other, bits in self._segments:
            if other == value:
                return place + self._state.by_ref.rank(bits, ref, inclusive=inclusive)
            if not self._before(other, value):
                return place
            place += len(bits)
        return place

    def value(self, entity_id: int) -> Key | None:
        return next(value for value, bits in self._segments if entity_id in bits)

    def _before(self, one: Any, other: Any) -> bool:
        if one is None or other is None:
            return other is None
        return bool(one > other if self._down else one < other)


def _by_number(path: Path) -> Iterator[tuple[float, list[BitMap]]]:
    """(number, bitmaps of the texts that write it) in order; texts that are none are left out."""
    found: dict[float, list[BitMap]] = {}
    for folded, bitmaps in path.ordered():
        number = number_of(folded)
        if number is not None:
            found.setdefault(number, []).extend(bitmaps)
    yield from sorted(found.items(), key=lambda item: item[0])
