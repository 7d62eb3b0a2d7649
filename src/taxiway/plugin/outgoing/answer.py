"""What came back, and what is told of it: without query, user or any secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from taxiway.model.errors import ConflictError, InputError, NotFoundError, RateLimitedError, UnavailableError

MAX_TOLD = 300


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. Header names are lower case; `url` is where it came from in the end. `body` is whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def unchanged(self) -> bool:
        """Whether it is as it was at the time of the ETag that was sent along."""
        return self.status == 304

    @property
    def etag(self) -> str | None:
        """What to send as `etag` the next time."""
        return self.headers.get("etag")

    def json(self) -> Any:
        """The body as JSON. UnavailableError when it is none: a proxy or a login page answered."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise UnavailableError(
                f"{shown(self.url)} did not answer with JSON: check that the address is that of the API",
                code="outgoing.no_json",
            ) from error

    def checked(self, what: str = "") -> Answer:
        """Itself when it is a success or a 304. Otherwise the error that says what to do, `what` named in it."""
        if 200 <= self.status < 300 or self.status == 304:
            return self
        name = what or shown(self.url)
        told = self._told()
        if self.status == 401:
            raise InputError(f"{name}: the credential was refused{told}: renew it", code="outgoing.unauthorized")
        if self.status == 403:
            raise InputError(
                f"{name}: the credential may not do this{told}: give it the right", code="outgoing.forbidden"
            )
        if self.status in (404, 410):
            raise NotFoundError(
                f"{name} is not there, or the credential may not see it{told}", code="outgoing.not_found"
            )
        if self.status in (409, 412):
            raise ConflictError(f"{name}: it is in another state than expected{told}", code="outgoing.conflict")
        if self.status == 429:
            raise RateLimitedError(f"{name}: too many requests{told}: try again later", code="outgoing.rate_limited")
        if self.status >= 500:
            raise UnavailableError(
                f"{name}: it answered {self.status}{told}: try again later", code="outgoing.unavailable"
            )
        raise InputError(f"{name}: it answered {self.status}{told}", code="outgoing.refused")

    def _told(self) -> str:
        # What APIs say of an error, in one line; pages of HTML are not repeated.
        try:
            told = json.loads(self.body[:20_000])
        except (ValueError, RecursionError):
            return ""
        if not isinstance(told, dict):
            return ""
        said = next((told[key] for key in ("message", "error_description", "error", "detail") if told.get(key)), "")
        parts = [said if isinstance(said, str) else json.dumps(said), *_details(told.get("errors"))]
        text = " ".join(": ".join(part for part in parts if part).split())
        return f" ({text[:MAX_TOLD]})" if text else ""


def _details(errors: Any) -> list[str]:
    """What GitHub and others list beside their message: texts, or objects with a message, or a field and a code."""
    if not isinstance(errors, list):
        return []
    found = []
    for error in errors[:5]:
        if isinstance(error, dict):
            error = error.get("message") or " ".join(str(error[key]) for key in ("field", "code") if error.get(key))
        if isinstance(error, str) and error:
            found.append(error)
    return ["; ".join(found)]


def shown(url: str) -> str:
    """A URL without what may be secret in it: user, password, query and fragment."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an address that is no URL"
    return f"{parts.scheme}://{host}{port}{parts.path}"
