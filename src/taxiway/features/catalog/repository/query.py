"""What a list asks for and what a page of it is, with the cursors between pages.

A cursor carries the whole query and the position, as Backstage's does; it grants nothing, since every page is judged
by the caller's own scope.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import TypeAdapter

from taxiway.core.cursors import bad_cursor
from taxiway.model.errors import InputError

Position = tuple[str | float | None, str]
"""(sort value, reference) of an entity in a list."""


@dataclass(frozen=True)
class Query:
    """What a list asks for; the page begins behind `position`. `numeric` orders by number: what is none comes last."""

    filters: Sequence[str] = ()
    predicate: Any = None
    term: str = ""
    term_fields: Sequence[str] = ()
    sort: str | None = None
    descending: bool = False
    backwards: bool = False
    position: Position | None = None
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
class Found:
    """The entities of a page in the order that was read, one more than the page takes when there are more, and how many
    there are in all."""

    ids: Sequence[int]
    total: int
    at: Callable[[int], Position]


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


def encode(query: Query, **others: Any) -> str:
    """The cursor text of a query, with `others` in place of its own fields."""
    return base64.b64encode(orjson.dumps({**vars(query), **others})).decode()


def decode(cursor: str) -> Query:
    """The query in a cursor. InputError when it was not made here."""
    try:
        return _read(binascii.a2b_base64(cursor, strict_mode=True))
    except ValueError as error:
        raise bad_cursor() from error


def read_query(values: Any) -> Query:
    """The query in the values of a cursor. ValueError when a cursor of ours could not have them."""
    return _read(orjson.dumps(values))


def _read(text: bytes) -> Query:
    query = _READER.validate_json(text, strict=True)
    if b'"filters"' not in text:
        raise ValueError
    return query


def listed(
    query: Query, found: Found, texts: Callable[[Sequence[int]], Sequence[str]], *, limit: int, offset: int
) -> Listed:
    """The page of what was found, with the documents that `texts` has."""
    ids, more = found.ids[:limit], len(found.ids) > limit
    if query.backwards:
        ids = ids[::-1]
    items = texts(ids)
    if not ids:
        return Listed(items, found.total)
    has_next = more or query.backwards
    has_previous = more if query.backwards else query.position is not None or offset > 0
    last = encode(query, total=found.total, backwards=False, position=found.at(ids[-1])) if has_next else None
    first = encode(query, total=found.total, backwards=True, position=found.at(ids[0])) if has_previous else None
    return Listed(items, found.total, last, first)
