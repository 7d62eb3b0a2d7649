"""The ASGI layers around every route, outermost first: `Scope` (request id, log, metrics, headers), `Hosts`, `Callers`
(who, how often, CSRF), `BodyLimit`. Plain ASGI, so that streams pass through untouched. The assembly stacks them.
"""

from __future__ import annotations

import asyncio
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.requests import Request

from taxiway.core.context import Platform
from taxiway.core.http.context import OPERATION, PLATFORM, PRINCIPAL, REFUSAL, REQUEST_ID, target_of
from taxiway.core.http.credentials import CSRF_COOKIE, Credentials, cookies_of, credentials_of, csrf_of
from taxiway.core.http.limits import RateLimiter
from taxiway.core.http.problems import BodyBroken, BodyTooLarge, BodyTooSlow, Style, answer, known
from taxiway.core.http.route import failure
from taxiway.kit.gunzip import Gunzip
from taxiway.model.access import NOBODY
from taxiway.model.errors import (
    AuthenticationError,
    InputError,
    NotAllowedError,
    RateLimitedError,
    TaxiwayError,
    TooLargeError,
)

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
SILENCE_SECONDS = 30
"""How long a client may pause inside a request's body."""
GZIP = (b"gzip", b"x-gzip")
HEADERS = "taxiway.headers"
"""Key of the ASGI scope: the request's headers by name, lower case; of one that came twice the last."""
OPEN_PATHS = frozenset({"/healthz", "/readyz"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
Observe = Callable[[str, str, int, float], None]


def style_for(path: str) -> Style:
    """The error style of a path before its operation is known: ours has a version as its third part."""
    parts = path.split("/")
    is_theirs = len(parts) > 2 and parts[1] == "api" and parts[2] in {"catalog", "scaffolder", "search", "techdocs"}
    return "backstage" if is_theirs and parts[3:4] != ["v1"] else "problem"


@dataclass(frozen=True)
class Scope:
    """Gives the request its id and its platform, logs and measures it, adds the security headers to its answer."""

    app: Any
    platform: Platform
    headers: Sequence[tuple[bytes, bytes]]
    observe: Observe

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = scope[HEADERS] = dict(scope["headers"])
        request_id = given.get(b"x-request-id", b"").decode("latin-1")
        scope[REQUEST_ID] = request_id if _REQUEST_ID.fullmatch(request_id) else self.platform.new_id()
        scope[PLATFORM] = self.platform
        trace = _TRACEPARENT.fullmatch(given.get(b"traceparent", b"").decode("latin-1"))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(
            request_id=scope[REQUEST_ID], trace_id=trace.group(1) if trace else scope[REQUEST_ID].replace("-", "")
        )
        await self._observed(scope, receive, send)

    async def _observed(self, scope: Any, receive: Any, send: Any) -> None:
        began, status = self.platform.clock.monotonic(), 0

        async def sending(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                there = {name.lower() for name, _ in message["headers"]}
                extra = [pair for pair in self.headers if pair[0] not in there]
                if b"x-request-id" not in there:
                    extra.append((b"x-request-id", scope[REQUEST_ID].encode()))
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception as error:
            if status:
                raise
            await failure(error, Request(scope, receive), style_for(scope["path"]))(scope, receive, sending)
        finally:
            self._finished(scope, status, self.platform.clock.monotonic() - began)

    def _finished(self, scope: Any, status: int, seconds: float) -> None:
        operation = scope.get(OPERATION)
        name = operation.id if operation is not None else "-"
        self.observe(name, scope["method"], status, seconds)
        if scope["path"] in OPEN_PATHS:
            return
        principal = scope.get(PRINCIPAL, NOBODY)
        self.platform.log.info(
            "request",
            method=scope["method"],
            path=scope["path"],
            operation=name,
            status=status,
            milliseconds=round(seconds * 1000, 1),
            subject=principal.subject,
        )


@dataclass(frozen=True)
class Hosts:
    """Refuses a foreign Host header, which a rebound DNS name would carry."""

    app: Any
    allowed: frozenset[str]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] not in OPEN_PATHS:
            host = scope[HEADERS].get(b"host", b"").decode("latin-1")
            if host_name(host) not in self.allowed:
                error = InputError(
                    "this host name is not ours: use the address that `taxiway up` printed, or set public_url",
                    code="input.host",
                )
                await refuse(error, scope, receive, send)
                return
        await self.app(scope, receive, send)


@dataclass(frozen=True)
class Callers:
    """Authenticates, bounds how often one caller may come, and guards cookie sessions against forged requests.

    Bad credentials do not end the request here: open operations answer anyone, the others refuse with the reason.
    """

    app: Any
    platform: Platform
    limiter: RateLimiter
    basic_prefixes: Callable[[str], bool]
    allowed_hosts: frozenset[str]
    csrf_exempt: frozenset[str] = frozenset()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
            await self.app(scope, receive, send)
            return
        try:
            self._identify(scope)
        except TaxiwayError as error:
            await refuse(error, scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _identify(self, scope: Any) -> None:
        headers = scope[HEADERS]
        client = scope["client"][0] if scope.get("client") else ""
        given = credentials_of(headers, client, basic_allowed=self.basic_prefixes(scope["path"]))
        scope[PRINCIPAL] = NOBODY
        if not given.empty:
            try:
                scope[PRINCIPAL] = self.platform.authenticate(given)
            except AuthenticationError as error:
                scope[REFUSAL] = error.detail
        principal = scope[PRINCIPAL]
        caller = principal.token_id or principal.subject if principal is not NOBODY else f"address {client}"
        wait = self.limiter.take(caller)
        if wait:
            raise RateLimitedError(
                f"too many requests: wait {max(1, round(wait))} seconds", retry_after_seconds=max(1.0, wait)
            )
        if scope["method"] not in SAFE and given.token is None:
            self._guard(headers, given, is_session=principal is not NOBODY and scope["path"] not in self.csrf_exempt)

    def _guard(self, headers: dict[bytes, bytes], given: Credentials, *, is_session: bool) -> None:
        origin = headers.get(b"origin", b"").decode("latin-1")
        if origin and (origin == "null" or host_name(urlsplit(origin).netloc) not in self.allowed_hosts):
            raise NotAllowedError("this request comes from another site", code="not_allowed.origin")
        if not is_session or given.session is None:
            return
        sent = (headers.get(b"x-csrf-token", b"").decode("latin-1"), cookies_of(headers).get(CSRF_COOKIE, ""))
        if not all(hmac.compare_digest(value.encode(), csrf_of(given.session).encode()) for value in sent):
            raise NotAllowedError(
                f"send the value of the cookie {CSRF_COOKIE} as the header X-CSRF-Token", code="not_allowed.csrf"
            )


@dataclass(frozen=True)
class BodyLimit:
    """Ends a request whose body grows past `limit` bytes, or stops coming. A body that is packed by gzip is unpacked,
    and bounded as what it is then, too. Raw mounts (`exempt`) see to their own."""

    app: Any
    limit: int
    exempt: Callable[[str], bool]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or self.exempt(scope["path"]):
            await self.app(scope, receive, send)
            return
        length = scope[HEADERS].get(b"content-length", b"0")
        if length.isdigit() and int(length) > self.limit:
            error = known(BodyTooLarge(self.limit))
            await refuse(error or TooLargeError("too large"), scope, receive, send)
            return
        encoding = scope[HEADERS].get(b"content-encoding", b"").strip().lower()
        if encoding not in (b"", b"identity", *GZIP):
            await refuse(_packed(encoding.decode("latin-1")), scope, receive, send)
            return
        packed = Gunzip() if encoding in GZIP else None
        came, seen, is_whole = 0, 0, False

        async def counted() -> Any:
            nonlocal came, seen, is_whole
            if is_whole:
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), SILENCE_SECONDS)
            except TimeoutError as error:
                raise BodyTooSlow from error
            is_whole = not message.get("more_body", False)
            came += len(message.get("body", b""))
            if came > self.limit:  # what is packed may stand for nothing, without end
                raise BodyTooLarge(self.limit)
            if packed is not None and message["type"] == "http.request":
                try:
                    body = packed.unpack(message.get("body", b""), self.limit + 1 - seen, last=is_whole)
                except ValueError as error:
                    raise BodyBroken(str(error)) from error
                message = {**message, "body": body}
            seen += len(message.get("body", b""))
            if seen > self.limit:
                raise BodyTooLarge(self.limit)
            return message

        await self.app(scope, counted, send)


def _packed(encoding: str) -> InputError:
    return InputError(
        f"the body is packed as '{encoding[:40]}': send it as it is, or with Content-Encoding: gzip",
        code="input.encoding",
    )


async def refuse(error: TaxiwayError, scope: Any, receive: Any, send: Any) -> None:
    """Answer with `error` in the style of the path."""
    request = Request(scope, receive)
    response = answer(
        error,
        style=style_for(scope["path"]),
        method=request.method,
        url=target_of(scope),
        request_id=scope[REQUEST_ID],
    )
    await response(scope, receive, send)


def host_name(host: str) -> str:
    """A Host header or network location without its port, lower case."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.rpartition(":")[0].lower() if ":" in host else host.lower()


def allowed_hosts(host: str, public_url: str | None) -> frozenset[str]:
    """Host names that the portal and the API answer to."""
    names = {"localhost", "127.0.0.1", "[::1]", f"[{host}]".lower() if ":" in host else host.lower()}
    if public_url:
        names.add(host_name(urlsplit(public_url).netloc))
    return frozenset(names)
