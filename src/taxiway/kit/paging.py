"""Cursor paging: a page of items and an opaque cursor to the next one."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson

T = TypeVar("T")
DEFAULT_LIMIT = 50
MAX_LIMIT = 500


@dataclass(frozen=True)
class Page(Generic[T]):
    """`items` in order, and the cursor of the next page or None at the end."""

    items: Sequence[T]
    next_cursor: str | None = None


def encode_cursor(position: Sequence[Any]) -> str:
    """An opaque, URL-safe cursor for the sort key of the last row of a page."""
    return base64.urlsafe_b64encode(json.dumps(list(position)).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> list[Any]:
    """The position inside `cursor`: texts and integers of 64 bits. Raises ValueError when the text was not made by
    `encode_cursor` of such ones: a store cannot compare anything else with its columns."""
    try:
        position = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, orjson.JSONDecodeError) as error:
        raise ValueError("not a cursor") from error
    if not isinstance(position, list) or not position or not all(map(_is_key, position)):
        raise ValueError("not a cursor")
    return position


def _is_key(item: Any) -> bool:
    return isinstance(item, str) or (type(item) is int and -(2**63) <= item < 2**63)


def page_of(rows: Sequence[T], limit: int, position: Any) -> Page[T]:
    """A page from `limit + 1` fetched rows; `position(row)` gives the sort key of a row as a sequence."""
    if len(rows) <= limit:
        return Page(list(rows))
    kept = list(rows[:limit])
    return Page(kept, encode_cursor(position(kept[-1])))
