"""Operations on where the catalog reads from, on Backstage's paths: locations, refresh, validation, refused files."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import Query, Response

from taxiway.core.http.context import Ctx
from taxiway.core.http.described import BackstageError
from taxiway.core.http.headers import json_bytes
from taxiway.features.catalog import service, views
from taxiway.features.catalog.model import Location, location_ref
from taxiway.features.catalog.refs import full_ref
from taxiway.features.catalog.repository import reading
from taxiway.features.catalog.routes import BASE, JSON, READ, Part, operations
from taxiway.features.catalog.service import analysis, location_changes, sources, unprocessed
from taxiway.model.errors import InputError, NotFoundError

__all__ = ["operations"]
Owner = Annotated[str | None, Query(max_length=400)]
SHOWN = 100
"""Entities of a new location in the answer. Backstage answers with none: nobody may need more to go on."""


@operations.post(f"{BASE}/refresh", "catalog.entity.refresh", errors="backstage", media=())
def refresh(ctx: Ctx, body: views.Refresh) -> Response:
    """Read the source of an entity again; what changed is visible when this returns."""
    try:
        ref = full_ref(body.entityRef)
    except InputError as error:
        raise NotFoundError(f"Entity {body.entityRef} not found", code="catalog.no_entity") from error
    sources.refresh_entity(ctx, ref)
    return Response(status_code=200)


@operations.get(f"{BASE}/locations", "catalog.location.read", errors="backstage", response=list[views.LocationRow])
def list_locations(ctx: Ctx) -> Response:
    """Every registered location."""
    rows = service.list_locations(ctx.platform)
    return json_bytes([{"data": _location_view(row)} for row in rows])


@operations.post(
    f"{BASE}/locations/by-query",
    "catalog.location.read",
    errors="backstage",
    effect="read",
    response=views.LocationPage,
)
def query_locations(ctx: Ctx, body: views.LocationQuery | None = None) -> Response:
    """A page of registered locations for a JSON predicate over id, type, target and entityRef."""
    body = body or views.LocationQuery()
    page = location_changes.find_locations(ctx.platform, body.query, body.limit, body.cursor)
    info = {} if page.next_cursor is None else {"nextCursor": page.next_cursor}
    items = [_location_view(row) for row in page.items]
    return json_bytes({"items": items, "totalItems": page.total, "pageInfo": info})


@operations.post(
    f"{BASE}/locations", "catalog.location.create", errors="backstage", status=201, response=views.LocationCreated
)
def create_location(
    ctx: Ctx,
    body: views.LocationInput,
    dryRun: bool = False,
    trust: bool = False,
    onConflict: Annotated[str, Query(pattern="^(refresh|reject)$")] = "reject",
) -> Response:
    """Register a location; its entities are visible when this returns, and the first hundred are in the answer.

    With `trust` a repository may also bring people, teams, templates and the platform's own kinds. A dry run answers
    with every entity: Backstage's import page lists them, its `catalog:register` looks for the Component among them.
    """
    if dryRun:
        documents, exists = sources.dry_run(ctx, body.type, body.target)
        view = {"id": f"{body.type}:{body.target}", "type": body.type, "target": body.target}
        view["entityRef"] = location_ref(body.type, body.target)
        found = {"location": view, "entities": documents, "totalItems": len(documents), "exists": exists}
        return json_bytes(found, status=201)
    done = service.register_location(ctx, body.type, body.target, on_conflict=onConflict, trust=trust)
    refs = [ref for ref in done.result.refs if ref != done.entity_ref]
    with ctx.platform.store.read() as conn:
        shown = reading.texts_by_refs(conn, refs[:SHOWN])
    answer: dict[str, Any] = {"location": _location_view(done.location), "exists": done.existed}
    answer |= {"totalItems": len(refs), "problems": len(done.result.problems)}
    if done.run_id is not None:
        answer["run_id"] = done.run_id
    head = orjson.dumps(answer)[:-1]
    return Response(head + b',"entities":' + reading.joined(shown.values()) + b"}", 201, media_type=JSON)


@operations.get(f"{BASE}/locations/{{id}}", "catalog.location.read", errors="backstage", response=views.LocationView)
def get_location(ctx: Ctx, id: Part) -> Response:
    """One registered location."""
    return json_bytes(_location_view(sources.get_location(ctx.platform, id)))


@operations.put(f"{BASE}/locations/{{id}}", "catalog.location.create", errors="backstage", response=views.LocationView)
def change_location(ctx: Ctx, id: Part, body: views.LocationTarget) -> Response:
    """Let a location point to another target; its entities are those of the new one when this returns."""
    return json_bytes(_location_view(location_changes.change_location(ctx, id, body.type, body.target)))


@operations.delete(f"{BASE}/locations/{{id}}", "catalog.location.delete", errors="backstage", status=204)
def delete_location(ctx: Ctx, id: Part) -> Response:
    """Unregister a location; its entities go at once."""
    service.unregister_location(ctx, id)
    return Response(status_code=204)


@operations.get(
    f"{BASE}/locations/by-entity/{{kind}}/{{namespace}}/{{name}}",
    "catalog.location.read",
    errors="backstage",
    response=views.LocationView,
)
def location_by_entity(ctx: Ctx, kind: Part, namespace: Part, name: Part) -> Response:
    """The registered location that an entity came from."""
    return json_bytes(_location_view(sources.location_of(ctx.platform, f"{kind}:{namespace}/{name}".lower())))


@operations.post(
    f"{BASE}/validate-entity",
    "catalog.entity.validate",
    errors="backstage",
    effect="read",
    media=(),
    others={400: views.EntityFaults | BackstageError},
)
def validate_entity(ctx: Ctx, body: views.ValidateInput) -> Response:
    """Judge an entity without storing it: 200 when it is valid, else 400 with its errors."""
    errors = sources.judge_at(ctx.platform, body.entity, body.location)
    if errors:
        return json_bytes({"errors": errors}, status=400)
    return Response(status_code=200)


@operations.post(
    f"{BASE}/analyze-location", "catalog.location.analyze", errors="backstage", effect="read", response=views.Analysis
)
def analyze_location(ctx: Ctx, body: views.AnalyzeInput) -> Response:
    """What a repository would bring: the descriptors in it, or a proposed one."""
    location = body.location
    return json_bytes(analysis.analyze_location(ctx, location.type, location.target, body.catalogFilename))


@operations.get(f"{BASE}/entities/unprocessed/failed", READ, errors="backstage", response=views.Unprocessed)
def list_failed_entities(ctx: Ctx, owner: Owner = None) -> Response:
    """Documents that were refused and stand for no entity, with what is wrong with them."""
    return json_bytes({"type": "failed", "entities": unprocessed.failed(ctx.platform, owner)})


@operations.get(f"{BASE}/entities/unprocessed/pending", READ, errors="backstage", response=views.Unprocessed)
def list_pending_entities(ctx: Ctx, owner: Owner = None) -> Response:
    """Locations that a run is taking in just now."""
    return json_bytes({"type": "pending", "entities": unprocessed.pending(ctx.platform, owner)})


@operations.delete(
    f"{BASE}/entities/unprocessed/delete/{{id}}", "catalog.entity.delete", errors="backstage", status=204
)
def delete_unprocessed_entity(ctx: Ctx, id: Part) -> Response:
    """Forget a refused document; it comes back when its source is read again and still has it."""
    unprocessed.forget(ctx, id)
    return Response(status_code=204)


def _location_view(row: Location) -> dict[str, str]:
    return {"id": row.id, "type": row.type, "target": row.target, "entityRef": row.entity_ref}
