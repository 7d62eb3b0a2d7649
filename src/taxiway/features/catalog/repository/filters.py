"""Filters as SQL: what `grammar` reads becomes one WHERE clause on `entity`, over columns, facets and relations.

All matching ignores case. No value is ever put into SQL text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, False_, True_, and_, exists, false, func, not_, or_, select, true
from sqlalchemy.sql.util import ClauseAdapter

from taxiway.core.store.scoped import visible
from taxiway.features.catalog.kinds import INVERSE
from taxiway.features.catalog.repository import facets, pairs
from taxiway.features.catalog.repository.grammar import read_filters, read_predicate
from taxiway.features.catalog.tables import entity, facet, relation, relation_type
from taxiway.model.access import Scope

Clause = ColumnElement[bool]
COLUMNS: Mapping[str, ColumnElement[Any]] = {
    "kind": entity.c.kind,
    "metadata.name": func.lower(entity.c.name),
    "metadata.namespace": entity.c.namespace,
    "metadata.uid": entity.c.uid,
    "spec.type": entity.c.type,
    "spec.lifecycle": entity.c.lifecycle,
}
"""Paths that are narrow columns, all in lower case."""
RELATIONS = "relations."
DOCS, REPOSITORY = "backstage.io/techdocs-ref", "taxiway.dev/repository"
LOWER_INVERSE = {one.lower(): (one, other) for one, other in INVERSE.items()}
"""Relation types in lower case: how they are written, and their reverse."""


def visible_to(scope: Scope) -> Clause:
    """The clause for what a caller may see."""
    return visible(scope, entity.c.owner)


def parse_filters(filters: Sequence[str], scope: Clause | None = None) -> Clause:
    """The clause for repeated `filter` parameters: ORed; inside one, comma-separated statements are ANDed."""
    return read_filters(Sql(scope), filters)


def parse_predicate(query: Any, scope: Clause | None = None) -> Clause:
    """The clause for a JSON predicate. InputError names what is not understood."""
    return read_predicate(Sql(scope), query)


def limited(scope: Clause | None) -> Clause | None:
    """The clause of what a caller may see; None when that is everything."""
    return None if isinstance(scope, True_) else scope


def on(other: Any, scope: Clause | None) -> Clause:
    """`scope` for an alias of `entity`, for relations that another entity states: one that may not be seen states
    none."""
    if isinstance(scope, False_):
        none: Clause = other.c.id < 0  # not false itself, which would take the join's own condition away
        return none
    found = limited(scope)
    return true() if found is None else ClauseAdapter(other).traverse(found)


def equal_filters(filters: Mapping[str, str]) -> Clause:
    """The clause for keys that must all have the given values."""
    return and_(true(), *(Sql().one_of(key.lower(), [value.lower()]) for key, value in filters.items()))


def documented() -> Clause:
    """The clause for entities with docs, from a repository of the forge here or with one named."""
    docs, repository = (Sql().exists_at(f"metadata.annotations.{one}") for one in (DOCS, REPOSITORY))
    return and_(docs, or_(repository, entity.c.location.contains("/git/", autoescape=True)))


def contains_text(keys: Sequence[str], term: str) -> Clause:
    """Whether a value at one of `keys` contains `term`."""
    folded = term.lower()
    columns = {**COLUMNS, "metadata.title": func.lower(entity.c.title)}
    found = [columns[key].contains(folded, autoescape=True) for key in keys if key in columns]
    others = [key for key in keys if key not in columns]
    if others:
        inside = facets.folded.contains(folded, autoescape=True)
        found.append(pairs.having(and_(facets.at_keys(others), inside, not_(facet.c.opaque))))
    return or_(false(), *found)


class Sql:
    """The algebra of filters as clauses. Relations stated by what `scope` does not let through do not count."""

    def __init__(self, scope: Clause | None = None) -> None:
        self._scope = scope

    def everything(self) -> Clause:
        return true()

    def all_of(self, parts: Sequence[Clause]) -> Clause:
        return and_(true(), *parts)

    def any_of(self, parts: Sequence[Clause]) -> Clause:
        return or_(false(), *parts)

    def none_of(self, part: Clause) -> Clause:
        return not_(part)

    def one_of(self, key: str, values: Sequence[str]) -> Clause:
        if key in COLUMNS:
            return COLUMNS[key].in_(values)
        if key.startswith(RELATIONS):
            return self.related(key[len(RELATIONS) :], values)
        return pairs.having(and_(facets.at_key(key), facets.equal(values)))

    def exists_at(self, key: str) -> Clause:
        if key in COLUMNS:
            return COLUMNS[key].is_not(None)
        if key.startswith(RELATIONS):
            return self.related(key[len(RELATIONS) :], None)
        return pairs.having(facets.at_key(key))

    def prefixed(self, key: str, prefix: str) -> Clause:
        if key in COLUMNS:
            return COLUMNS[key].startswith(prefix, autoescape=True)
        if key.startswith(RELATIONS):
            return _related(key[len(RELATIONS) :], None, self._scope, prefix)
        begins = facets.folded.startswith(prefix, autoescape=True)
        return pairs.having(and_(facets.at_key(key), begins, not_(facet.c.opaque)))

    def related(self, type_: str, targets: Sequence[str] | None) -> Clause:
        return _related(type_, targets, self._scope)


def relation_types(lower: str) -> tuple[Clause, Clause]:
    """The clauses for relations of a type, given in lower case, and for their other ends."""
    known = LOWER_INVERSE.get(lower)
    if known is not None:
        return relation.c.type == known[0], relation.c.type == known[1]
    one, other = relation_type.c.type, relation_type.c.inverse
    return (
        relation.c.type.in_(select(one).where(func.lower(one) == lower)),
        relation.c.type.in_(select(other).where(func.lower(one) == lower)),
    )


def _related(type_: str, targets: Sequence[str] | None, scope: Clause | None, prefix: str | None = None) -> Clause:
    forward, inverse = relation_types(type_)
    other = entity.alias("other")
    stated = and_(relation.c.source_id == entity.c.id, forward)
    received = and_(relation.c.target == entity.c.ref, inverse, relation.c.source_id == other.c.id)
    received = and_(received, on(other, scope))
    if targets is not None:
        stated, received = and_(stated, relation.c.target.in_(targets)), and_(received, other.c.ref.in_(targets))
    if prefix is not None:
        stated = and_(stated, relation.c.target.startswith(prefix, autoescape=True))
        received = and_(received, other.c.ref.startswith(prefix, autoescape=True))
    return or_(
        exists(select(1).select_from(relation).where(stated).correlate(entity)),
        exists(select(1).select_from(relation, other).where(received).correlate(entity)),
    )
