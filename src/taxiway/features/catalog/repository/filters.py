"""Filters as SQL: Backstage's `filter=` parameters and its JSON predicates, over columns, facets and relations.

All matching ignores case. Everything becomes one WHERE clause on `entity`; no value is ever put into SQL text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, not_, or_, select, true

from taxiway.core.store.scoped import visible
from taxiway.features.catalog.kinds import INVERSE
from taxiway.features.catalog.tables import entity, entity_facet, facet, relation
from taxiway.model.access import Scope
from taxiway.model.errors import InputError

Clause = ColumnElement[bool]
MAX_TERMS = 200
COLUMNS: Mapping[str, ColumnElement[Any]] = {
    "kind": entity.c.kind,
    "metadata.name": func.lower(entity.c.name),
    "metadata.namespace": entity.c.namespace,
    "metadata.uid": entity.c.uid,
    "spec.type": entity.c.type,
    "spec.lifecycle": entity.c.lifecycle,
}
"""Paths that are narrow columns, all in lower case."""
_LOWER_INVERSE = {one.lower(): (one, other) for one, other in INVERSE.items()}


def visible_to(scope: Scope) -> Clause:
    """The clause for what a caller may see."""
    return visible(scope, entity.c.owner)


def parse_filters(filters: Sequence[str]) -> Clause:
    """The clause for repeated `filter` parameters: ORed; inside one, comma-separated statements are ANDed."""
    alternatives = [clause for text in filters if (clause := _parse_one(text)) is not None]
    return or_(*alternatives) if alternatives else true()


def _parse_one(text: str) -> Clause | None:
    wanted: dict[str, list[str] | None] = {}
    for statement in text.split(","):
        key, equals, value = statement.strip().partition("=")
        key, value = key.strip().lower(), value.strip()
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
    return and_(*(exists_at(key) if values is None else one_of(key, values) for key, values in wanted.items()))


def equal_filters(filters: Mapping[str, str]) -> Clause:
    """The clause for keys that must all have the given values."""
    return and_(true(), *(one_of(key.lower(), [value]) for key, value in filters.items()))


def one_of(key: str, values: Sequence[str]) -> Clause:
    """Whether the value at `key` is one of `values`."""
    folded = [value.lower() for value in values]
    if key in COLUMNS:
        return COLUMNS[key].in_(folded)
    if key.startswith("relations."):
        return _related(key[len("relations.") :], folded)
    return _facet(and_(facet.c.key == key, facet.c.folded.in_(folded), not_(facet.c.opaque)))


def exists_at(key: str) -> Clause:
    """Whether there is a value at `key`, of whatever kind."""
    if key in COLUMNS:
        return COLUMNS[key].is_not(None)
    if key.startswith("relations."):
        return _related(key[len("relations.") :], None)
    return _facet(facet.c.key == key)


def prefixed(key: str, prefix: str) -> Clause:
    """Whether a value at `key` begins with `prefix`."""
    folded = prefix.lower()
    if key in COLUMNS:
        return COLUMNS[key].startswith(folded, autoescape=True)
    if key.startswith("relations."):
        return _related(key[len("relations.") :], None, prefix=folded)
    return _facet(and_(facet.c.key == key, facet.c.folded.startswith(folded, autoescape=True), not_(facet.c.opaque)))


def contains_text(keys: Sequence[str], term: str) -> Clause:
    """Whether a value at one of `keys` contains `term`."""
    folded = term.lower()
    columns = {**COLUMNS, "metadata.title": func.lower(entity.c.title)}
    found = [columns[key].contains(folded, autoescape=True) for key in keys if key in columns]
    others = [key for key in keys if key not in columns]
    if others:
        inside = facet.c.folded.contains(folded, autoescape=True)
        found.append(_facet(and_(facet.c.key.in_(others), inside, not_(facet.c.opaque))))
    return or_(false(), *found)


def parse_predicate(query: Any, depth: int = 0) -> Clause:
    """The clause for a JSON predicate. InputError names what is not understood."""
    if not isinstance(query, Mapping) or depth > 20 or len(query) > MAX_TERMS:
        raise InputError("a query is an object of path: value, or of one of $all, $any, $not", code="catalog.bad_query")
    operators = [key for key in query if key.startswith("$")]
    if not operators:
        return and_(true(), *(_predicate_value(key.lower(), value) for key, value in query.items()))
    if len(query) > 1 or operators[0] not in ("$all", "$any", "$not"):
        raise InputError(f"{operators[0]} must stand alone, and be $all, $any or $not", code="catalog.bad_query")
    operator, inner = operators[0], query[operators[0]]
    if operator == "$not":
        return not_(parse_predicate(inner, depth + 1))
    if not isinstance(inner, list) or len(inner) > MAX_TERMS:
        raise InputError(f"{operator} takes a list of queries", code="catalog.bad_query")
    parts = [parse_predicate(item, depth + 1) for item in inner]
    return and_(true(), *parts) if operator == "$all" else or_(false(), *parts)


def _predicate_value(key: str, value: Any) -> Clause:
    if isinstance(value, str | int | float):
        return one_of(key, [_plain(value)])
    if isinstance(value, Mapping) and len(value) == 1:
        operator, operand = next(iter(value.items()))
        if operator == "$exists" and isinstance(operand, bool):
            return exists_at(key) if operand else not_(exists_at(key))
        if operator == "$in" and isinstance(operand, list):
            return one_of(key, [_plain(item) for item in operand])
        if operator == "$hasPrefix" and isinstance(operand, str):
            return prefixed(key, operand)
        if operator == "$contains" and isinstance(operand, str | int | float):
            return one_of(key, [_plain(operand)])
        if operator == "$contains" and key == "relations" and isinstance(operand, Mapping):
            return _contains_relation(operand)
    raise InputError(
        f"the value at '{key}' must be plain, or one of $exists, $in, $hasPrefix, $contains", code="catalog.bad_query"
    )


def _contains_relation(operand: Mapping[str, Any]) -> Clause:
    type_, target = operand.get("type"), operand.get("targetRef")
    if not isinstance(type_, str):
        raise InputError("$contains on relations needs a type", code="catalog.bad_query")
    if target is None:
        return _related(type_.lower(), None)
    targets = target["$in"] if isinstance(target, Mapping) and isinstance(target.get("$in"), list) else [target]
    return _related(type_.lower(), [_plain(item).lower() for item in targets])


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise InputError("values in a query must be text, numbers or booleans", code="catalog.bad_query")


def _facet(condition: ColumnElement[bool]) -> Clause:
    codes = select(entity_facet.c.entity_id).join(facet, facet.c.id == entity_facet.c.facet_id).where(condition)
    return entity.c.id.in_(codes)


def _related(type_: str, targets: Sequence[str] | None, prefix: str | None = None) -> Clause:
    known = _LOWER_INVERSE.get(type_)
    if known is None:
        return false()
    forward, inverse = known
    other = entity.alias("other")
    stated = and_(relation.c.source_id == entity.c.id, relation.c.type == forward)
    received = and_(relation.c.target == entity.c.ref, relation.c.type == inverse, relation.c.source_id == other.c.id)
    if targets is not None:
        stated, received = and_(stated, relation.c.target.in_(targets)), and_(received, other.c.ref.in_(targets))
    if prefix is not None:
        stated = and_(stated, relation.c.target.startswith(prefix, autoescape=True))
        received = and_(received, other.c.ref.startswith(prefix, autoescape=True))
    return or_(
        exists(select(1).select_from(relation).where(stated).correlate(entity)),
        exists(select(1).select_from(relation, other).where(received).correlate(entity)),
    )
