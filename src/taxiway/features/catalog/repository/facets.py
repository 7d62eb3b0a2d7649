"""The dictionary of facets: every (path, value) has one number. Nothing here is ever removed: numbers are not reused.

A value is found by a short digest of its lower case, so that one narrow index serves both looking up a value and
reading everything at a path.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Select, and_, func, not_, select, text

from taxiway.core.store.bulk import insert_rows
from taxiway.features.catalog.documents import Leaf
from taxiway.features.catalog.repository.chunks import given_numbers, given_texts, numbers_in, texts_in
from taxiway.features.catalog.tables import facet, facet_key

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


DIGEST_BITS = 48
DIGEST_MASK = (1 << DIGEST_BITS) - 1


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


def among(conn: Connection, ids: Collection[int], keys: Sequence[str]) -> list[Code]:
    """Those of the facets `ids` that are at one of `keys`."""
    if not ids:
        return []
    statement = codes().where(at_keys(keys), facet.c.id.in_(text(numbers_in(conn))))
    return [code_of(row) for row in conn.execute(statement, {"numbers": given_numbers(conn, ids)})]


def numbers(conn: Connection, leaves: Collection[Leaf]) -> dict[Leaf, int]:
    """The numbers of different `leaves`; new ones get theirs. Writers take turns: see `feed.take_turn`."""
    keys = _keys(conn, {leaf[0] for leaf in leaves})
    # In the order of the index, by one whole number each: pairs take three times as long to sort.
    places = {leaf: keys[leaf[0]] << DIGEST_BITS | digest(leaf[1].lower()) for leaf in leaves}
    wanted = sorted(places, key=places.__getitem__)
    found = _known(conn, [(places[leaf] >> DIGEST_BITS, places[leaf] & DIGEST_MASK, leaf) for leaf in wanted])
    missing = [leaf for leaf in wanted if leaf not in found] if len(found) < len(wanted) else []
    first = (conn.scalar(select(func.max(facet.c.id))) or 0) + 1 if missing else 0
    rows = []
    for number, leaf in enumerate(missing, first):
        _, value, opaque = leaf
        lower, place = value.lower(), places[leaf]
        folded = None if lower == value else lower
        rows.append((number, place >> DIGEST_BITS, place & DIGEST_MASK, value, folded, opaque))
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
    statement = f"SELECT key, id FROM facet_key WHERE key IN ({texts_in(conn)})"  # noqa: S608  no value in it
    found = {row[0]: row[1] for row in conn.execute(text(statement), {"texts": given_texts(conn, wanted)})}
    missing = sorted(wanted - found.keys())
    first = (conn.scalar(select(func.max(facet_key.c.id))) or 0) + 1 if missing else 0
    new = {key: number for number, key in enumerate(missing, first)}
    insert_rows(conn, facet_key, ("id", "key"), [(number, key) for key, number in new.items()])
    return found | new


def _known(conn: Connection, wanted: Sequence[tuple[int, int, Leaf]]) -> dict[Leaf, int]:
    # Numbers go in and one text comes out: SQLite is asked once for all of them, and not row by row either.
    sqlite = conn.dialect.name == "sqlite"
    leaves = {(key_id, leaf[1], leaf[2]): leaf for key_id, _, leaf in wanted}
    if sqlite:
        rows = orjson.loads(conn.scalar(_BY_DIGEST, {"places": orjson.dumps([one[:2] for one in wanted]).decode()}))
    else:
        keys, digests = [one[0] for one in wanted], [one[1] for one in wanted]
        rows = conn.execute(_BY_ARRAYS, {"keys": keys, "digests": digests})
    found: dict[Leaf, int] = {}
    for number, key_id, value, opaque in rows:
        leaf = leaves.get((key_id, value, bool(opaque)))
        if leaf is not None:
            found[leaf] = number
    return found


_BY_DIGEST = text("""
    SELECT json_group_array(json_array(f.id, f.key_id, f.value, f.opaque))
    FROM json_each(:places) AS place CROSS JOIN facet AS f
    WHERE f.key_id = json_extract(place.value, '$[0]') AND f.digest = json_extract(place.value, '$[1]')
""")
_BY_ARRAYS = text("""
    SELECT f.id, f.key_id, f.value, f.opaque
    FROM unnest(CAST(:keys AS bigint[]), CAST(:digests AS bigint[])) AS place(key_id, digest)
    JOIN facet AS f ON f.key_id = place.key_id AND f.digest = place.digest
""")
