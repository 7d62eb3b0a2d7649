"""A feature for tests of the HTTP layer: one operation for each thing that a route can do."""

from __future__ import annotations

from typing import Any

from fastapi import Header, Response
from pydantic import BaseModel
from sqlalchemy import insert

from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import etag, expected_version, json_bytes
from taxiway.core.http.sse import Batch, SseEvent, event_stream
from taxiway.core.operations import Feature, Operations
from taxiway.core.permissions import OWNED, READ
from taxiway.core.store.database import Tx
from taxiway.core.store.tables import event_cursor
from taxiway.model.errors import UnavailableError, check_version


class Thing(BaseModel):
    name: str
    size: int = 1


def store_thing(tx: Tx, name: str) -> None:
    tx.conn.execute(insert(event_cursor).values(subscriber=f"thing {name} {tx.now}", seq=0))


def probe_feature(calls: list[str]) -> Feature:
    operations = Operations("probe")

    @operations.post("/api/probe/v1/things", "probe.write", status=201, response=Thing)
    def create_thing(ctx: Ctx, body: Thing) -> Any:
        """Make a thing."""
        ctx.authorize("probe.write", ctx.principal.subject)
        calls.append(body.name)
        if body.name == "boom":
            raise RuntimeError("the secret reason")
        ctx.platform.store.write(lambda tx: store_thing(tx, body.name))
        if body.name == "half":
            raise UnavailableError("the second half does not answer: try again")
        return json_bytes({"name": body.name, "size": len(calls)}, status=201, headers={"etag": etag(1)})

    @operations.put("/api/probe/v1/things/{name}", "probe.write")
    def put_thing(ctx: Ctx, name: str, body: Thing, if_match: str | None = Header(None)) -> Any:
        """Change a thing that is at version 2."""
        check_version(expected_version(if_match), 2)
        return {"name": name}

    @operations.get("/api/probe/v1/down", "probe.read")
    def get_down(ctx: Ctx) -> Any:
        """An engine that does not answer."""
        raise UnavailableError("the forge does not answer: try again", internal="at 10.0.0.1", retry_after_seconds=7)

    @operations.get("/api/probe/v1/stream", "probe.read", streams=True)
    def get_stream(ctx: Ctx) -> Response:
        """An endless stream."""
        return event_stream(ctx.platform, lambda: Batch([SseEvent("tick", {"n": 1}, "1")]))

    @operations.post("/api/catalog/things", "probe.write", errors="backstage")
    def create_backstage_thing(ctx: Ctx, body: Thing) -> Any:
        """Make a thing on Backstage's path."""
        ctx.platform.store.write(lambda tx: store_thing(tx, body.name))
        return {}

    return Feature("probe", {"probe.write": OWNED, "probe.read": READ}, operations.items)
