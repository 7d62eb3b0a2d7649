"""Operations that tell of kinds."""

from __future__ import annotations

from typing import Any

from fastapi import Response
from pydantic import BaseModel

from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import json_list
from taxiway.core.operations import Operations
from taxiway.features.catalog.service import kinds

operations = Operations("catalog")
READ = "catalog.entity.read"


class KindRelation(BaseModel):
    """A field of spec that holds references. A bare name means `default_kind`, in the namespace that is said."""

    field: str
    type: str
    inverse: str
    default_kind: str | None
    namespace: str
    list: bool


class KindColumn(BaseModel):
    """A column of the portal's table: a dotted path into the document."""

    title: str
    path: str


class KindView(BaseModel):
    """A kind of entity. `ref` is the entity that declares it, null for one that ships with Taxiway."""

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


class KindList(BaseModel):
    """Every kind."""

    items: list[KindView]
    next_cursor: str | None


@operations.get("/api/catalog/v1/kinds", READ, response=KindList)
def list_kinds(ctx: Ctx) -> Response:
    """Every kind that the catalog takes: those that ship, and those that entities of kind `Kind` declare."""
    return json_list(kinds.list_kinds(ctx), None)
