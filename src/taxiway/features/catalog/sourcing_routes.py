"""Operations on sources: read configured ones now, review what is held, remove, and webhooks of other systems."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Body, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from taxiway.core.cursors import last_seen
from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import json_bytes, json_list
from taxiway.features.catalog import sourcing_views, views
from taxiway.features.catalog.model import CONFIGURED, PUSHED
from taxiway.features.catalog.repository import configured as sources
from taxiway.features.catalog.repository import locations, orphans
from taxiway.features.catalog.service import configured, hooks, removals
from taxiway.features.catalog.source_routes import operations
from taxiway.kit.paging import MAX_LIMIT, page_of
from taxiway.model.errors import ConflictError

__all__ = ["operations"]
Name = Annotated[str, Path(max_length=100, description="of a configured source, or `push:` and that of a pushed one")]
Reviewable = Annotated[str, Path(max_length=100, description="as above, or the id of a registered location")]


class Review(BaseModel):
    """`remove` removes what is held at once; `keep` leaves it until the next reading judges anew."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["remove", "keep"]


@operations.post("/api/catalog/v1/sources/{name}/read", "catalog.source.refresh", status=202, response=views.Started)
def read_source(ctx: Ctx, name: Name) -> Response:
    """Read a configured source whole, in a run."""
    return json_bytes({"run_id": configured.read_now(ctx, name)}, status=202)


@operations.get("/api/catalog/v1/sources/{name}/held", "catalog.source.review", response=sourcing_views.HeldEntities)
def held_removals(
    ctx: Ctx,
    name: Reviewable,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """Entities that a source does not name any more and that are too many to go unasked."""
    ctx.authorize("catalog.source.review")
    after = last_seen(cursor, str) or ""
    with ctx.platform.store.read() as conn:
        source_id = _reviewed(conn, name)
        found = orphans.held_page(conn, source_id, after, limit + 1)
    page = page_of(found, limit, lambda item: [item["ref"]])
    return json_list(page.items, page.next_cursor)


@operations.post("/api/catalog/v1/sources/{name}/review", "catalog.source.review", response=sourcing_views.Reviewed)
def review_source(ctx: Ctx, name: Reviewable, body: Review) -> Response:
    """Decide what becomes of the removals that wait."""
    with ctx.platform.store.read() as conn:
        source_id = _reviewed(conn, name)
    refs = removals.review(ctx, source_id, body.decision)
    removed = len(refs) if body.decision == "remove" else 0
    return json_bytes({"removed": removed, "kept": len(refs) - removed})


@operations.delete("/api/catalog/v1/sources/{name}", "catalog.source.review", response=sourcing_views.Reviewed)
def remove_source(ctx: Ctx, name: Name) -> Response:
    """Remove at once everything that a source brought; it comes back when it is read, or pushed, again."""
    with ctx.platform.store.read() as conn:
        if locations.get(conn, name) is not None:
            raise ConflictError(
                "this is a registered location: unregister it, and what it brought goes (taxiway catalog unregister)",
                code="catalog.is_location",
            )
    return json_bytes({"removed": len(removals.remove_source(ctx, _id(name))), "kept": 0})


async def _raw(request: Request) -> bytes:
    # As it was sent: that is what was signed. `body` only says in the API's description that it is JSON.
    return await request.body()


Raw = Annotated[bytes, Depends(_raw)]


@operations.post("/api/catalog/v1/hooks/{name}", None, status=202, response=sourcing_views.Heard)
def receive_hook(
    ctx: Ctx, name: Name, request: Request, raw: Raw, body: Annotated[Any, Body(media_type="application/json")] = None
) -> Response:
    """Where another system tells of changes, for the source of this name. Its signature is checked."""
    headers = {key.lower(): value for key, value in request.headers.items()}
    return json_bytes({"run_id": hooks.receive(ctx.platform, name, headers, raw)}, status=202)


def _reviewed(conn: Connection, name: str) -> str:
    """The id of a source whose removals may wait. NotFoundError when there is none."""
    if locations.get(conn, name) is not None:
        return name
    sources.get_checked(conn, _id(name))
    return _id(name)


def _id(name: str) -> str:
    return name if name.startswith(PUSHED) else CONFIGURED + name.removeprefix(CONFIGURED)
