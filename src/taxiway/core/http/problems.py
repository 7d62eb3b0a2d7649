"""Turns errors into answers: RFC 9457 problems on our own paths, Backstage's error body on Backstage's paths.

The only place that knows both. Details meant for an operator (`internal`) go to the log, never into an answer.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence
from typing import Any, Literal

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from taxiway.kit.pointer import pointer
from taxiway.model.errors import (
    AuthenticationError,
    ConflictError,
    FieldError,
    InputError,
    InternalError,
    NotAllowedError,
    NotFoundError,
    RateLimitedError,
    TaxiwayError,
    TimedOutError,
    TooLargeError,
    UnavailableError,
)
from taxiway.model.kinds import BY_STATUS, KINDS

Style = Literal["problem", "backstage"]
_ERRORS: dict[str, type[TaxiwayError]] = {
    error.kind: error
    for error in (
        InputError,
        AuthenticationError,
        NotAllowedError,
        NotFoundError,
        ConflictError,
        TooLargeError,
        RateLimitedError,
        UnavailableError,
        TimedOutError,
        InternalError,
    )
}
_BELOW_ROUTER = re.compile(r"^/api/[^/?]+/?")
"""Backstage's routers name a request by what follows their own mount point."""
_FULL = "the disk of the data folder is full: free space, then try again"
_DISK = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: "the data folder cannot be written (read-only file system): make it writable, then try again",
}
"""What files that cannot be written mean, by error number; the database says the same in its own way."""


class BodyTooLarge(HTTPException):
    """Raised while a body is read that is larger than its limit; frameworks pass it through unchanged."""

    def __init__(self, limit: int) -> None:
        super().__init__(413, f"the body is larger than {limit} bytes: send less, or raise limits.body_bytes")


class BodyBroken(HTTPException):
    """Raised while a body is unpacked that is not what its Content-Encoding says."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            422, f"the body cannot be unpacked: {detail}: send it as it is, or correct its Content-Encoding"
        )


class BodyTooSlow(HTTPException):
    """Raised when a client stops in the middle of its body."""

    def __init__(self) -> None:
        super().__init__(504, "the rest of the request did not come in time: send it again")


def answer(error: TaxiwayError, *, style: Style, method: str, url: str, request_id: str) -> Response:
    """The response for an expected failure."""
    kind = KINDS[error.kind]
    headers = {"x-request-id": request_id}
    if error.retry_after_seconds is not None or kind.status == 503:
        headers["retry-after"] = str(max(1, round(error.retry_after_seconds or 5)))
    if kind.status == 401:
        headers["www-authenticate"] = "Bearer"
    if style == "backstage":
        body: Any = {
            "error": {"name": kind.backstage, "message": error.detail},
            "request": {"method": method, "url": _BELOW_ROUTER.sub("/", url, count=1)},
            "response": {"statusCode": kind.backstage_status},
        }
        return Response(orjson.dumps(body), kind.backstage_status, headers, media_type="application/json")
    body = {
        "type": f"https://taxiway.dev/problems/{error.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": error.detail,
        "instance": url.partition("?")[0],
        "code": error.code,
        "request_id": request_id,
        "retryable": error.retryable,
        "errors": [{"pointer": item.pointer, "detail": item.detail} for item in error.errors],
    }
    return Response(orjson.dumps(body), kind.status, headers, media_type="application/problem+json")


def known(error: Exception) -> TaxiwayError | None:
    """The domain error for what frameworks raise; None when it is a fault of ours."""
    if isinstance(error, TaxiwayError):
        return error
    if isinstance(error, RequestValidationError):
        return _invalid(error.errors())
    if isinstance(error, HTTPException):
        kind = BY_STATUS.get(error.status_code, "internal")
        return _ERRORS.get(kind, InternalError)(str(error.detail))
    if isinstance(error, OSError) and error.errno in _DISK:
        return UnavailableError(_DISK[error.errno], internal=str(error))
    return None


def _invalid(items: Sequence[Any]) -> InputError:
    errors = [FieldError(_where(item["loc"]), _what(item)) for item in items[:50]]
    first = "; ".join(f"{error.pointer or 'body'}: {error.detail}" for error in errors[:3])
    return InputError(f"correct these fields and send it again: {first}", code="input.invalid", errors=errors)


def _what(item: Any) -> str:
    if item["type"] == "json_invalid":
        return f"not valid JSON: {item.get('ctx', {}).get('error', 'syntax error')}"
    if item["type"] == "bytes_type":
        return "it is taken as it is, not as JSON: send it with the Content-Type that the description of the API names"
    return str(item["msg"])


def _where(location: Sequence[Any]) -> str:
    # Body pointers point into the body; parameters are named by where they are.
    if location and location[0] == "body":
        location = [part for part in location[1:] if not isinstance(part, int) or len(location) > 2]
    return pointer(location)
