"""How many of a set of entities have each entity as the target of a relation, in one walk over what was stated."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from pyroaring import BitMap
from sqlalchemy import Connection, text

AT_ONCE = 10_000
"""Rows that are read together."""


@dataclass
class Counts:
    """Of one type: by the target's id, and by its reference where there is no such entity."""

    by_id: array[int]
    loose: Counter[str] = field(default_factory=Counter)
    pairs: set[int] | None = None
    """What is counted, where both sides state relations: what both of them say counts once."""

    def add(self, source: int, target: int) -> None:
        """Count a relation from one entity to another."""
        if self.pairs is not None:
            pair = source << 32 | target
            if pair in self.pairs:
                return
            self.pairs.add(pair)
        self.by_id[target] += 1

    def named(self, refs: Mapping[int, str]) -> dict[str, int]:
        """Counts by reference."""
        return {refs[id_]: count for id_, count in enumerate(self.by_id) if count} | self.loose


def related_counts(
    conn: Connection, refs: Mapping[int, str], types: Mapping[str, str], where: BitMap, visible: BitMap | None
) -> dict[str, Counts]:
    """Counts by relation type, for `types`, which are given with their inverses. `refs` are all entities (id →
    reference), `where` those that are asked about; one that states the inverse itself counts if it is `visible` (None:
    all are)."""
    there = set(conn.scalars(text("SELECT DISTINCT type FROM relation")))
    size = max(refs, default=0) + 1
    counts = {type_: Counts(array("I", bytes(4 * size))) for type_ in types}
    for type_, inverse in types.items():
        if {type_, inverse} <= there:
            counts[type_].pairs = set()
    asked = sorted(there & {*types, *types.values()})
    plan = {
        one: (counts.get(one), [counts[type_] for type_, inverse in types.items() if inverse == one]) for one in asked
    }
    ids = {ref: id_ for id_, ref in refs.items()} if plan else {}
    for type_, target, source in _stated(conn, asked):
        stated, received = plan[type_]
        other = ids.get(target)
        if stated is not None and source in where:
            if other is None:
                stated.loose[target] += 1
            else:
                stated.add(source, other)
        if other is not None and other in where and (visible is None or source in visible):
            for one in received:
                one.add(other, source)
    return counts


def _stated(conn: Connection, types: list[str]) -> Iterator[tuple[str, str, int]]:
    # Hundreds of thousands of rows, and one walk over them for all types: in a store that was just written each walk
    # reads the log that is not in its place yet.
    if types:
        yield from (_from_postgresql if conn.dialect.name == "postgresql" else _from_sqlite)(conn, types)


def _from_postgresql(conn: Connection, types: list[str]) -> Iterator[tuple[str, str, int]]:
    # The driver's own cursor gives them in a third of the time.
    driver: Any = conn.connection.driver_connection
    with driver.cursor("related") as cursor:
        cursor.itersize = AT_ONCE
        cursor.execute("SELECT type, target, source_id FROM relation WHERE type = ANY(%s)", (types,))
        yield from cursor


def _from_sqlite(conn: Connection, types: list[str]) -> Iterator[tuple[str, str, int]]:
    # Row by row the driver lets go of the interpreter's lock, and waits up to 5 ms for it where others have work.
    last: tuple[int, str, str] = (0, "", "")
    while True:
        given = {"types": orjson.dumps(types).decode(), "source": last[0], "type": last[1], "target": last[2]}
        texts = conn.execute(_SOME, given).one()
        sources, names, targets = map(orjson.loads, texts)
        yield from zip(names, targets, sources, strict=True)
        if len(sources) < AT_ONCE:
            return
        last = sources[-1], names[-1], targets[-1]


_SOME = text(f"""
    SELECT json_group_array(source_id), json_group_array(type), json_group_array(target) FROM (
        SELECT source_id, type, target FROM relation
        WHERE (source_id, type, target) > (:source, :type, :target)
            AND type IN (SELECT value FROM json_each(:types))
        ORDER BY source_id, type, target LIMIT {AT_ONCE}
    )""")  # noqa: S608  a number of our own
