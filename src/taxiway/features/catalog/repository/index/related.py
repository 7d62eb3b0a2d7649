"""How many of a set of entities have each entity as the target of a relation, in one walk over what was stated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from pyroaring import BitMap
from sqlalchemy import Connection


def related_counts(
    conn: Connection, refs: Mapping[int, str], type_: str, inverse: str, where: BitMap, visible: BitMap | None
) -> dict[str, int]:
    """Counts by reference of the target. `refs` are all entities (id → reference); an entity that states the `inverse`
    itself counts if it is `visible` (None: all are). What both sides state counts once."""
    wanted = {refs[one] for one in where}
    stated = ((refs[source], target) for target, source in _stated(conn, type_) if source in where)
    received = (
        (target, refs[source])
        for target, source in _stated(conn, inverse)
        if target in wanted and (visible is None or source in visible)
    )
    first = next(stated, None)
    if first is None:
        return Counter(value for _, value in received)
    other = next(received, None)
    if other is None:
        return Counter(value for _, value in chain([first], stated))
    return Counter(value for _, value in {first, other, *stated, *received})


def _stated(conn: Connection, type_: str) -> Iterator[tuple[str, int]]:
    # Hundreds of thousands of rows: the driver's own cursor gives them in a third of the time.
    mark = "%s" if conn.dialect.name == "postgresql" else "?"
    cursor: Any = conn.connection.cursor()
    try:
        cursor.execute(f"SELECT target, source_id FROM relation WHERE type = {mark}", (type_,))  # noqa: S608  a mark only
        yield from cursor
    finally:
        cursor.close()
