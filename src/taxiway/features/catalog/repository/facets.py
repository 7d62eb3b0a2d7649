"""The dictionary of facets: every (path, value) has one number. Nothing here is ever removed: numbers are not reused.

A value is found by a short digest of its lower case, so that one narrow index serves both looking up a value and
reading everything at a path.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, not_, select

from taxiway.features.catalog.documents import Leaf
from taxiway.features.catalog.repository.bulk import insert_rows
from taxiway.features.catalog.repository.chunks import chunks
from taxiway.features.catalog.tables import facet, facet_key

LOOKUPS = 400
"""Values looked up in one statement."""
folded: ColumnElement[str] = func.coalesce(facet.c.folded, facet.c.value)
"""The value in lower case."""


@dataclass(frozen=True)
class Code:
    """A facet as it is stored."""

    id: int
    key: str
    value: str
    folded: str
    opaque: bool


def digest(value: str) -> int:
    """48 bits of a value in lower case."""
    return int.from_bytes(hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=6).digest(), "big")


def at_key(key: str) -> ColumnElement[bool]:
    """The facets at a path, given in lower case."""
    return facet.c.key_id == select(facet_key.c.id).where(facet_key.c.key == key).scalar_subquery()


def at_keys(keys: Sequence[str]) -> ColumnElement[bool]:
    """The facets at any of these paths."""
    return facet.c.key_id.in_(select(facet_key.c.id).where(facet_key.c.key.in_(keys)))


def equal(values: Sequence[str]) -> ColumnElement[bool]:
    """The value is one of these, given in lower case."""
    return and_(facet.c.digest.in_([digest(value) for value in values]), folded.in_(values), not_(facet.c.opaque))


def codes() -> Select[Any]:
    """Rows that `code_of` reads."""
    columns = (facet.c.id, facet_key.c.key, facet.c.value, folded.label("folded"), facet.c.opaque)
    return select(*columns).join(facet_key, facet_key.c.id == facet.c.key_id)


def code_of(row: Any) -> Code:
    """A row of `codes`."""
    return Code(row[0], row[1], row[2], row[3], bool(row[4]))


def numbers(conn: Connection, leaves: Iterable[Leaf]) -> dict[Leaf, int]:
    """The numbers of `leaves`; new ones get theirs. Writers of the catalog take turns: see `feed.take_turn`."""
    wanted = set(leaves)
    keys = _keys(conn, {key for key, _, _ in wanted})
    places = {leaf: (keys[leaf[0]], digest(leaf[1].lower())) for leaf in wanted}
    found = _known(conn, places)
    missing = sorted(wanted - found.keys())
    first = (conn.scalar(select(func.max(facet.c.id))) or 0) + 1 if missing else 0
    rows = []
    for number, leaf in enumerate(missing, first):
        lower = leaf[1].lower()
        rows.append((number, *places[leaf], leaf[1], None if lower == leaf[1] else lower, leaf[2]))
        found[leaf] = number
    insert_rows(conn, facet, ("id", "key_id", "digest", "value", "folded", "opaque"), rows)
    return found


def packed(ids: Iterable[int]) -> bytes:
    """The numbers of an entity's facets as they are stored with it: 32 bits each, ascending."""
    return array("I", sorted(ids)).tobytes()


def unpacked(data: Any) -> Sequence[int]:
    """What `packed` was given."""
    return array("I", bytes(data))


def _keys(conn: Connection, wanted: set[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for batch in chunks(wanted):
        rows = conn.execute(select(facet_key.c.key, facet_key.c.id).where(facet_key.c.key.in_(batch)))
        found.update({row[0]: row[1] for row in rows})
    missing = sorted(wanted - found.keys())
    first = (conn.scalar(select(func.max(facet_key.c.id))) or 0) + 1 if missing else 0
    new = {key: number for number, key in enumerate(missing, first)}
    insert_rows(conn, facet_key, ("id", "key"), [(number, key) for key, number in new.items()])
    return found | new


def _known(conn: Connection, places: Mapping[Leaf, tuple[int, int]]) -> dict[Leaf, int]:
    leaves = {(place[0], leaf[1], leaf[2]): leaf for leaf, place in places.items()}
    found: dict[Leaf, int] = {}
    for batch in chunks(sorted(set(places.values())), LOOKUPS):
        # Numbers only: nothing of a document comes into the statement.
        values = ",".join(f"({key_id:d},{one:d})" for key_id, one in batch)
        statement = (
            f"WITH wanted(key_id, digest) AS (VALUES {values}) "  # noqa: S608
            "SELECT f.id, f.key_id, f.value, f.opaque FROM wanted "
            "CROSS JOIN facet f WHERE f.key_id = wanted.key_id AND f.digest = wanted.digest"
        )
        for row in conn.exec_driver_sql(statement):
            leaf = leaves.get((row[1], row[2], bool(row[3])))
            if leaf is not None:
                found[leaf] = row[0]
    return found
