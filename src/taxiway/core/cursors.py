"""Cursors as clients send them: the position in one, or a refusal that says what to do next.

Lists that page by a sort key use `position_of`; those whose cursors hold something else, as Backstage's do, refuse one
that they did not give with `bad_cursor`.
"""

from __future__ import annotations

from typing import Any, TypeVar

from taxiway.kit.paging import decode_cursor
from taxiway.model.errors import InputError

K = TypeVar("K", str, int)


def position_of(cursor: str | None, *kinds: type) -> list[Any]:
    """The sort key of the last row that a client has seen, a value of each of `kinds` (str, int); empty without a
    cursor. InputError for one that this list did not give."""
    if not cursor:
        return []
    try:
        found = decode_cursor(cursor)
    except ValueError as error:
        raise bad_cursor() from error
    if [type(part) for part in found] != list(kinds):
        raise bad_cursor()
    return found


def last_seen(cursor: str | None, kind: type[K]) -> K | None:
    """Like `position_of`, for lists by a single key; None without a cursor."""
    found = position_of(cursor, kind)
    return found[0] if found else None


def bad_cursor(name: str = "cursor") -> InputError:
    """What to say of a cursor that the list did not give; `name` is that of the parameter."""
    return InputError(
        f"this list gave no such '{name}': leave it out for the first page, whose answer has the next one",
        code="input.cursor",
    )
