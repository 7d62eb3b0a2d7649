"""Answers to the most frequent questions from memory alone, on the event loop, without waiting for anything.

Each function answers a plain request of somebody who may see everything, while the index is at the store's last commit;
otherwise it returns None, and the declared operation answers: with the same bytes, or with what is wrong. Whole answers
are kept until anything in the catalog changes: many ask the same of it, and again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from urllib.parse import parse_qsl

import orjson
from fastapi import Request, Response

from taxiway.core.context import OpContext
from taxiway.features.catalog.repository import listing, reading
from taxiway.features.catalog.repository.index.catalog_index import View
from taxiway.features.catalog.repository.index.state import UnheldError
from taxiway.features.catalog.service.query import READ, index_of
from taxiway.model.errors import InputError

JSON = "application/json"
MOST = 100
LONGEST = 1000
"""Characters of a question: longer ones may take longer than others should wait for on the loop."""
SORTS = ("", "metadata.name", "kind", "spec.type", "spec.lifecycle")
VALUES = 2000
"""How many values may be counted on the loop."""
REPEATED = ("filter", "facet")
Parameters = dict[str, list[str]]


def entity_by_name(ctx: OpContext, request: Request) -> Response | None:
    """One entity by its name."""
    if request.scope["query_string"] or not ctx.scope(READ).everything:
        return None
    part = request.path_params
    with index_of(ctx.platform).at_once() as view:
        if view is None:
            return None
        text = view.state.texts.get(f"{part['kind']}:{part['namespace']}/{part['name']}".lower())
    return None if text is None else Response(text, media_type=JSON)


def query_entities(ctx: OpContext, request: Request) -> Response | None:
    """A page of entities with cursors to its neighbours."""
    return _answered(ctx, request, {"filter", "limit", "offset", "cursor", "orderField"}, _page)


def entity_facets(ctx: OpContext, request: Request) -> Response | None:
    """Counts of the values of fields."""
    return _answered(ctx, request, {"facet", "filter"}, _facets)


def _answered(
    ctx: OpContext, request: Request, known: Set[str], make: Callable[[View, Parameters], bytes | None]
) -> Response | None:
    # As it was answered the last time, or made now.
    asked: bytes = request.scope["query_string"]
    if len(asked) > LONGEST or not ctx.scope(READ).everything:
        return None
    question = f"{request.scope['path']}?{asked.decode('latin-1')}"
    try:
        with index_of(ctx.platform).at_once() as view:
            if view is None:
                return None
            body = view.state.answers.get(question)
            given = _parameters(asked, known) if body is None else None
            if given is not None and (body := make(view, given)) is not None:
                view.state.answers.keep({question: body})
    except (UnheldError, InputError):
        return None
    return None if body is None else Response(body, media_type=JSON)


def _page(view: View, given: Parameters) -> bytes | None:
    limit, offset = _number(given, "limit", listing.DEFAULT_LIMIT), _number(given, "offset", 0)
    sort, _, direction = given.get("orderField", [""])[0].partition(",")
    if limit is None or offset is None or limit > MOST or (sort and direction not in ("asc", "desc")):
        return None
    query = listing.Query(given.get("filter", ()), sort=sort or None, descending=direction == "desc")
    if "cursor" in given:
        query, offset = listing.decode(given["cursor"][0]), 0
    page = listing.page_in_memory(view, query, limit=limit, offset=offset) if _is_quick(query) else None
    return None if page is None else page_body(page)


def _facets(view: View, given: Parameters) -> bytes | None:
    query = listing.Query(given.get("filter", ()))
    if "facet" not in given or not _is_quick(query):
        return None
    counts = listing.facets_in_memory(view, given["facet"], query, VALUES)
    return None if counts is None else orjson.dumps({"facets": counts})


def page_body(page: listing.Listed, fields: Sequence[str] = ()) -> bytes:
    """What is answered for a page."""
    info = {"nextCursor": page.next_cursor, "prevCursor": page.previous_cursor}
    tail = {"totalItems": page.total, "pageInfo": {key: value for key, value in info.items() if value is not None}}
    items = reading.joined(reading.projected(page.items, fields))
    return b'{"items":%b,%b' % (items, orjson.dumps(tail)[1:])


def _is_quick(query: listing.Query) -> bool:
    # Whether a path has any value at all is told by looking at all of its values.
    equalities = all("=" in part for text in query.filters for part in text.split(",") if part.strip())
    return equalities and (query.sort or "") in SORTS and query.predicate is None and not query.term


def _parameters(asked: bytes, known: Set[str]) -> Parameters | None:
    given: Parameters = {}
    for key, value in parse_qsl(asked.decode("latin-1"), keep_blank_values=True):
        given.setdefault(key, []).append(value)
    if not given.keys() <= known or any("" in values for values in given.values()):
        return None
    return given if all(len(values) <= (50 if key in REPEATED else 1) for key, values in given.items()) else None


def _number(given: Parameters, key: str, usual: int) -> int | None:
    if key not in given:
        return usual
    text = given[key][0]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else None
