"""The dictionary of facets: every (path, value) has one number. Nothing here is ever removed: numbers are not reused.

A value is found by a short digest of its lower case, so that one narrow index serves both looking up a value and
reading everything at a path.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, not_, select, text

from taxiway.features.catalog.leaves import digest
from taxiway.features.catalog.repository import facets_postgresql, facets_sqlite
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
    turns: see `feed.take_turn`."""
    store = facets_postgresql if conn.dialect.name == "postgresql" else facets_sqlite
    return [number for some in _pieces(tables) for number in store.numbers(conn, some)]


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
