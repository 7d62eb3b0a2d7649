"""What a list asks for and what a page of it is, with the cursors between pages.

A cursor carries the whole query and the position, as Backstage's does; it grants nothing, since every page is judged
by the caller's own scope.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from pydantic import TypeAdapter

from taxiway.model.errors import InputError


@dataclass(frozen=True)
class Query:
    """What a list asks for; `position` is (sort value, ref) of the row that the page begins behind. `numeric` orders by
    number: what is none comes last."""

    filters: Sequence[str] = ()
    predicate: Any = None
    term: str = ""
    term_fields: Sequence[str] = ()
    sort: str | None = None
    descending: bool = False
    backwards: bool = False
    position: Sequence[Any] | None = None
    total: int | None = None
    numeric: bool = False

    @property
    def searched_fields(self) -> list[str]:
        """Where `term` is looked for."""
        return [name.lower() for name in self.term_fields] or [self.sort or "metadata.uid"]


_READER = TypeAdapter(Query)


@dataclass(frozen=True)
class Listed:
    """A page of documents as JSON text, with cursors to its neighbours."""

    items: Sequence[str] = field(default_factory=list)
    total: int = 0
    next_cursor: str | None = None
    previous_cursor: str | None = None


@dataclass(frozen=True)
class Row:
    """An entity on a page: what it is sorted by, and its reference."""

    id: int
    value: str | float | None
    ref: str


NUMBER = "number"


def read_order(*given: str) -> Mapping[str, Any]:
    """What an order says of a `Query`: `asc:path` on /entities, `path,asc` on by-query, `path,desc,number` by number.
    Whichever part is a direction is one."""
    parts = [part.strip() for part in given if part.strip()]
    numeric = len(parts) == 3 and parts[2] == NUMBER
    parts = parts[:2] if numeric else parts
    directions = [part for part in parts if part in ("asc", "desc")]
    paths = [part for part in parts if part not in ("asc", "desc")]
    if len(paths) > 1 or (directions and not paths):
        raise InputError("order is asc:<path> or desc:<path>; orderField is <path>,asc", code="catalog.bad_order")
    return {"sort": paths[0] if paths else None, "descending": directions == ["desc"], "numeric": numeric}


def encode(query: Query) -> str:
    """The cursor text of a query."""
    return base64.b64encode(orjson.dumps(query)).decode()


def decode(cursor: str) -> Query:
    """The query in a cursor. InputError when it was not made here."""
    try:
        return read_query(orjson.loads(base64.b64decode(cursor, validate=True)))
    except (binascii.Error, ValueError, TypeError) as error:
        raise InputError("the cursor is not one of ours: start again without it", code="catalog.bad_cursor") from error


def read_query(values: Any) -> Query:
    """The query in the values of a cursor. ValueError when a cursor of ours could not have them."""
    query = _READER.validate_json(orjson.dumps(values), strict=True)
    if "filters" not in values or (query.position is not None and len(query.position) != 2):
        raise ValueError
    return query


def listed(query: Query, items: Sequence[str], rows: Sequence[Row], total: int, *, more: bool, offset: int) -> Listed:
    """The page of `rows`, in order. `more` says that there are others in the direction that was read."""
    if not rows:
        return Listed(items, total)
    base = replace(query, total=total)
    first = encode(replace(base, backwards=True, position=[rows[0].value, rows[0].ref]))
    last = encode(replace(base, backwards=False, position=[rows[-1].value, rows[-1].ref]))
    has_next = more or query.backwards
    has_previous = more if query.backwards else query.position is not None or offset > 0
    return Listed(items, total, last if has_next else None, first if has_previous else None)
