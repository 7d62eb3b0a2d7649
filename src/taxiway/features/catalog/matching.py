"""Filters and predicates judged on a value in memory, with the same answers as `repository/filters` gives in SQL.

For what is in no index: past versions of entities, and locations. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from taxiway.features.catalog.leaves import leaves

Rows = Mapping[str, set[str]]
"""Lower-case values by lower-case path. A path whose values cannot be compared has an empty set."""
Test = Callable[[Rows], bool]


def rows_of(document: Mapping[str, Any], edges: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """The rows of an entity document with its relations, given as (type, target)."""
    rows: dict[str, set[str]] = {}
    for key, value, opaque in leaves(document):
        values = rows.setdefault(key, set())
        if not opaque:
            values.add(value.lower())
    for key in ("name", "uid"):
        if key in document["metadata"]:
            rows[f"metadata.{key}"] = {str(document["metadata"][key]).lower()}
    for type_, target in edges:
        rows.setdefault(f"relations.{type_}".lower(), set()).add(target)
    return rows


class Tests:
    """`grammar.Algebra` whose sets are tests of rows."""

    def everything(self) -> Test:
        return lambda rows: True

    def all_of(self, parts: Sequence[Test]) -> Test:
        return lambda rows: all(part(rows) for part in parts)

    def any_of(self, parts: Sequence[Test]) -> Test:
        return lambda rows: any(part(rows) for part in parts)

    def none_of(self, part: Test) -> Test:
        return lambda rows: not part(rows)

    def one_of(self, key: str, values: Sequence[str]) -> Test:
        wanted = frozenset(values)
        return lambda rows: not wanted.isdisjoint(rows.get(key, ()))

    def exists_at(self, key: str) -> Test:
        return lambda rows: key in rows

    def prefixed(self, key: str, prefix: str) -> Test:
        return lambda rows: any(value.startswith(prefix) for value in rows.get(key, ()))

    def related(self, type_: str, targets: Sequence[str] | None) -> Test:
        key = f"relations.{type_}"
        return self.exists_at(key) if targets is None else self.one_of(key, targets)


def contains_text(keys: Sequence[str], term: str) -> Test:
    """Whether a value at one of `keys` contains `term`."""
    folded, wanted = term.lower(), [key.lower() for key in keys]
    return lambda rows: any(folded in value for key in wanted for value in rows.get(key, ()))
