"""Operations on what the catalog reads from, and the export of what it holds."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Query, Response
from starlette.responses import StreamingResponse

from taxiway.core.cursors import last_seen
from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import json_bytes, json_list
from taxiway.features.catalog import views
from taxiway.features.catalog.history_routes import operations
from taxiway.features.catalog.repository.query import Query as EntityQuery
from taxiway.features.catalog.routes import READ, AsOf, Fields, Filter, read_fields, read_time
from taxiway.features.catalog.saved_views import columns_of, query_of
from taxiway.features.catalog.service import export as exporting
from taxiway.features.catalog.service import saved_views, source_list
from taxiway.kit.paging import MAX_LIMIT, page_of
from taxiway.model.errors import InputError

__all__ = ["operations"]
LOCATION = "catalog.location.read"


@operations.get("/api/catalog/v1/sources", LOCATION, response=views.Sources)
def list_sources(
    ctx: Ctx,
    text: Annotated[str, Query(max_length=200, description="only those with this in their target")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """What the catalog reads from: how many entities, problems and conflicts each has, and when it changed last."""
    leading, found = source_list.sources(ctx, text, last_seen(cursor, str), limit + 1)
    page = page_of(found, limit, lambda item: [item["id"]])
    return json_list([*leading, *page.items], page.next_cursor)


@operations.get("/api/catalog/v1/sources/{id}", LOCATION, response=views.SourceDetail)
def get_source(ctx: Ctx, id: Annotated[str, Path(max_length=100)]) -> Response:
    """One source, with its last run."""
    return json_bytes(source_list.source(ctx, id))


@operations.get("/api/catalog/v1/export", READ, media=("application/x-ndjson", "text/csv"))
def export(
    ctx: Ctx,
    format: Literal["ndjson", "csv"] = "ndjson",
    filter: Filter = None,
    fields: Fields = None,
    as_of: AsOf = None,
    view: Annotated[str | None, Query(max_length=100, description="a saved view, by its id or name")] = None,
) -> Response:
    """Every entity that a filter or a saved view finds: NDJSON of documents, or CSV of fields.

    With `fields` only these dotted paths; with `as_of` the catalog as it was then. A CSV of a view has its columns.
    """
    query, at, paths = EntityQuery(filter or ()), read_time(as_of), read_fields(fields)
    if view is not None:
        if filter:
            raise InputError("give a filter or a view: a view has filters of its own", code="catalog.filter_and_view")
        found = saved_views.find(ctx, view).view
        query, paths = query_of(found), paths or (columns_of(found) if format == "csv" else [])
    name = f'attachment; filename="catalog.{format}"'
    if format == "csv":
        lines = exporting.csv_lines(ctx, query, paths, at)
        return StreamingResponse(lines, media_type="text/csv", headers={"content-disposition": name})
    lines = exporting.ndjson(ctx, query, paths, at)
    return StreamingResponse(lines, media_type="application/x-ndjson", headers={"content-disposition": name})
