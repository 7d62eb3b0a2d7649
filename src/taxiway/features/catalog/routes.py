"""Operations of the catalog on Backstage's paths, with its parameters, answers and error bodies.

Documents are passed on as the JSON text that is stored. What the caller may not see is absent, never refused.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

import orjson
from fastapi import Path, Query, Response
from pydantic import StringConstraints
from starlette.responses import StreamingResponse

from taxiway.core.context import OpContext
from taxiway.core.cursors import bad_cursor
from taxiway.core.http.context import Ctx
from taxiway.core.operations import Operations
from taxiway.features.catalog import fast, service, views
from taxiway.features.catalog.refs import full_ref
from taxiway.features.catalog.repository import filters, listing, reading
from taxiway.features.catalog.repository.filters import Clause
from taxiway.features.catalog.repository.listing import DEFAULT_LIMIT, Listed
from taxiway.features.catalog.repository.query import read_order
from taxiway.features.catalog.service.ancestry import ancestors_of
from taxiway.features.catalog.service.past import decode_cursor, documents_at, page_at
from taxiway.features.catalog.service.query import (
    facets_of_entities,
    ids_of_entities,
    page_of_entities,
    text_of_entity,
    with_properties,
)
from taxiway.model.errors import InputError, NotFoundError

operations = Operations("catalog")
BASE = "/api/catalog"
READ = "catalog.entity.read"
JSON = "application/json"
STREAM = 500
NotEmpty = Annotated[str, StringConstraints(min_length=1)]
Filter = Annotated[list[NotEmpty] | None, Query(max_length=100)]
PARTS = "dotted paths: entities are answered with nothing but these, so without what whole ones always have"
Fields = Annotated[list[NotEmpty] | None, Query(max_length=100, description=PARTS)]
Orders = Annotated[list[NotEmpty] | None, Query(max_length=10)]
Limit = Annotated[int | None, Query(ge=0, le=listing.MAX_LIMIT)]
Offset = Annotated[int | None, Query(ge=0, le=10_000_000)]
Part = Annotated[str, Path(max_length=253)]
AsOf = Annotated[str | None, Query(max_length=40, description="a time: ISO 8601, or microseconds UTC")]


@operations.get(f"{BASE}/entities", READ, errors="backstage", response=list[views.Entity])
def list_entities(
    ctx: Ctx,
    filter: Filter = None,
    fields: Fields = None,
    limit: Limit = None,
    offset: Offset = None,
    after: Annotated[str | None, Query(min_length=1, max_length=1000)] = None,
    order: Orders = None,
) -> Response:
    """List entities as a bare array.

    With limit, offset or after it is one page and a Link header names the next; without, it is everything, streamed.
    """
    direction, colon, _ = (order or [""])[0].partition(":")
    if order and (not colon or direction not in ("asc", "desc")):
        raise InputError(
            f'Invalid order parameter "{order[0]}", expected "<asc or desc>:<field name>"', code="catalog.bad_order"
        )
    query = listing.Query(filter or (), **read_order(*(order or [""])[0].partition(":")[::2]))
    if limit is None and offset is None and after is None:
        ids = ids_of_entities(ctx, query)
        return StreamingResponse(_stream(ctx, ids, read_fields(fields)), media_type=JSON)
    if limit == 0:
        raise InputError("Invalid limit, must be greater than zero", code="catalog.bad_limit")
    size, start = _after(after) if after is not None else (limit or DEFAULT_LIMIT, offset or 0)
    page = page_of_entities(ctx, query, limit=size, offset=start, with_total=False)
    headers = {}
    if page.next_cursor is not None:
        token = base64.b64encode(orjson.dumps({"limit": size, "offset": start + size})).decode()
        parameters = [("filter", f) for f in filter or ()] + [("fields", f) for f in fields or ()]
        parameters += [("order", o) for o in order or ()] + [("limit", str(size)), ("after", token)]
        headers["link"] = f'<{BASE}/entities?{urlencode(parameters)}>; rel="next"'
    paths = read_fields(fields)
    body = reading.joined(reading.projected(with_properties(ctx, page.items, paths), paths))
    return Response(body, headers=headers, media_type=JSON)


@operations.get(
    f"{BASE}/entities/by-query", READ, errors="backstage", response=views.EntityPage, fast=fast.query_entities
)
def query_entities(
    ctx: Ctx,
    filter: Filter = None,
    fields: Fields = None,
    limit: Limit = None,
    offset: Offset = None,
    orderField: Orders = None,
    cursor: Annotated[str | None, Query(min_length=1, max_length=100_000)] = None,
    fullTextFilterTerm: Annotated[str, Query(max_length=300)] = "",
    fullTextFilterFields: Fields = None,
    totalItems: Annotated[str, Query(pattern="^(include|exclude)$")] = "include",
    as_of: AsOf = None,
) -> Response:
    """A page of entities with cursors to its neighbours; with `as_of`, of the entities as they were then."""
    order = read_order(*(orderField or [""])[0].split(",", 2))
    query = listing.Query(filter or (), None, fullTextFilterTerm.strip(), read_fields(fullTextFilterFields), **order)
    return _page(ctx, query, cursor, limit, offset, read_fields(fields), totalItems == "include", read_time(as_of))


@operations.post(f"{BASE}/entities/by-query", READ, errors="backstage", effect="read", response=views.EntityPage)
def query_entities_by_body(ctx: Ctx, body: views.ByQuery | None = None, as_of: AsOf = None) -> Response:
    """A page of entities for a JSON predicate; with `as_of`, of the entities as they were then."""
    body = body or views.ByQuery()
    orders = body.orderBy if isinstance(body.orderBy, list) else [body.orderBy] if body.orderBy else []
    order = read_order(*((orders[0].field, orders[0].order, orders[0].by or "") if orders else ()))
    text = body.fullTextFilter or views.FullTextFilter()
    query = listing.Query((), body.query, text.term.strip(), text.fields, **order)
    with_total, at = body.totalItems == "include", read_time(as_of)
    return _page(ctx, query, body.cursor, body.limit, body.offset, read_fields(body.fields), with_total, at)


@operations.post(f"{BASE}/entities/by-refs", READ, errors="backstage", effect="read", response=views.EntityItems)
def entities_by_refs(ctx: Ctx, body: views.ByRefs, filter: Filter = None, as_of: AsOf = None) -> Response:
    """Entities by reference, in the order asked for, null where there is none; with `as_of`, as they were then."""
    refs, fields = [_ref(text) for text in body.entityRefs], read_fields(body.fields)
    if (at := read_time(as_of)) is not None:
        then = documents_at(ctx, refs, at, listing.Query(filter or (), body.query))
        items = reading.joined(reading.projected([then.get(ref) for ref in refs], fields))
        return Response(b'{"items":' + items + b"}", media_type=JSON)
    where = _scope(ctx) & filters.parse_filters(filter or (), _scope(ctx))
    if body.query is not None:
        where = where & filters.parse_predicate(body.query, _scope(ctx))
    with ctx.platform.store.read() as conn:
        found = reading.texts_by_refs(conn, [ref for ref in refs if ref], where, _scope(ctx))
    items = reading.joined(reading.projected([found.get(ref) for ref in refs], fields))
    return Response(b'{"items":' + items + b"}", media_type=JSON)


@operations.get(
    f"{BASE}/entities/by-name/{{kind}}/{{namespace}}/{{name}}",
    READ,
    errors="backstage",
    response=views.Entity,
    fast=fast.entity_by_name,
)
def entity_by_name(ctx: Ctx, kind: Part, namespace: Part, name: Part, as_of: AsOf = None) -> Response:
    """One entity by its name; with `as_of`, as it was then."""
    ref = f"{kind}:{namespace}/{name}".lower()
    if (at := read_time(as_of)) is not None:
        text = documents_at(ctx, [ref], at).get(ref)
    else:
        text = text_of_entity(ctx, ref)
    if text is None:
        raise NotFoundError(
            f"No entity named '{name}' found, with kind '{kind}' in namespace '{namespace}'", code="catalog.no_entity"
        )
    return Response(text, media_type=JSON)


@operations.get(
    f"{BASE}/entities/by-name/{{kind}}/{{namespace}}/{{name}}/ancestry",
    READ,
    errors="backstage",
    response=views.Ancestry,
)
def entity_ancestry(ctx: Ctx, kind: Part, namespace: Part, name: Part) -> Response:
    """An entity, and the Location entities that lead to the file it was read from."""
    ref = f"{kind}:{namespace}/{name}".lower()
    found = ancestors_of(ctx.platform, ref, _scope(ctx))
    items = [f'{{"entity":{item.document},"parentEntityRefs":{orjson.dumps(item.parents).decode()}}}' for item in found]
    return Response(
        b'{"rootEntityRef":' + orjson.dumps(ref) + b',"items":' + reading.joined(items) + b"}", media_type=JSON
    )


@operations.get(f"{BASE}/entities/by-uid/{{uid}}", READ, errors="backstage", response=views.Entity)
def entity_by_uid(ctx: Ctx, uid: Part) -> Response:
    """One entity by its uid."""
    with ctx.platform.store.read() as conn:
        text = reading.text_by_uid(conn, uid, _scope(ctx))
    if text is None:
        raise NotFoundError(f"No entity with uid {uid}", code="catalog.no_entity")
    return Response(text, media_type=JSON)


@operations.delete(f"{BASE}/entities/by-uid/{{uid}}", "catalog.entity.delete", errors="backstage", status=204)
def delete_entity(ctx: Ctx, uid: Part) -> Response:
    """Remove an entity; it comes back when its source still names it."""
    service.delete_by_uid(ctx, uid)
    return Response(status_code=204)


@operations.get(f"{BASE}/entity-facets", READ, errors="backstage", response=views.Facets, fast=fast.entity_facets)
def entity_facets(
    ctx: Ctx, facet: Annotated[list[NotEmpty], Query(min_length=1, max_length=50)], filter: Filter = None
) -> Response:
    """Counts of the values of fields."""
    return _facets(ctx, facet, listing.Query(filter or ()))


@operations.post(f"{BASE}/entity-facets", READ, errors="backstage", effect="read", response=views.Facets)
def entity_facets_by_body(ctx: Ctx, body: views.FacetQuery) -> Response:
    """Counts of the values of fields, for a JSON predicate."""
    return _facets(ctx, body.facets, listing.Query(predicate=body.query))


def _page(
    ctx: OpContext,
    query: listing.Query,
    cursor: str | None,
    limit: int | None,
    offset: int | None,
    fields: Sequence[str],
    with_total: bool,
    at: int | None,
) -> Response:
    past = decode_cursor(cursor) if cursor else None
    if past is not None:
        query, at, offset = past
    elif cursor and at is not None:
        raise bad_cursor()  # it is of now
    elif cursor:
        query, offset = listing.decode(cursor), 0
    size = DEFAULT_LIMIT if limit is None else limit
    page: Listed
    if at is not None:
        page = page_at(ctx, query, at, limit=size, offset=offset or 0)
    else:
        page = page_of_entities(ctx, query, limit=size, offset=offset or 0, with_total=with_total)
        page = replace(page, items=with_properties(ctx, page.items, fields))
    return Response(fast.page_body(page, fields), media_type=JSON)


def _facets(ctx: OpContext, keys: Sequence[str], query: listing.Query) -> Response:
    content = b'{"facets":{' + facets_of_entities(ctx, keys, query) + b"}}"
    return Response(content, media_type="application/json")


def _stream(ctx: OpContext, ids: Sequence[int], fields: Sequence[str]) -> Iterator[bytes]:
    yield b"["
    for start in range(0, len(ids), STREAM):
        with ctx.platform.store.read() as conn:
            texts = reading.texts_by_ids(conn, ids[start : start + STREAM], _scope(ctx))
        found = with_properties(ctx, list(texts.values()), fields)
        chunk = reading.joined(reading.projected(found, fields))[1:-1]
        yield b"," + chunk if start and chunk else chunk
    yield b"]"


def read_time(text: str | None) -> int | None:
    """Microseconds UTC of an `as_of` parameter; None without one."""
    if text is None:
        return None
    try:
        moment = int(text) if text.isdigit() else _micros(datetime.fromisoformat(text.replace(" ", "+")))
    except (ValueError, OverflowError) as error:
        raise InputError(
            "as_of is a time such as 2026-11-25T12:00:00Z, or microseconds UTC", code="catalog.bad_as_of"
        ) from error
    return moment


def _micros(moment: datetime) -> int:
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _ref(text: str) -> str:
    # What cannot be read as a reference stands for nothing: null, as upstream answers.
    try:
        return full_ref(text)
    except InputError:
        return ""


def _scope(ctx: OpContext) -> Clause:
    return filters.visible_to(ctx.scope(READ))


def read_fields(fields: Sequence[str] | None) -> list[str]:
    """The dotted paths of a `fields` parameter."""
    paths = [path.strip() for text in fields or () for path in text.split(",") if path.strip()]
    if any("[" in path for path in paths):
        raise InputError("fields are dotted paths without '['", code="catalog.bad_fields")
    return paths


def _after(after: str) -> tuple[int, int]:
    try:
        value = orjson.loads(base64.b64decode(after, validate=True))
        limit, offset = int(value["limit"]), int(value["offset"])
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise bad_cursor("after") from error
    return max(1, min(limit, listing.MAX_LIMIT)), max(0, min(offset, 10_000_000))
