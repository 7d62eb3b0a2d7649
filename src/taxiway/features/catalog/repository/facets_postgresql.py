"""The numbers of facets on PostgreSQL. It would take twice as long over a table of leaves as JSON as the interpreter
does over the rows that it answers. Called by `facets.numbers` alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, func, select, text

from taxiway.core.store.bulk import insert_rows
from taxiway.features.catalog.repository.chunks import array_of, given_texts, texts_in
from taxiway.features.catalog.tables import facet, facet_key

Place = tuple[int, int, str, bool]
"""(path, digest, value, opaque): by this a facet is known."""


def numbers(conn: Connection, table: bytes) -> list[int]:
    """The numbers of the leaves of a table, in their order; new ones get theirs."""
    leaves = orjson.loads(table)
    keys = _keys(conn, {leaf[0] for leaf in leaves})
    places = [(keys[path], digest, value, bool(opaque)) for path, digest, value, _, opaque in leaves]
    found = _known(conn, places)
    missing = {place: leaf[3] for place, leaf in zip(places, leaves, strict=True) if place not in found}
    if missing:
        first = (conn.scalar(select(func.max(facet.c.id))) or 0) + 1
        new = dict(zip(sorted(missing), range(first, first + len(missing)), strict=True))
        rows = [(number, *place[:3], missing[place], place[3]) for place, number in new.items()]
        insert_rows(conn, facet, ("id", "key_id", "digest", "value", "folded", "opaque"), rows)
        found |= new
    return [found[place] for place in places]


def _keys(conn: Connection, wanted: set[str]) -> dict[str, int]:
    statement = f"SELECT key, id FROM facet_key WHERE key IN ({texts_in(conn)})"  # noqa: S608  no value in it
    found = {row[0]: row[1] for row in conn.execute(text(statement), {"texts": given_texts(conn, wanted)})}
    missing = sorted(wanted - found.keys())
    first = (conn.scalar(select(func.max(facet_key.c.id))) or 0) + 1 if missing else 0
    new = {key: number for number, key in enumerate(missing, first)}
    insert_rows(conn, facet_key, ("id", "key"), [(number, key) for key, number in new.items()])
    return found | new


def _known(conn: Connection, places: Sequence[Place]) -> dict[Place, int]:
    wanted = sorted({place[:2] for place in places})
    keys, digests = array_of(one[0] for one in wanted), array_of(one[1] for one in wanted)
    rows: Any = conn.execute(_KNOWN, {"keys": keys, "digests": digests})
    return {(key_id, digest, value, opaque): number for number, key_id, digest, value, opaque in rows}


_KNOWN = text("""
    SELECT f.* FROM unnest(CAST(:keys AS integer[]), CAST(:digests AS bigint[])) AS place(key_id, digest)
    CROSS JOIN LATERAL (
        SELECT id, key_id, digest, value, opaque FROM facet
        WHERE facet.key_id = place.key_id AND facet.digest = place.digest OFFSET 0
    ) AS f
""")
"""With the offset it looks each place up. A join it takes for one that should read the whole table, each time."""
