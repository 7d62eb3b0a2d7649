"""The dictionary of facets: every (path, value) has one number. Nothing here is ever removed: numbers are not reused.

A value is found by a short digest of its lower case, so that one narrow index serves both looking up a value and
reading everything at a path.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Select, and_, func, not_, select, text

from taxiway.features.catalog.leaves import digest
from taxiway.features.catalog.repository import facets_postgresql
from taxiway.features.catalog.repository.chunks import given_numbers, numbers_in
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


AT_ONCE = 8_000_000
"""Bytes of leaves that are looked up by one statement."""


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


def numbers(conn: Connection, tables: Iterable[bytes]) -> list[int]:
    """The numbers of the leaves in tables (see `leaves.table_of`), in their order; new ones get theirs. Writers take
    turns: see `feed.take_turn`.

    SQLite does all of it, because it does so without the interpreter's lock: meanwhile documents are read.
    """
    found: list[int] = []
    for some in _pieces(tables):
        if conn.dialect.name == "postgresql":
            found += facets_postgresql.numbers(conn, some)
            continue
        rows = {"rows": some.decode()}
        for statement in _STATEMENTS:
            conn.execute(statement, rows)
        found += orjson.loads(conn.scalar(_NUMBERS, rows))
        conn.execute(_EMPTY)
    return found


def _pieces(tables: Iterable[bytes]) -> Iterator[bytes]:
    some: list[bytes] = []
    for rows in (table[1:-1] for table in tables if len(table) > len(b"[]")):
        if some and sum(map(len, some)) + len(rows) > AT_ONCE:
            yield b"[%b]" % b",".join(some)
            some = []
        some.append(rows)
    if some:
        yield b"[%b]" % b",".join(some)


def packed(ids: Iterable[int]) -> bytes:
    """The numbers of an entity's facets as they are stored with it: 32 bits each, ascending."""
    return array("I", sorted(ids)).tobytes()


def unpacked(data: Any) -> Sequence[int]:
    """What `packed` was given."""
    return array("I", bytes(data))


_FIELDS = "path, digest, value, folded, opaque"
_FILL = (
    text(f"CREATE TEMP TABLE IF NOT EXISTS given ({_FIELDS})"),
    text(
        f"INSERT INTO given ({_FIELDS})"  # noqa: S608
        " SELECT value->>0, value->>1, value->>2, value->>3, value->>4 FROM json_each(:rows)"
    ),
)
_EMPTY = text("DELETE FROM given")
# Not a JOIN: SQLite takes the tables of a CROSS JOIN in their order.
_LEAVES = "given AS g CROSS JOIN facet_key AS k WHERE k.key = g.path"
_KNOWN = """(
    SELECT f.id FROM facet AS f
    WHERE f.key_id = k.id AND f.digest = g.digest AND f.value = g.value AND f.opaque = g.opaque
)"""
_NEW_PATHS = """
    INSERT INTO facet_key (id, key)
    SELECT (SELECT coalesce(max(id), 0) FROM facet_key) + row_number() OVER (ORDER BY path), path
    FROM (SELECT DISTINCT path FROM given) AS found
    WHERE NOT EXISTS (SELECT 1 FROM facet_key AS k WHERE k.key = found.path)"""
_NEW = f"""
    INSERT INTO facet (key_id, digest, value, folded, opaque)
    SELECT DISTINCT k.id AS key_id, g.digest, g.value, g.folded, g.opaque FROM {_LEAVES} AND NOT EXISTS {_KNOWN}
    ORDER BY 1, 2"""  # noqa: S608
_STATEMENTS = (*_FILL, text(_NEW_PATHS), text(_NEW))
_NUMBERS = text(f"SELECT json_group_array({_KNOWN}) FROM {_LEAVES}")  # noqa: S608
