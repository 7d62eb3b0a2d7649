"""The SCIM 2.0 endpoints under `/scim/v2`, as a raw ASGI app: what Okta, Entra ID and others push people and groups to.

The host has authenticated; every call needs `catalog.people.write`, which a token can be limited to.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from taxiway.model.errors import (
    ConflictError,
    InputError,
    NotAllowedError,
    NotFoundError,
    PreconditionError,
    TaxiwayError,
    TimedOutError,
    TooLargeError,
)
from taxiway.plugins.scim.directory import Directory, NotUnique, Resource
from taxiway.plugins.scim.filters import FilterError, parse_filter
from taxiway.plugins.scim.patching import Immutable, InvalidSyntax, NoTarget
from taxiway.plugins.scim.resources import InvalidValue, projected
from taxiway.plugins.scim.schemas import (
    ERROR,
    LIST,
    MOST_RESULTS,
    TYPES,
    ResourceType,
    resource_types,
    schemas,
    service_provider_config,
)

DISCOVERY = frozenset({"ServiceProviderConfig", "ResourceTypes", "Schemas"})
PERMISSION = "catalog.people.write"
MOST_BODY = 2_000_000
BODY_SECONDS = 30.0
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class NoMethod(InputError):
    """A path that exists, asked in a way that it does not know."""


STATUS: Sequence[tuple[type[TaxiwayError], int, str | None]] = (
    (NoMethod, 405, None),
    (FilterError, 400, "invalidFilter"),
    (InvalidValue, 400, "invalidValue"),
    (NoTarget, 400, "noTarget"),
    (InvalidSyntax, 400, "invalidSyntax"),
    (Immutable, 400, "mutability"),
    (InputError, 400, "invalidSyntax"),
    (NotUnique, 409, "uniqueness"),
    (ConflictError, 409, None),
    (NotAllowedError, 403, None),
    (NotFoundError, 404, None),
    (PreconditionError, 412, None),
    (TooLargeError, 413, None),
    (TimedOutError, 408, None),
)


@dataclass(frozen=True)
class Request:
    """One call, read whole. `path` is what is behind `/v2`, in parts."""

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as an object. InvalidSyntax for anything else."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise InvalidSyntax("the body is no JSON", code="scim.syntax") from error
        if not isinstance(found, dict):
            raise InvalidSyntax("the body is no JSON object", code="scim.syntax")
        return found

    def search(self) -> dict[str, str]:
        """The body of a search as what the query of a list would be."""
        return {key: _query_text(value) for key, value in self.json().items()}


@dataclass(frozen=True)
class Answer:
    """What is sent back; without a body where it is None."""

    status: int
    body: Any = None
    etag: str | None = None
    location: str | None = None


class ScimApp:
    """The ASGI app. `changed` is called after every change, for the catalog to follow."""

    def __init__(self, directory: Directory, base: str, changed: Callable[[], None]) -> None:
        self._directory, self._base, self._changed = directory, base, changed

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        try:
            scope["taxiway.authorize"](PERMISSION, None)
            request = await _read(scope, receive)
            if request is None:
                return
            answer = await asyncio.to_thread(self.answer, request)
        except TaxiwayError as error:
            answer = told(error)
        except TimeoutError:
            answer = told(TimedOutError("the body did not arrive in time: send it again", code="scim.too_slow"))
        await _send(send, answer)

    def answer(self, request: Request) -> Answer:
        """One call. TaxiwayError for what cannot be done."""
        if request.path and request.path[0] in TYPES:
            return self._resources(request, TYPES[request.path[0]], request.path[1:])
        return self._discovery(request)

    def _discovery(self, request: Request) -> Answer:
        if request.path == (".search",) and request.method == "POST":
            return self._list(request.search(), *TYPES.values())
        if request.path and request.path[0] in DISCOVERY and request.method != "GET":
            raise _no_method(request)
        match request.path:
            case ("ServiceProviderConfig",):
                return Answer(200, service_provider_config(self._base))
            case ("ResourceTypes" | "Schemas" as name, *rest):
                found = resource_types(self._base) if name == "ResourceTypes" else schemas(self._base)
                if not rest:
                    return Answer(200, _listed(found, 1, len(found)))
                one = [item for item in found if [item["id"]] == rest]
                if one:
                    return Answer(200, one[0])
        raise NotFoundError("no such path: the base address ends with /scim/v2", code="scim.no_resource")

    def _resources(self, request: Request, kind: ResourceType, rest: tuple[str, ...]) -> Answer:
        tag = request.headers.get("if-match")
        match (request.method, rest):
            case ("GET", ()):
                return self._list(request.query, kind)
            case ("POST", (".search",)):
                return self._list(request.search(), kind)
            case ("POST", ()):
                return self._after(request, self._directory.create(kind, request.json()), 201, is_new=True)
            case ("GET", (identifier,)):
                found = self._directory.get(kind, identifier)
                if found.etag in request.headers.get("if-none-match", ""):
                    return Answer(304, etag=found.etag)
                return self._shown(request, found, 200)
            case ("PUT", (identifier,)):
                return self._after(request, self._directory.replace(kind, identifier, request.json(), tag), 200)
            case ("PATCH", (identifier,)):
                return self._after(request, self._directory.patch(kind, identifier, request.json(), tag), 200)
            case ("DELETE", (identifier,)):
                self._directory.delete(kind, identifier, tag)
                self._changed()
                return Answer(204)
        if len(rest) <= 1:
            raise _no_method(request)
        raise NotFoundError("no such path: /Users and /Groups have nothing below an id", code="scim.no_resource")

    def _after(self, request: Request, resource: Resource, status: int, *, is_new: bool = False) -> Answer:
        self._changed()
        return self._shown(request, resource, status, is_new=is_new)

    def _shown(self, request: Request, resource: Resource, status: int, *, is_new: bool = False) -> Answer:
        only, without = _projection(request.query)
        # Nobody is a member of a group before there is an id to name.
        groups = {} if is_new else self._groups(resource.kind, without)
        shown = resource.shown(self._base, groups)
        return Answer(status, projected(shown, only, without), resource.etag, shown["meta"]["location"])

    def _groups(self, kind: ResourceType, without: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
        needed = kind.name == "User" and "groups" not in without
        return self._directory.groups_by_member() if needed else {}

    def _list(self, query: Mapping[str, str], *kinds: ResourceType) -> Answer:
        start = max(1, _number(query.get("startIndex"), 1))
        count = min(MOST_RESULTS, max(0, _number(query.get("count"), 100)))
        text = query.get("filter", "")
        only, without = _projection(query)
        judge = parse_filter(text) if text.strip() else None
        found: list[Any] = []
        for kind in kinds:
            groups = self._groups(kind, without)
            found += self._directory.matching(
                kind, text, judge, partial(Resource.shown, base=self._base, groups=groups)
            )
        page = [projected(one, only, without) for one in found[start - 1 : start - 1 + count]]
        return Answer(200, _listed(page, start, len(found)))


async def _read(scope: dict[str, Any], receive: Receive) -> Request | None:
    path = scope["path"].removeprefix(scope.get("root_path", "")).removeprefix("/scim").strip("/")
    version, *rest = path.split("/")
    if version != "v2":
        raise NotFoundError("no such path: the base address ends with /scim/v2", code="scim.no_resource")
    query = {key: values[-1] for key, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
    headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
    body = b""
    async with asyncio.timeout(BODY_SECONDS):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > MOST_BODY:
                raise TooLargeError(
                    f"a body has at most {MOST_BODY} bytes: send members in parts, by PATCH", code="scim.too_large"
                )
            if not message.get("more_body"):
                return Request(scope["method"], tuple(rest), query, headers, body)


async def _send(send: Send, answer: Answer) -> None:
    body = b"" if answer.body is None else json.dumps(answer.body).encode()
    headers = [(b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store")]
    if body:
        headers.append((b"content-type", b"application/scim+json"))
    for name, value in ((b"etag", answer.etag), (b"location", answer.location)):
        if value is not None:
            headers.append((name, value.encode("latin-1", "replace")))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def told(error: TaxiwayError) -> Answer:
    """How a client is told of an error."""
    status, kind = next(((code, kind) for cls, code, kind in STATUS if isinstance(error, cls)), (503, None))
    body = {"schemas": [ERROR], "status": str(status), "detail": error.detail}
    return Answer(status, {**body, "scimType": kind} if kind else body)


def _listed(resources: Sequence[Any], start: int, total: int) -> dict[str, Any]:
    return {
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": list(resources),
    }


def _projection(query: Mapping[str, str]) -> tuple[list[str], list[str]]:
    def names(key: str) -> list[str]:
        return [one.strip() for one in query.get(key, "").split(",") if one.strip()]

    return names("attributes"), names("excludedAttributes")


def _no_method(request: Request) -> NoMethod:
    return NoMethod(f"{request.method} is not possible here: see RFC 7644 section 3.2", code="scim.method")


def _query_text(value: Any) -> str:
    return ",".join(str(one) for one in value) if isinstance(value, list) else str(value)


def _number(text: str | None, default: int) -> int:
    if text is None:
        return default
    try:
        return int(text)
    except ValueError as error:
        raise InvalidSyntax("startIndex and count are numbers", code="scim.syntax") from error
