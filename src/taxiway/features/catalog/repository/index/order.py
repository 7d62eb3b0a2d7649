"""Entities in the order of their references or names, in blocks that can be skipped by counting.

A block holds some hundred ids in order, and the same ids as a bitmap: how many of a set lie in a block is one
intersection, so a page at any depth costs a walk over the blocks, not over the entities.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter

from pyroaring import BitMap

BLOCK = 500
REBUILD, REBUILD_SHARE = 200, 8
"""From so many new ids on, and such a share of all, sorting everything again is cheaper than putting each in its
place."""


def by_ref(ref: str) -> str:
    """The key of the order by reference."""
    return ref


def by_name(ref: str) -> str:
    """The key of the order by name: equal names are in the order of their references."""
    return f"{ref.rpartition('/')[2]}\0{ref}"


class Order:
    """Ids by `key` of their reference. `refs` (id → reference) is the caller's: an id is in it while it is here."""

    def __init__(self, refs: Mapping[int, str], key: Callable[[str], str]) -> None:
        self._refs, self._key = refs, key
        self._ids: list[array[int]] = []
        self._bits: list[BitMap] = []
        self._firsts: list[str] = []
        self._build(refs)

    def add(self, ids: Sequence[int]) -> None:
        """Put new ids in their places."""
        if len(ids) >= max(REBUILD, len(self._refs) // REBUILD_SHARE):
            self._build(self._refs)
            return
        for one in ids:
            self._insert(one)

    def remove(self, ids: Iterable[int]) -> None:
        """Take ids out, while `refs` still has them."""
        for one in ids:
            at = self._block(self._key(self._refs[one]))
            if at < len(self._ids) and one in self._bits[at]:
                self._ids[at].remove(one)
                self._bits[at].remove(one)
                if not self._ids[at]:
                    del self._ids[at], self._bits[at], self._firsts[at]

    def slice(self, where: BitMap, start: int, stop: int) -> list[int]:
        """The ids at places `start` to `stop` of `where` in this order."""
        found: list[int] = []
        place = 0
        for ids, bits in zip(self._ids, self._bits, strict=True):
            if place >= stop:
                break
            count = bits.intersection_cardinality(where)
            if count and place + count > start:
                here = ids if count == len(ids) else filter(where.__contains__, ids)
                found.extend(islice(here, max(0, start - place), stop - place))
            place += count
        return found

    def rank(self, where: BitMap, key: str, *, inclusive: bool = False) -> int:
        """How many of `where` come before `key` (or at it)."""
        place = 0
        for number, (ids, bits) in enumerate(zip(self._ids, self._bits, strict=True)):
            if number + 1 < len(self._firsts) and self._firsts[number + 1] <= key:
                place += bits.intersection_cardinality(where)
                continue
            bisect = bisect_right if inclusive else bisect_left
            end = bisect(ids, key, key=self._key_of)
            return place + sum(map(where.__contains__, ids[:end]))
        return place

    def between(self, low: str, high: str) -> Iterator[int]:
        """Ids whose key is at least `low` and below `high`."""
        for number in range(self._block(low), len(self._ids)):
            if self._firsts[number] >= high:
                return
            ids = self._ids[number]
            yield from ids[bisect_left(ids, low, key=self._key_of) : bisect_left(ids, high, key=self._key_of)]

    def _key_of(self, one: int) -> str:
        return self._key(self._refs[one])

    def _block(self, key: str) -> int:
        return max(0, bisect_right(self._firsts, key) - 1)

    def _build(self, refs: Mapping[int, str]) -> None:
        pairs = sorted([(self._key(ref), one) for one, ref in refs.items()], key=itemgetter(0))
        self._ids, self._bits, self._firsts = [], [], []
        for start in range(0, len(pairs), BLOCK):
            self._place(len(self._ids), [one for _, one in pairs[start : start + BLOCK]], pairs[start][0])

    def _place(self, at: int, ids: Sequence[int], first: str) -> None:
        self._ids.insert(at, array("L", ids))
        self._bits.insert(at, BitMap(ids))
        self._firsts.insert(at, first)

    def _insert(self, one: int) -> None:
        key = self._key_of(one)
        if not self._ids:
            self._place(0, [one], key)
            return
        at = self._block(key)
        ids = self._ids[at]
        place = bisect_left(ids, key, key=self._key_of)
        ids.insert(place, one)
        self._bits[at].add(one)
        if place == 0:
            self._firsts[at] = key
        if len(ids) > 2 * BLOCK:
            whole = list(ids)
            del self._ids[at], self._bits[at], self._firsts[at]
            for number, start in enumerate((0, BLOCK)):
                part = whole[start : start + BLOCK] if number == 0 else whole[start:]
                self._place(at + number, part, self._key_of(part[0]))
