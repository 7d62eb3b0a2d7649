"""Backstage's `filter=` parameters and JSON predicates, read once for whoever judges them: SQL, or the index in memory.

All matching ignores case: keys and values are handed on in lower case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Protocol, TypeVar

import orjson

from taxiway.features.catalog.scalars import text_of
from taxiway.model.errors import InputError

T = TypeVar("T")
MAX_TERMS = 200
MAX_DEPTH = 20


class Algebra(Protocol[T]):
    """What a filter is made of. `T` is a set of entities, as a clause or as a bitmap."""

    def everything(self) -> T: ...

    def all_of(self, parts: Sequence[T]) -> T: ...

    def any_of(self, parts: Sequence[T]) -> T: ...

    def none_of(self, part: T) -> T: ...

    def one_of(self, key: str, values: Sequence[str]) -> T:
        """The value at `key` is one of `values`."""
        ...

    def exists_at(self, key: str) -> T:
        """There is a value at `key`, of whatever kind."""
        ...

    def prefixed(self, key: str, prefix: str) -> T:
        """A value at `key` begins with `prefix`."""
        ...

    def related(self, type_: str, targets: Sequence[str] | None) -> T:
        """A relation of this type (in lower case) leads to one of `targets`, or anywhere."""
        ...


def read_filters(algebra: Algebra[T], filters: Sequence[str]) -> T:
    """Repeated `filter` parameters: ORed; inside one, comma-separated statements are ANDed."""
    alternatives = [found for text in filters if (found := _read_one(algebra, text)) is not None]
    return algebra.any_of(alternatives) if alternatives else algebra.everything()


def read_predicate(algebra: Algebra[T], query: Any, depth: int = 0) -> T:
    """A JSON predicate. InputError names what is not understood."""
    if depth == 0:
        _refuse_strange(query)
    if not isinstance(query, Mapping):
        raise InputError("a query is an object of path: value, or of one of $all, $any, $not", code="catalog.bad_query")
    if depth > MAX_DEPTH:
        raise InputError(f"a query may be nested {MAX_DEPTH} times: say it with less", code="catalog.bad_query")
    _refuse_many(query)
    operators = [key for key in query if key.startswith("$")]
    if not operators:
        return algebra.all_of([_value(algebra, key.lower(), value) for key, value in query.items()])
    if len(query) > 1 or operators[0] not in ("$all", "$any", "$not"):
        raise InputError(f"{operators[0]} must stand alone, and be $all, $any or $not", code="catalog.bad_query")
    operator, inner = operators[0], query[operators[0]]
    if operator == "$not":
        return algebra.none_of(read_predicate(algebra, inner, depth + 1))
    if not isinstance(inner, list):
        raise InputError(f"{operator} takes a list of queries", code="catalog.bad_query")
    _refuse_many(inner)
    parts = [read_predicate(algebra, item, depth + 1) for item in inner]
    return algebra.all_of(parts) if operator == "$all" else algebra.any_of(parts)


def _refuse_many(terms: Sequence[Any] | Mapping[str, Any]) -> None:
    if len(terms) > MAX_TERMS:
        raise InputError(
            f"a query may have {MAX_TERMS} parts side by side, not {len(terms)}: values of one path go into $in",
            code="catalog.bad_query",
        )


def _refuse_strange(query: Any) -> None:
    # Halves of characters, and integers that no document holds: cursors and views could not keep them.
    try:
        orjson.dumps(query)
    except TypeError as error:
        raise InputError(
            f"use plain texts and numbers of 64 bits in a query: {error}", code="catalog.bad_query"
        ) from error


def _read_one(algebra: Algebra[T], text: str) -> T | None:
    wanted: dict[str, list[str] | None] = {}
    for statement in text.split(","):
        key, equals, value = statement.strip().partition("=")
        key, value = key.strip().lower(), value.strip().lower()
        if not statement.strip():
            continue
        if not key:
            raise InputError(f"the filter '{statement}' has no key: write key=value", code="catalog.bad_filter")
        if not equals:
            wanted.setdefault(key, None)
            continue
        values = wanted.get(key)
        wanted[key] = [*values, value] if values else [value]
    if len(wanted) > MAX_TERMS:
        raise InputError(f"a filter may name at most {MAX_TERMS} keys", code="catalog.bad_filter")
    if not wanted:
        return None
    return algebra.all_of(
        [algebra.exists_at(key) if values is None else algebra.one_of(key, values) for key, values in wanted.items()]
    )


def _value(algebra: Algebra[T], key: str, value: Any) -> T:
    if isinstance(value, str | int | float):
        return algebra.one_of(key, [_plain(value)])
    if isinstance(value, Mapping) and len(value) == 1:
        operator, operand = next(iter(value.items()))
        if operator == "$exists" and isinstance(operand, bool):
            return algebra.exists_at(key) if operand else algebra.none_of(algebra.exists_at(key))
        if operator == "$in" and isinstance(operand, list):
            return algebra.one_of(key, [_plain(item) for item in operand])
        if operator == "$hasPrefix" and isinstance(operand, str):
            return algebra.prefixed(key, operand.lower())
        if operator == "$contains" and isinstance(operand, str | int | float):
            return algebra.one_of(key, [_plain(operand)])
        if operator == "$contains" and key == "relations" and isinstance(operand, Mapping):
            return _contains_relation(algebra, operand)
    raise InputError(
        f"the value at '{key}' must be plain, or one of $exists, $in, $hasPrefix, $contains", code="catalog.bad_query"
    )


def _contains_relation(algebra: Algebra[T], operand: Mapping[str, Any]) -> T:
    type_, target = operand.get("type"), operand.get("targetRef")
    if not isinstance(type_, str):
        raise InputError("$contains on relations needs a type", code="catalog.bad_query")
    if target is None:
        return algebra.related(type_.lower(), None)
    targets = target["$in"] if isinstance(target, Mapping) and isinstance(target.get("$in"), list) else [target]
    return algebra.related(type_.lower(), [_plain(item) for item in targets])


def _plain(value: Any) -> str:
    if isinstance(value, str | bool | int) or (isinstance(value, float) and isfinite(value)):
        return text_of(value).lower()
    raise InputError("values in a query must be text, numbers or booleans", code="catalog.bad_query")
