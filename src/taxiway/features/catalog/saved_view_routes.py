"""Operations of saved views. `{view}` is an id or a name; what a view shows is what its reader may see."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from fastapi import Header, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import etag, expected_version, json_bytes, json_list
from taxiway.core.operations import Operations
from taxiway.features.catalog.repository import reading
from taxiway.features.catalog.routes import Fields, read_fields
from taxiway.features.catalog.saved_views import Wanted
from taxiway.features.catalog.service import saved_views
from taxiway.features.catalog.service.query import with_properties
from taxiway.features.catalog.service.saved_views import EDIT, SEE, Told
from taxiway.kit.paging import MAX_LIMIT

operations = Operations("catalog")
BASE = "/api/catalog/v1/views"
ONE = f"{BASE}/{{view}}"
Key = Annotated[str, Path(max_length=100)]
IfMatch = Annotated[str | None, Header()]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]
Line = StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", strip_whitespace=True)
Kind = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9]{0,62}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class ViewBody(BaseModel):
    """A view. `owner` is a user or a group (none: you); `visible_to` the owner alone, which for a group is all of its
    members, or everybody. `filters` and `query` are written as for by-query; `text` is looked for in names, titles,
    descriptions, tags and owners; `columns` are dotted paths; `sort` is `path,asc`, `path,desc`, or
    `path,desc,number`."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$", max_length=63)]
    title: Annotated[str, Line, Field(min_length=1, max_length=100)]
    owner: Annotated[str, Line, Field(max_length=400)] | None = None
    visible_to: Literal["owner", "everybody"] = "owner"
    kind: Kind | None = None
    filters: list[Text] = Field([], max_length=20)
    query: dict[str, Any] | None = None
    text: Annotated[str, Line, Field(max_length=300)] = ""
    columns: list[Annotated[str, StringConstraints(min_length=1, max_length=200)]] = Field([], max_length=20)
    sort: Annotated[str, StringConstraints(min_length=1, max_length=310)] | None = None


class ViewView(ViewBody):
    """A view, and what the caller has to do with it. `is_default` says that their catalog opens with it."""

    id: str
    owner: str
    may_edit: bool
    is_default: bool
    created_by: str
    created_at: int
    updated_at: int
    version: int


class ViewList(BaseModel):
    """A page of views."""

    items: list[ViewView]
    next_cursor: str | None


class ViewEntities(BaseModel):
    """A page of what a view shows: whole entities, or with `fields` only these paths of each."""

    items: list[dict[str, Any]]
    next_cursor: str | None
    total: int


@operations.get(BASE, SEE, response=ViewList)
def list_views(
    ctx: Ctx,
    name: Annotated[str | None, Query(max_length=63)] = None,
    kind: Annotated[str | None, Query(max_length=63)] = None,
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """List the views that you own, by yourself or through a group, and those that everybody sees."""
    page = saved_views.views(ctx, name, kind.lower() if kind else None, limit, cursor)
    return json_list([_view(one) for one in page.items], page.next_cursor)


@operations.post(BASE, EDIT, status=201, response=ViewView)
def create_view(ctx: Ctx, body: ViewBody) -> Response:
    """Keep a view. Showing it to everybody needs `catalog.view.share`."""
    made = saved_views.create(ctx, _wanted(body))
    return json_bytes(_view(made), status=201, headers={"location": f"{BASE}/{made.view.id}", **_tag(made)})


@operations.get(ONE, SEE, response=ViewView)
def get_view(ctx: Ctx, view: Key) -> Response:
    """Show a view, by its id or its name."""
    found = saved_views.find(ctx, view)
    return json_bytes(_view(found), headers=_tag(found))


@operations.put(ONE, EDIT, response=ViewView)
def update_view(ctx: Ctx, view: Key, body: ViewBody, if_match: IfMatch = None) -> Response:
    """Change all of a view; without `owner` it stays whose it is."""
    made = saved_views.update(ctx, view, _wanted(body), expected_version(if_match))
    return json_bytes(_view(made), headers=_tag(made))


@operations.delete(ONE, EDIT, status=204)
def delete_view(ctx: Ctx, view: Key) -> Response:
    """Forget a view; the entities that it shows stay."""
    saved_views.delete(ctx, view)
    return Response(status_code=204)


@operations.put(f"{ONE}/default", SEE, status=204)
def open_with_view(ctx: Ctx, view: Key) -> Response:
    """Open your catalog with this view from now on."""
    saved_views.set_default(ctx, view, True)
    return Response(status_code=204)


@operations.delete(f"{ONE}/default", SEE, status=204, effect="write")
def open_without_view(ctx: Ctx, view: Key) -> Response:
    """Open your catalog with everything again."""
    saved_views.set_default(ctx, view, False)
    return Response(status_code=204)


@operations.get(f"{ONE}/entities", SEE, response=ViewEntities)
def list_view_entities(
    ctx: Ctx,
    view: Key,
    fields: Fields = None,
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(max_length=100_000)] = None,
) -> Response:
    """A page of the entities that a view shows to you, in its order; with `fields`, only these paths of each."""
    page, paths = saved_views.entities(ctx, view, limit, cursor), read_fields(fields)
    items = reading.joined(reading.projected(with_properties(ctx, page.items, paths), paths))
    tail = orjson.dumps({"next_cursor": page.next_cursor, "total": page.total})
    return Response(b'{"items":' + items + b"," + tail[1:], media_type="application/json")


def _wanted(body: ViewBody) -> Wanted:
    return Wanted(**{name: getattr(body, name) for name in ViewBody.model_fields})


def _view(told: Told) -> dict[str, Any]:
    view = told.view
    more: dict[str, Any] = {"visible_to": "everybody" if view.shared else "owner"}
    more |= {"may_edit": told.may_edit, "is_default": told.is_default}
    return {name: more[name] if name in more else getattr(view, name) for name in ViewView.model_fields}


def _tag(told: Told) -> dict[str, str]:
    return {"etag": etag(told.view.version)}
