"""Cuts work into statements that both databases take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

import orjson
from sqlalchemy import Connection

T = TypeVar("T")
CHUNK = 400
"""Rows a statement: below the variable limits of both databases."""


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """`items` in lists of at most `size`."""
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def texts_in(conn: Connection) -> str:
    """What stands in the brackets behind IN for any number of texts: the parameter `texts`, see `given_texts`."""
    if conn.dialect.name == "sqlite":
        return "SELECT value FROM json_each(:texts)"
    return "SELECT unnest(CAST(:texts AS text[]))"


def given_texts(conn: Connection, texts: Iterable[str]) -> object:
    """The parameter for `texts_in`."""
    return orjson.dumps(list(texts)).decode() if conn.dialect.name == "sqlite" else list(texts)


def numbers_in(conn: Connection) -> str:
    """Like `texts_in` for whole numbers, given as the parameter `numbers`."""
    if conn.dialect.name == "sqlite":
        return "SELECT value FROM json_each(:numbers)"
    return "SELECT unnest(CAST(:numbers AS bigint[]))"


def given_numbers(conn: Connection, numbers: Iterable[int]) -> object:
    """The parameter for `numbers_in`."""
    return orjson.dumps(list(numbers)).decode() if conn.dialect.name == "sqlite" else array_of(numbers)


def array_of(numbers: Iterable[int]) -> str:
    """Whole numbers as PostgreSQL writes an array of them: its driver takes ten times as long to make it of a list."""
    return "{" + ",".join(map(str, numbers)) + "}"
