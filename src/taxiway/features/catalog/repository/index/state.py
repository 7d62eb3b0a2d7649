"""What the index holds at one place of the feed: references, two orders, and the paths that are asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from pyroaring import BitMap
from sqlalchemy import Connection, select

from taxiway.features.catalog.repository import facets
from taxiway.features.catalog.repository.index import feed
from taxiway.features.catalog.repository.index.feed import DELETE, INSERT, MANY, TOUCH, Change
from taxiway.features.catalog.repository.index.order import Order, by_name, by_ref
from taxiway.features.catalog.repository.index.texts import Texts
from taxiway.features.catalog.repository.index.values import Path, Value, load
from taxiway.features.catalog.tables import entity, entity_doc

MAX_PATHS = 64
MAX_BEHIND = 10_000
MOST_DOCUMENTS, MOST_ANSWERS = 32_000_000, 16_000_000
"""Characters of documents, and bytes of whole answers, that are kept until something changes."""
USUAL = (
    "kind",
    "metadata.namespace",
    "metadata.tags",
    "spec.type",
    "spec.lifecycle",
    "spec.owner",
    "spec.system",
)
"""Paths that are read when the index is made: lists and facets ask for them first."""


class UnheldError(Exception):
    """An answer needs the store."""


class State:
    """Made from one snapshot. Not for several threads at once: its owner has a lock."""

    def __init__(self, conn: Connection) -> None:
        self.seq = feed.last_seq(conn)
        self.refs: dict[int, str] = {row[0]: row[1] for row in conn.execute(select(entity.c.id, entity.c.ref))}
        self.everything = BitMap(self.refs)
        self.by_ref, self.by_name = Order(self.refs, by_ref), Order(self.refs, by_name)
        self._paths: OrderedDict[str, Path | None] = OrderedDict()
        self._homes: dict[int, Path] = {}
        self.texts, self.answers = Texts[str](MOST_DOCUMENTS), Texts[bytes](MOST_ANSWERS)
        self.filtered: dict[tuple[str, ...], BitMap] = {}
        for key in USUAL:
            self.path(conn, key)

    def path(self, conn: Connection | None, key: str) -> Path | None:
        """The values at `key`, read now when they were not yet; None when there are too many to be held. Without a
        connection, UnheldError when they were not read yet."""
        if key in self._paths:
            self._paths.move_to_end(key)
            return self._paths[key]
        if conn is None:
            raise UnheldError
        found = load(conn, key)
        if found is not None and not found.by_id and key not in USUAL:
            return found  # nobody has it: not worth a place
        self._paths[key] = found
        if found is not None:
            self._homes.update(dict.fromkeys(found.by_id, found))
        if len(self._paths) > MAX_PATHS:
            self._forget_one()
        return found

    def _forget_one(self) -> None:
        oldest = next(key for key in self._paths if key not in USUAL)
        dropped = self._paths.pop(oldest)
        for facet_id in dropped.by_id if dropped is not None else ():
            del self._homes[facet_id]

    def follow(self, conn: Connection) -> bool:
        """Come up to the snapshot of `conn`. False when that is too far away: make a new state."""
        newest = feed.last_seq(conn)
        if newest == self.seq:
            return True
        rows = feed.behind(conn, self.seq, MAX_BEHIND)
        if rows is None or newest < self.seq or sum(change.count for _, change in rows) > 2 * MAX_BEHIND:
            return False
        self._apply(conn, [change for _, change in rows])
        self.seq = newest
        return True

    def _apply(self, conn: Connection, changes: Sequence[Change]) -> None:
        # A run of inserts goes in at once; anything else in the order in which it happened.
        self.texts.clear()
        self.answers.clear()
        self.filtered.clear()
        inserted: list[Change] = []
        for change in changes:
            if change.op == TOUCH:
                continue
            if change.op == MANY:
                inserted.extend(self._many(conn, change.entity_id, int(change.ref)))
                continue
            if change.op == INSERT:
                inserted.append(change)
                continue
            self._insert(conn, inserted)
            inserted = []
            for facet_id in change.removed:
                home = self._homes.get(facet_id)
                if home is not None:
                    home.by_id[facet_id].bits.discard(change.entity_id)
            if change.op == DELETE:
                self._delete(change.entity_id)
            else:
                self._add_facets(conn, [change])
        self._insert(conn, inserted)

    def _many(self, conn: Connection, first: int, last: int) -> list[Change]:
        # They are read as they are now: later changes of them follow in the feed, and may find that they are in place.
        columns = (entity.c.id, entity.c.ref, entity_doc.c.facets)
        rows = select(*columns).join(entity_doc, entity_doc.c.entity_id == entity.c.id)
        found = conn.execute(rows.where(entity.c.id.between(first, last)))
        return [Change(row[0], INSERT, row[1], facets.unpacked(row[2])) for row in found]

    def _insert(self, conn: Connection, changes: Sequence[Change]) -> None:
        new = [change for change in changes if change.entity_id not in self.refs]
        if not new:
            return
        ids = [change.entity_id for change in new]
        self.refs.update((change.entity_id, change.ref) for change in new)
        self.everything.update(ids)
        self.by_ref.add(ids)
        self.by_name.add(ids)
        self._add_facets(conn, new)

    def _delete(self, entity_id: int) -> None:
        if entity_id in self.refs:
            self.by_ref.remove([entity_id])
            self.by_name.remove([entity_id])
            self.everything.discard(entity_id)
            del self.refs[entity_id]

    def _add_facets(self, conn: Connection, changes: Sequence[Change]) -> None:
        unknown: dict[int, list[int]] = {}
        for change in changes:
            for facet_id in change.added:
                home = self._homes.get(facet_id)
                if home is not None:
                    home.by_id[facet_id].bits.add(change.entity_id)
                else:
                    unknown.setdefault(facet_id, []).append(change.entity_id)
        for code in facets.among(conn, unknown, [key for key, path in self._paths.items() if path is not None]):
            path = self._paths[code.key]
            if path is not None:
                path.put(code.id, Value(code.value, code.folded, code.opaque, BitMap(unknown[code.id])))
                self._homes[code.id] = path
