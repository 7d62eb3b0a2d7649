"""Answers and preconditions: JSON as bytes, ETag and If-Match."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from starlette.responses import Response

from taxiway.model.errors import InputError

JSON = "application/json"


def json_bytes(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`value` as a JSON answer without validation or re-encoding; for hot reads and lists."""
    return Response(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS), status, dict(headers or {}), media_type=JSON)


def json_list(items: Iterable[Any], next_cursor: str | None = None) -> Response:
    """`{items, next_cursor}` from values."""
    return json_bytes({"items": list(items), "next_cursor": next_cursor})


def etag(version: int) -> str:
    """The entity tag of a row's version."""
    return f'"{version}"'


def expected_version(if_match: str | None) -> int | None:
    """The version that an `If-Match` header demands; None without one, or with `*`."""
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text.isdigit():
        raise InputError('If-Match must be the ETag of an earlier answer, such as "3"', code="input.if_match")
    return int(text)
