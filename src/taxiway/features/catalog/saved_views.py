"""Saved views as values: what somebody says of one, what is wrong with that, and the list that it stands for. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import orjson

from taxiway.features.catalog.matching import Tests
from taxiway.features.catalog.repository.grammar import read_filters, read_predicate
from taxiway.features.catalog.repository.query import Query, read_order
from taxiway.model.errors import InputError

VisibleTo = Literal["owner", "everybody"]
TEXT_FIELDS = (
    *("metadata.name", "metadata.title", "metadata.description", "metadata.tags"),
    *("spec.owner", "spec.profile.displayname"),
)
"""Where `text` is looked for: where the portal's filter looks."""
RUNNING = "running"
"""The column of what runs where. The portal asks the environments for it; documents do not hold it."""
COLUMN = re.compile(r"(metadata|spec|properties|relations)(\.[^.\s]+)+|kind|apiVersion|" + RUNNING)
MAX_QUERY = 16_384


@dataclass(frozen=True)
class Wanted:
    """What is said of a view. `owner` None means whoever says it; `query` is a JSON predicate, `sort` is `path,asc`."""

    name: str
    title: str
    owner: str | None = None
    visible_to: VisibleTo = "owner"
    kind: str | None = None
    filters: Sequence[str] = ()
    query: Mapping[str, Any] | None = None
    text: str = ""
    columns: Sequence[str] = ()
    sort: str | None = None


@dataclass(frozen=True)
class SavedView:
    """A view as it is stored. Times are microseconds UTC."""

    id: str
    name: str
    title: str
    owner: str
    shared: bool
    kind: str | None
    filters: Sequence[str]
    query: Mapping[str, Any] | None
    text: str
    columns: Sequence[str]
    sort: str | None
    created_by: str
    created_at: int
    updated_at: int
    version: int = field(default=1)


STORED = tuple(one.name for one in fields(SavedView))


def check(wanted: Wanted) -> None:
    """InputError for what could not be listed: filters, predicates, orders and columns that mean nothing."""
    read_filters(Tests(), wanted.filters)
    if wanted.query is not None:
        read_predicate(Tests(), wanted.query)
        if len(orjson.dumps(wanted.query)) > MAX_QUERY:
            raise InputError(
                f"the query has more than {MAX_QUERY} bytes: name fewer values", code="catalog.view_too_large"
            )
    if wanted.sort is not None:
        read_order(*wanted.sort.split(",", 2))
    strange = [path for path in wanted.columns if not COLUMN.fullmatch(path)]
    if strange:
        raise InputError(
            f"'{strange[0]}' is no column: write a dotted path such as spec.type, metadata.tags or properties.cost",
            code="catalog.bad_column",
        )


def query_of(view: SavedView) -> Query:
    """The list that a view stands for. Its kind narrows it, also where a filter names another kind."""
    order = read_order(*view.sort.split(",", 2)) if view.sort else {}
    parts = [{"kind": view.kind}] if view.kind else []
    parts += [dict(view.query)] if view.query is not None else []
    predicate = {"$all": parts} if parts else None
    return Query(view.filters, predicate, view.text, TEXT_FIELDS if view.text else (), **order)


def columns_of(view: SavedView) -> list[str]:
    """The paths that a table of a view has outside of the portal."""
    chosen = [path for path in view.columns if path != RUNNING]
    return ["kind", "metadata.name", *(p for p in chosen if p not in ("kind", "metadata.name"))] if chosen else []
