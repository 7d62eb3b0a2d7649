"""Operations over the event log: read, follow, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import Header, Query
from pydantic import BaseModel
from starlette.responses import Response

from taxiway.core.context import OpContext
from taxiway.core.events.journal import SEALED
from taxiway.core.events.verify import verify
from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import json_bytes, json_list
from taxiway.core.http.sse import Batch, SseEvent, event_stream, resume_after
from taxiway.core.operations import Feature, Operations
from taxiway.core.permissions import PLATFORM, READ
from taxiway.kit.paging import DEFAULT_LIMIT, MAX_LIMIT
from taxiway.model.event import Event
from taxiway.model.event_types import SCHEMAS

operations = Operations("events")
PERMISSIONS = {"events.read": READ, "events.verify": PLATFORM}


class EventView(BaseModel):
    """A sealed event. `seq` counts without gaps; `at` is microseconds UTC; `hash` chains to the one before."""

    seq: int
    id: str
    type: str
    source: str
    subject: str
    at: int
    data: dict[str, Any]
    actor: str
    on_behalf_of: str | None
    via: str
    token_id: str | None
    hash: str


class EventList(BaseModel):
    """A page of events, newest first."""

    items: list[EventView]
    next_cursor: str | None


class Verification(BaseModel):
    """What reading the whole chain found; `problem` names the first thing wrong."""

    ok: bool
    checked: int
    problem: str | None


class EventType(BaseModel):
    """An event type and the JSON Schema of its data; the version is the end of its name."""

    type: str
    data_schema: dict[str, Any]


class EventTypes(BaseModel):
    """Every event type that Taxiway emits itself; plugins add their own."""

    items: list[EventType]


@operations.get("/api/events/v1/types", "events.read")
def list_event_types(ctx: Ctx) -> EventTypes:
    """List event types with the schemas of their data."""
    return EventTypes(items=[EventType(type=name, data_schema=dict(schema)) for name, schema in SCHEMAS.items()])


@operations.get("/api/events/v1/events", "events.read", response=EventList)
def list_events(
    ctx: Ctx,
    type: str | None = None,
    subject: str | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Any:
    """What happened, newest first. `type` is a prefix of the event's type."""
    scope = ctx.scope("events.read")
    page = ctx.platform.events.page(scope, type_prefix=type, subject=subject, cursor=cursor, limit=limit)
    return json_list([event_view(item) for item in page.items], page.next_cursor)


@operations.get("/api/events/v1/verify", "events.verify", response=Verification)
def verify_events(ctx: Ctx) -> Any:
    """Read the whole chain and its signed checkpoints, and say whether anything was changed."""
    found = verify(ctx.platform.store, Path(ctx.platform.settings.data).resolve())
    return json_bytes({"ok": found.ok, "checked": found.checked, "problem": found.problem})


@operations.get("/api/events/v1/stream", "events.read", streams=True)
def stream_events(
    ctx: Ctx,
    type: str | None = None,
    subject: str | None = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Follow the log (SSE): `event` for each sealed event from now on, or from behind Last-Event-ID."""
    after = resume_after(last_event_id, _head(ctx))
    return event_stream(ctx.platform, _Follow(ctx, type, subject, after).poll, topic=SEALED)


FEATURE = Feature("events", PERMISSIONS, operations.items)


def event_view(event: Event) -> dict[str, Any]:
    """An event in the shape of `EventView`."""
    return {
        "seq": event.seq,
        "id": event.id,
        "type": event.type,
        "source": event.source,
        "subject": event.subject,
        "at": event.at,
        "data": event.data,
        "actor": event.actor,
        "on_behalf_of": event.on_behalf_of,
        "via": event.via,
        "token_id": event.token_id,
        "hash": event.hash,
    }


class _Follow:
    """Looks for events behind the last one that was sent."""

    def __init__(self, ctx: OpContext, type_prefix: str | None, subject: str | None, after: int) -> None:
        self.ctx, self.type_prefix, self.subject, self.after = ctx, type_prefix, subject, after

    def poll(self) -> Batch:
        found = self.ctx.platform.events.list(
            self.ctx.scope("events.read"),
            type_prefix=self.type_prefix,
            subject=self.subject,
            after=self.after,
            limit=200,
            newest_first=False,
        )
        if found:
            self.after = found[-1].seq
        return Batch([SseEvent("event", event_view(item), str(item.seq)) for item in found])


def _head(ctx: OpContext) -> int:
    scope = ctx.scope("events.read")
    found = ctx.platform.events.list(scope, type_prefix=None, subject=None, after=0, limit=1, newest_first=True)
    return found[0].seq if found else 0
