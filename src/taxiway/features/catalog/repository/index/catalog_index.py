"""The index of one process: made in the background, shared by its threads, as fresh as the snapshot of each read.

`reading()` is the only way in. It yields a `View` that stands at the snapshot of its connection, or None while there
is no index: then SQL answers. Nothing is ever answered from an older state than the store's.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pyroaring import BitMap
from sqlalchemy import Connection, func, select

from taxiway.core.store.database import Store
from taxiway.core.store.watch import CommitWatch
from taxiway.features.catalog.repository import reading
from taxiway.features.catalog.repository.filters import RELATIONS, Clause
from taxiway.features.catalog.repository.grammar import read_filters, read_predicate
from taxiway.features.catalog.repository.index.bits import NAME, UID, Bits
from taxiway.features.catalog.repository.index.sorting import ByName, ByPath, ByRef, Places
from taxiway.features.catalog.repository.index.state import State, UnheldError
from taxiway.features.catalog.repository.query import Query
from taxiway.features.catalog.tables import entity

AT_ONCE = 20_000
"""Up to so many entities an index is made while its first reader waits: a fraction of a second."""
MOST_FILTERED = 128
"""What so many filters let through is kept until something changes: at 250,000 entities at most 32 KB each."""
BY_SQL = ("metadata.title", UID)
"""Orders that only SQL has: nearly every entity has a value of its own."""


@dataclass(frozen=True)
class View:
    """The index at one snapshot. Valid until `reading` ends. Without a connection, UnheldError where one is needed."""

    state: State
    conn: Connection | None

    def where(self, query: Query, scope: Clause | None) -> BitMap:
        """The entities of a query that `scope` lets through; None lets everything through."""
        bits = Bits(self.state, self.conn, scope)
        parts = [self._filtered(bits, query.filters) if scope is None else read_filters(bits, query.filters)]
        if query.predicate is not None:
            parts.append(read_predicate(bits, query.predicate))
        if query.term:
            parts.append(bits.containing(query.searched_fields, query.term))
        if scope is not None:
            parts.append(bits.visible(scope))
        return bits.all_of(parts)

    def _filtered(self, bits: Bits, filters: Sequence[str]) -> BitMap:
        # The pages of one list, and the facets beside it, ask for the same.
        kept, key = self.state.filtered, tuple(filters)
        if key not in kept:
            found = read_filters(bits, filters)
            if len(kept) >= MOST_FILTERED:
                kept.clear()
            kept[key] = found
        return kept[key]

    def places(self, query: Query, where: BitMap) -> Places | None:
        """The entities of `where` in the order of a query; None for an order that only SQL has."""
        key = query.sort.lower() if query.sort is not None else None
        if query.numeric and key in (NAME, None):
            return None
        if key is None:
            return ByRef(self.state, where, descending=query.descending)
        if key == NAME:
            return ByName(self.state, where, descending=query.descending)
        path = None if key in BY_SQL else self.state.path(self.conn, key)
        return None if path is None else ByPath(self.state, where, path, query)

    def texts(self, ids: Sequence[int]) -> list[str]:
        """Documents as JSON text, in the order of `ids`."""
        kept = self.state.texts
        found = {ref: kept.get(ref) for ref in map(self.state.refs.__getitem__, ids)}
        missing = [one for one in ids if found[self.state.refs[one]] is None]
        if missing:
            if self.conn is None:
                raise UnheldError
            read = reading.texts_by_ids(self.conn, missing)
            kept.keep(read)
            found.update(read)
        return [text for text in found.values() if text is not None]

    def size(self, keys: Sequence[str]) -> int:
        """How many values there are at `keys` that are held."""
        paths = (self.state.path(self.conn, key.lower()) for key in keys if key.lower() not in (NAME, UID))
        return sum(len(path.by_id) for path in paths if path is not None)

    def counts(self, key: str, where: BitMap) -> dict[str, int] | None:
        """How many of `where` have each value at `key`, as written; None when the path is not held."""
        if key in (NAME, UID) or key.startswith(RELATIONS):
            return None
        path = self.state.path(self.conn, key)
        if path is None:
            return None
        counts: dict[str, int] = {}
        whole = len(where) == len(self.state.everything)
        for value in path.comparable():
            count = len(value.bits) if whole else value.bits.intersection_cardinality(where)
            if count:
                counts[value.value] = counts.get(value.value, 0) + count
        return counts


class CatalogIndex:
    """Holds the state and its lock."""

    def __init__(self, store: Store, watch: CommitWatch, log: Any) -> None:
        self._store, self._watch, self._log = store, watch, log
        self._version: int | None = None
        self._lock = threading.Lock()
        self._state: State | None = None
        self._making: threading.Thread | None = None

    @contextmanager
    def reading(self) -> Iterator[tuple[Connection, View | None]]:
        """A read-only connection, and the index at its snapshot."""
        # The snapshot is taken with the lock held: another thread's later one cannot have moved the state past it.
        with self._lock:
            version = self._watch.version()
            with self._store.read() as conn:
                state = self._at(conn)
                self._version = version
                yield conn, None if state is None else View(state, conn)

    @contextmanager
    def at_once(self) -> Iterator[View | None]:
        """The index without the store, for a caller that must not wait: None unless it is known to be at the store's
        last commit. Raises UnheldError, inside, where the store is needed."""
        if not self._lock.acquire(blocking=False):
            yield None
            return
        try:
            state = self._state
            yield View(state, None) if state is not None and self._is_fresh(state) else None
        finally:
            self._lock.release()

    def _is_fresh(self, state: State) -> bool:
        version = self._watch.version()
        if version is None or version != self._version:
            # Somebody committed, or may have; most commits are not about the catalog.
            if self._watch.newest("index_change", "seq") != state.seq:
                return False
            self._version = version
        return True

    def warm(self) -> None:
        """Begin to make the index of a large catalog; that of a small one is made by its first reader."""
        with self._lock, self._store.read() as conn:
            if self._state is None and self._is_large(conn):
                self._make_aside()

    def wait(self, seconds: float) -> bool:
        """Whether the index is there, at the latest after `seconds`."""
        making = self._making
        if making is not None:
            making.join(seconds)
        return self._state is not None

    def _at(self, conn: Connection) -> State | None:
        if self._state is not None and self._state.follow(conn):
            return self._state
        self._state = None
        if self._making is not None and self._making.is_alive():
            return None
        if self._is_large(conn):
            self._make_aside()
        else:
            self._state = State(conn)
        return self._state

    def _is_large(self, conn: Connection) -> bool:
        return (conn.scalar(select(func.max(entity.c.id))) or 0) > AT_ONCE

    def _make_aside(self) -> None:
        if self._making is None or not self._making.is_alive():
            self._making = threading.Thread(target=self._make, name="catalog-index", daemon=True)
            self._making.start()

    def _make(self) -> None:
        try:
            with self._store.read() as conn:
                state = State(conn)
        except Exception as error:
            self._log.warning("catalog.index_not_made", error=str(error))
            return
        with self._lock:
            # What others read in the meantime may have been committed after the snapshot that this was made from.
            self._state, self._version = state, None
