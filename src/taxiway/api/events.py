"""Operations over the event log: read, follow, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Header, Query
from pydantic import BaseModel
from starlette.responses import Response

from taxiway.core.context import OpContext
from taxiway.core.events.journal import SEALED
from taxiway.core.events.verify import verify
from taxiway.core.events.view import event_view
from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import json_bytes, json_list
from taxiway.core.http.sse import Batch, SseEvent, event_stream, resume_after
from taxiway.core.operations import Feature, Operations
from taxiway.core.permissions import PLATFORM, READ
from taxiway.kit.paging import DEFAULT_LIMIT, MAX_LIMIT
from taxiway.model.cdevents import data_schema
from taxiway.model.event_types import SCHEMAS
from taxiway.plugin import EventType as Declared

operations = Operations("events")
PERMISSIONS = {"events.read": READ, "events.verify": PLATFORM}


class EventView(BaseModel):
    """A sealed event in the JSON format of CloudEvents 1.0; what is not set is left out. Data of a CDEvents type has
    the shape of CDEvents 0.5.1, with what Taxiway itself knows of it as `customData`. Extension attributes of ours:
    `seq` counts without gaps, `hash` chains to the event before, `actor` did it (for `onbehalfof`) through `via` with
    the API token `tokenid`; `subjectuid` is the uid of an entity as the subject."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: Literal["application/json"]
    data: dict[str, Any]
    seq: int
    hash: str
    actor: str
    via: str
    onbehalfof: str | None = None
    tokenid: str | None = None
    subjectuid: str | None = None


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
    """Every event type that Taxiway and its plugins emit."""

    items: list[EventType]


@operations.get("/api/events/v1/types", "events.read")
def list_event_types(ctx: Ctx) -> EventTypes:
    """List event types with the schemas of their data."""
    declared: list[Declared] = ctx.platform.registry.all("event_type")
    schemas = {**{item.key: item.schema for item in declared}, **SCHEMAS}
    items = [EventType(type=name, data_schema=data_schema(name, schemas[name])) for name in sorted(schemas)]
    return EventTypes(items=items)


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
    url = ctx.platform.public_url()
    return json_list([event_view(item, url) for item in page.items], page.next_cursor)


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
        url = self.ctx.platform.public_url()
        return Batch([SseEvent("event", event_view(item, url), str(item.seq)) for item in found])


def _head(ctx: OpContext) -> int:
    scope = ctx.scope("events.read")
    found = ctx.platform.events.list(scope, type_prefix=None, subject=None, after=0, limit=1, newest_first=True)
    return found[0].seq if found else 0
