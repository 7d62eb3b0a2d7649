"""Search, on Backstage's path with its parameters, answers and error bodies."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import BaseModel

from taxiway.core.cursors import bad_cursor
from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import json_bytes
from taxiway.core.operations import Operations
from taxiway.features.search.service import Question, search
from taxiway.model.errors import InputError

operations = Operations("search")
MAX_RESULTS = 100
MAX_FILTERS = 20
_TYPES = re.compile(r"types(\[\d{0,3}\])?")
_FILTER = re.compile(r"filters\[([^\[\]]{1,200})\](\[\d{0,3}\])?")


class Highlight(BaseModel):
    """Fields of a document in which what was found stands between two tags."""

    preTag: str
    postTag: str
    fields: dict[str, str]


class SearchResult(BaseModel):
    """One result."""

    type: str
    document: dict[str, Any]
    rank: int
    highlight: Highlight | None = None


class SearchResults(BaseModel):
    """Ranked results."""

    results: list[SearchResult]
    nextPageCursor: str | None = None
    previousPageCursor: str | None = None
    numberOfResults: int


@operations.get("/api/search/query", "search.query", errors="backstage", response=SearchResults)
def query(
    ctx: Ctx,
    request: Request,
    term: Annotated[str, Query(max_length=300)] = "",
    types: Annotated[list[str] | None, Query(max_length=20)] = None,
    kinds: Annotated[list[str] | None, Query(max_length=20)] = None,
    limit: Annotated[int | None, Query(ge=1, le=MAX_RESULTS)] = None,
    pageLimit: Annotated[int, Query(ge=1, le=MAX_RESULTS)] = 25,
    pageCursor: Annotated[str, Query(max_length=50)] = "",
) -> Response:
    """Search by words; each word also finds what begins with it, and a name is found with one typing error.

    `types` are types of documents. `filters[<field>]=<value>` narrows by a field of the documents, `kinds` by the kind.
    """
    given = request.query_params.multi_items()
    filters: dict[str, list[str]] = {"kind": list(kinds)} if kinds else {}
    for key, value in given:
        if (match := _FILTER.fullmatch(key)) is not None:
            filters.setdefault(match[1], []).append(value)
    if len(filters) > MAX_FILTERS or sum(map(len, filters.values())) > 100:
        raise InputError(f"a search has at most {MAX_FILTERS} filters: leave some out", code="search.filters")
    size, number = limit or pageLimit, _page_number(pageCursor)
    chosen = [value for key, value in given if _TYPES.fullmatch(key)]
    answer = search(ctx, Question(term.replace("\0", " "), chosen, filters, size, number * size))
    body: dict[str, Any] = {"results": answer.results, "numberOfResults": answer.total}
    if (number + 1) * size < answer.total:
        body["nextPageCursor"] = _cursor(number + 1)
    if number > 0:
        body["previousPageCursor"] = _cursor(number - 1)
    return json_bytes(body)


def _cursor(number: int) -> str:
    return base64.b64encode(str(number).encode()).decode()


def _page_number(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return max(0, min(int(base64.b64decode(cursor, validate=True)), 100_000))
    except (binascii.Error, ValueError) as error:
        raise bad_cursor("pageCursor") from error
