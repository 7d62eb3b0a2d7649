"""Operations on overlays, and on where the values of an entity come from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query, Response
from pydantic import BaseModel

from taxiway.core.cursors import position_of
from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import json_bytes, json_list
from taxiway.core.operations import Operations
from taxiway.features.catalog.service import overlay_list
from taxiway.features.catalog.service.provenance import provenance_of
from taxiway.kit.paging import MAX_LIMIT, page_of

operations = Operations("catalog")
READ = "catalog.entity.read"
Part = Annotated[str, Path(max_length=253)]
State = Annotated[Literal["applied", "waiting", "refused"] | None, Query()]


class LayerView(BaseModel):
    """What an overlay says of a reference: `fields` are the JSON Pointers of its values.

    `state` is applied, waiting (there is no such entity) or refused (the entity would not be valid with it: `detail`).
    `at` is when it was delivered as it is, in microseconds UTC.
    """

    ref: str
    source_id: str
    state: Literal["applied", "waiting", "refused"]
    detail: str | None
    precedence: int
    lists: Literal["union", "replace"]
    fields: list[str]
    location: str
    line: int
    at: int


class Layers(BaseModel):
    """A page of what overlays say."""

    items: list[LayerView]
    next_cursor: str | None


@operations.get("/api/catalog/v1/overlays", "catalog.location.read", response=Layers)
def list_overlays(
    ctx: Ctx,
    source_id: Annotated[str | None, Query(max_length=100)] = None,
    ref: Annotated[str | None, Query(max_length=400)] = None,
    state: State = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> Response:
    """What overlays say of entities, and of references that are none (yet). Only who may see every source sees it."""
    after = position_of(cursor, str, str) or ("", "")
    found = overlay_list.layers_of(ctx, source_id, ref, state, after, limit + 1)
    page = page_of(found, limit, lambda item: [item["ref"], item["source_id"]])
    return json_list(page.items, page.next_cursor)


class ValueOver(BaseModel):
    """A value of another source that this one won over. It is not told of sources that are not the caller's to see."""

    source_id: str
    value: Any = None


class FieldProvenance(BaseModel):
    """Where a value comes from. Without `source_id` the catalog wrote it; a computed property has its `rule` as well.

    `line` is where it stands in its source's file now, null where that cannot be told (see the source's `lines`) or
    the file says something else by now. `since_at`, in microseconds UTC, is since when it is this value; `at_least`:
    the oldest version that is kept had it already. Long values are cut to text.
    """

    pointer: str
    value: Any = None
    source_id: str | None
    line: int | None
    since_at: int | None
    at_least: bool
    rule: str | None
    over: list[ValueOver]


class ProvenanceSource(BaseModel):
    """A source that says something of the entity. `detail` says why an overlay is refused.

    `location` and `line`, where its document begins, are null for a source that is not the caller's to see. `lines`:
    those of values were `read` from the file, the `document` is one line, or they are `unknown`, with the reason.
    """

    id: str
    role: Literal["owner", "overlay"]
    name: str
    precedence: int
    state: Literal["applied", "refused"]
    detail: str | None
    location: str | None
    line: int | None
    lines: Literal["read", "document", "unknown"]
    lines_detail: str | None


class Provenance(BaseModel):
    """Where every value of an entity comes from. `sources` begin with the one that wins; `fields` are in the order of
    the document, computed properties behind them."""

    ref: str
    etag: str
    sources: list[ProvenanceSource]
    fields: list[FieldProvenance]
    truncated: bool


@operations.get("/api/catalog/v1/provenance/{kind}/{namespace}/{name}", READ, response=Provenance)
def get_provenance(ctx: Ctx, kind: Part, namespace: Part, name: Part) -> Response:
    """Where every value of an entity comes from: source, file and line, since when, and what it won over."""
    return json_bytes(provenance_of(ctx, f"{kind}:{namespace}/{name}".lower()))
