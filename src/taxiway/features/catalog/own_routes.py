"""Operations of the catalog beside Backstage's: graph, problems, and ingestion as a run."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query, Response

from taxiway.core.context import OpContext
from taxiway.core.cursors import last_seen
from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import json_bytes, json_list
from taxiway.features.catalog import views
from taxiway.features.catalog.location_routes import operations
from taxiway.features.catalog.repository import filters, reading, refused
from taxiway.features.catalog.repository.graph import MAX_DEPTH, neighbourhood
from taxiway.features.catalog.routes import READ, AsOf, read_time
from taxiway.features.catalog.service import sources
from taxiway.features.catalog.service.past import graph_at
from taxiway.kit.paging import MAX_LIMIT, page_of
from taxiway.model.errors import NotFoundError

__all__ = ["operations"]
Part = Annotated[str, Path(max_length=253)]
Code = Annotated[views.ProblemCode | None, Query()]


@operations.get("/api/catalog/v1/graph/{kind}/{namespace}/{name}", READ, response=views.Graph)
def graph(
    ctx: Ctx,
    kind: Part,
    namespace: Part,
    name: Part,
    depth: Annotated[int, Query(ge=0, le=MAX_DEPTH)] = 2,
    as_of: AsOf = None,
) -> Response:
    """What an entity is related to, hop by hop, at most 500 entities; with `as_of`, as it was then."""
    ref = f"{kind}:{namespace}/{name}".lower()
    if (at := read_time(as_of)) is not None:
        return json_bytes(graph_at(ctx, ref, depth, at))
    with ctx.platform.store.read() as conn:
        if not reading.texts_by_refs(conn, [ref], _scope(ctx)):
            raise NotFoundError(f"there is no entity {ref}: look for it in the catalog", code="catalog.no_entity")
        return json_bytes(neighbourhood(conn, ref, depth, _scope(ctx)))


@operations.get("/api/catalog/v1/problems", READ, response=views.Problems)
def problems(
    ctx: Ctx,
    source_id: Annotated[str | None, Query(max_length=100)] = None,
    ref: Annotated[str | None, Query(max_length=400)] = None,
    code: Code = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """What is wrong with sources: where, what, and what to do. Conflicts have the code `conflict`."""
    scope = ctx.scope(READ)
    where = refused.owned_by(None if scope.everything else scope.owners)
    before = last_seen(cursor, str)
    with ctx.platform.store.read() as conn:
        rows = refused.problems(conn, where, source_id=source_id, ref=ref, code=code, before=before, limit=limit + 1)
    page = page_of(rows, limit, lambda row: [row["id"]])
    return json_list(page.items, page.next_cursor)


@operations.get("/api/catalog/problems", READ, response=views.Problems)
def list_problems(
    ctx: Ctx,
    source_id: Annotated[str | None, Query(max_length=100)] = None,
    ref: Annotated[str | None, Query(max_length=400)] = None,
    code: Code = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """The same as `/api/catalog/v1/problems`, beside Backstage's paths."""
    return problems(ctx, source_id, ref, code, limit, cursor)


@operations.post("/api/catalog/v1/locations/{id}/ingest", "catalog.entity.refresh", status=202, response=views.Started)
def ingest_location(ctx: Ctx, id: Part) -> Response:
    """Read a location again in a run of its own."""
    run_id = sources.ingest(ctx, id)
    return json_bytes({"run_id": run_id}, status=202, headers={"location": f"/api/runs/v1/runs/{run_id}"})


def _scope(ctx: OpContext) -> Any:
    return filters.visible_to(ctx.scope(READ))
