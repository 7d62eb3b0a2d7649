"""Operations that tell of kinds, and of what is derived from relations: computed properties and inherited owners."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Response
from pydantic import BaseModel

from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import json_bytes, json_list
from taxiway.core.operations import Operations
from taxiway.features.catalog.service import kinds, ownership, properties

operations = Operations("catalog")
READ = "catalog.entity.read"
Part = Annotated[str, Path(max_length=253)]


class KindRelation(BaseModel):
    """A field of spec that holds references. A bare name means `default_kind`, in the namespace that is said."""

    field: str
    type: str
    inverse: str
    default_kind: str | None
    namespace: str
    list: bool


class KindColumn(BaseModel):
    """A column of a table: a dotted path into the document or to a property. `sortable`: lists can be ordered by it."""

    title: str
    path: str
    type: Literal["string", "date", "boolean", "integer", "number", "strings", "any"]
    sortable: bool


class KindProperty(BaseModel):
    """A property that is computed of each entity, and how."""

    name: str
    title: str
    type: str
    rule: str


class KindView(BaseModel):
    """A kind of entity. `ref` is the entity that declares it, null for one that ships with Taxiway. A table has its
    `columns`; `more_columns` can be chosen."""

    name: str
    title: str
    plural: str
    description: str
    icon: str | None
    api_versions: list[str]
    shipped: bool
    ref: str | None
    source_id: str | None
    entities: int
    spec_schema: dict[str, Any]
    relations: list[KindRelation]
    columns: list[KindColumn]
    more_columns: list[KindColumn]
    properties: list[KindProperty]


class KindList(BaseModel):
    """Every kind."""

    items: list[KindView]
    next_cursor: str | None


@operations.get("/api/catalog/v1/kinds", READ, response=KindList)
def list_kinds(ctx: Ctx) -> Response:
    """Every kind that the catalog takes: those that ship, and those that entities of kind `Kind` declare."""
    return json_list(kinds.list_kinds(ctx), None)


class PropertyInput(BaseModel):
    """Something that was read for a value. `ref` is hidden where the caller may not see the entity."""

    ref: str
    field: str
    value: Any = None


class PropertyView(BaseModel):
    """A computed property: its value or why there is none, the rule, and at most 20 of its inputs.

    `pending` says that it is being computed anew; `computed_at` is in microseconds UTC.
    """

    name: str
    title: str
    type: str
    rule: str
    value: Any = None
    error: str | None
    inputs: list[PropertyInput]
    computed_at: int | None
    pending: bool


class PropertyList(BaseModel):
    """The computed properties of an entity."""

    items: list[PropertyView]
    next_cursor: str | None


@operations.get("/api/catalog/v1/properties/{kind}/{namespace}/{name}", READ, response=PropertyList)
def explain_properties(ctx: Ctx, kind: Part, namespace: Part, name: Part) -> Response:
    """What is computed of an entity: each property with its rule, its inputs and its error."""
    return json_list(properties.explain_properties(ctx, f"{kind}:{namespace}/{name}".lower()), None)


class Ownership(BaseModel):
    """Who owns an entity: by itself, or inherited from the nearest one along `partOf`, to which `path` leads."""

    owners: list[str]
    how: Literal["direct", "inherited", "none"]
    path: list[str]


@operations.get("/api/catalog/v1/ownership/{kind}/{namespace}/{name}", READ, response=Ownership)
def get_ownership(ctx: Ctx, kind: Part, namespace: Part, name: Part) -> Response:
    """Who owns an entity, directly or along what it is part of, and how that came about."""
    return json_bytes(ownership.ownership_of(ctx, f"{kind}:{namespace}/{name}".lower()))
