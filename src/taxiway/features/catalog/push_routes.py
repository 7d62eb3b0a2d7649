"""The push API: other programs bring entities of their own."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, Path, Response
from pydantic import BaseModel

from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import json_bytes
from taxiway.core.operations import Operations
from taxiway.features.catalog.service.pushing import push_entities as push
from taxiway.features.catalog.service.pushing import told

operations = Operations("catalog")


class LineProblem(BaseModel):
    """What is wrong with a line."""

    line: int | None
    ref: str | None
    detail: str
    remedy: str


class Pushed(BaseModel):
    """What came of a push: counts, and the first hundred problems."""

    created: int
    updated: int
    unchanged: int
    deleted: int
    held: int
    problems: list[LineProblem]
    problem_count: int


@operations.post("/api/catalog/v1/push/{source}", "catalog.entity.push", response=Pushed)
def push_entities(
    ctx: Ctx,
    source: Annotated[str, Path(max_length=63)],
    body: Annotated[bytes, Body(media_type="application/x-ndjson")],
    complete: bool = False,
) -> Response:
    """Bring entities, one JSON document a line; they are visible when this returns.

    What cannot be taken is listed, the rest is taken. With `complete` these are all of the source's entities: the
    others that it brought before are removed, or held for review when they are over a fifth of them (and over ten).
    """
    return json_bytes(told(push(ctx, source, body, complete=complete)))
