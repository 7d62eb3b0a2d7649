"""Operations become FastAPI routes. The order is the point: who are you, may you at all, and only then what you sent.

Called by the assembly in `api`. A route never decides about a thing's owner: services do, with `ctx.authorize`.
"""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import cached_property
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from taxiway.core.context import OpContext, Platform
from taxiway.core.http import idempotency
from taxiway.core.http.context import OPERATION, PLATFORM, PRINCIPAL, REFUSAL, REQUEST_ID, context_of, target_of
from taxiway.core.http.idempotency import Answers, DoneError, InFlightError
from taxiway.core.http.problems import answer, known
from taxiway.core.http.table import RouteTable
from taxiway.core.operations import JSON, Operation
from taxiway.core.permissions import may_at_all
from taxiway.core.store.companion import accompanied
from taxiway.model.access import NOBODY, Principal
from taxiway.model.errors import AuthenticationError, InternalError, NotAllowedError

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
KEY_HEADER = "idempotency-key"


class OperationRoute(Route):
    """The route of one operation. What FastAPI makes of its handler is made when it is first asked for: making all of
    them took a tenth of the server's start."""

    def __init__(self, operation: Operation) -> None:
        super().__init__(operation.path, _not_made, methods=[operation.method], name=operation.id)
        # GET is not HEAD as well, as with FastAPI's own routes.
        self.methods = {operation.method}
        self.operation = operation
        self.app = self._first if operation.fast is None else _fast_first(operation, operation.fast, self._first)

    @cached_property
    def made(self) -> APIRoute:
        return _HandlerRoute(self.operation)

    async def _first(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = self.made
        # FastAPI closes the files of a form when the answer is given; it asks for this around each of its routes.
        await AsyncExitStackMiddleware(self.made.app)(scope, receive, send)


async def _not_made(_: Request) -> Response:
    raise AssertionError("an operation is answered by the route that is made of it")


class _JsonRequest(Request):
    """A request whose JSON is as the standard and JavaScript have it: no NaN, no halves of characters, which no encoder
    takes, and a number that is too long for 64 bits is a float."""

    async def json(self) -> Any:
        return orjson.loads((await self.body()).removeprefix(codecs.BOM_UTF8))


class _HandlerRoute(APIRoute):
    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        super().__init__(operation.path, operation.handler, **_options(operation))

    def get_route_handler(self) -> Handler:
        inner, operation = super().get_route_handler(), self.operation

        async def handle(request: Request) -> Response:
            request = _JsonRequest(request.scope, request.receive)
            request.scope[OPERATION] = operation
            try:
                check(request.scope, operation.permission)
                if KEY_HEADER in request.headers and operation.effect != "read" and operation.permission is not None:
                    return await _once(request, inner, operation.errors)
                return await inner(request)
            except DoneError as error:
                response = failure(error, request, operation.errors)
                if error.location is not None:
                    response.headers["location"] = error.location
                return response
            except Exception as error:
                return failure(error, request, operation.errors)

        return handle


def _fast_first(operation: Operation, fast: Callable[[OpContext, Request], Response | None], usual: Any) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        response: Response | None
        try:
            check(scope, operation.permission)
            response = fast(context_of(scope), request)
        except Exception as error:
            response = failure(error, request, operation.errors)
        if response is None:
            await usual(scope, receive, send)
            return
        scope[OPERATION] = operation
        await response(scope, receive, send)

    return app


def mount(app: FastAPI, operations: Iterable[Operation]) -> None:
    """Add a route for each operation, in order."""
    app.router.routes.append(RouteTable([OperationRoute(operation) for operation in operations]))


def mounted(app: FastAPI) -> list[OperationRoute]:
    """The routes of all operations, in order."""
    tables = (table.routes for table in app.router.routes if isinstance(table, RouteTable))
    return [route for routes in tables for route in routes if isinstance(route, OperationRoute)]


def _options(operation: Operation) -> dict[str, Any]:
    lines = (operation.handler.__doc__ or operation.id).strip().split("\n", 1)
    options: dict[str, Any] = {
        "methods": [operation.method],
        "status_code": operation.status,
        "operation_id": operation.id,
        "name": operation.id,
        "tags": [operation.id.partition(".")[0]],
        "summary": lines[0],
        "description": lines[1].strip() if len(lines) > 1 else "",
        "include_in_schema": not operation.hidden,
        "openapi_extra": {
            "x-taxiway-permission": operation.permission,
            "x-taxiway-effect": operation.effect,
            "x-taxiway-streams": operation.streams,
        },
    }
    if operation.response is not None:
        options["response_model"] = operation.response
    options["responses"] = {status: {"model": body} for status, body in operation.others.items()}
    media = _media(operation)
    if media != JSON:
        options["response_class"] = Response
        options["responses"] |= {operation.status: {"content": {one: {} for one in media}}} if media else {}
    return options


def _media(operation: Operation) -> Sequence[str]:
    if operation.streams:
        return ("text/event-stream",)
    is_redirect = 300 <= operation.status < 400
    return () if is_redirect else operation.media


def check(scope: Any, permission: str | None) -> None:
    """AuthenticationError or NotAllowedError unless the caller could use `permission` on anything."""
    if permission is None:
        return
    platform: Platform = scope[PLATFORM]
    principal: Principal = scope.get(PRINCIPAL, NOBODY)
    if principal is NOBODY:
        raise AuthenticationError(scope.get(REFUSAL) or "sign in, or send an API token as 'Authorization: Bearer …'")
    decision = may_at_all(platform.permissions, principal, permission)
    if not decision.allowed:
        raise NotAllowedError(f"you may not do this: {decision.reason}", code=f"not_allowed.{permission}")


def failure(error: Exception, request: Request, style: Any) -> Response:
    """The answer for any exception of a route; a fault of ours is logged and shown by its request id only."""
    platform: Platform = request.scope[PLATFORM]
    expected = known(error)
    if expected is None:
        platform.log.exception("request.failed", path=request.url.path, error=repr(error))
        expected = InternalError(
            f"Taxiway made a mistake: the server's log has the details under request {request.scope[REQUEST_ID]}"
        )
    elif expected.internal:
        platform.log.warning("request.refused", path=request.url.path, code=expected.code, internal=expected.internal)
    return answer(
        expected,
        style=style,
        method=request.method,
        url=target_of(request.scope),
        request_id=request.scope[REQUEST_ID],
    )


async def _once(request: Request, inner: Handler, style: Any) -> Response:
    """The operation under its Idempotency-Key: as it was answered before, or done now."""
    platform: Platform = request.scope[PLATFORM]
    url = f"{request.url.path}?{request.url.query}"
    subject, key, body = request.scope[PRINCIPAL].subject, request.headers[KEY_HEADER], await request.body()
    claim = idempotency.claim_of(subject, key, request.method, url, body)
    answers: Answers = platform.services.setdefault("idempotency", Answers())

    async def given() -> Response | None:
        kept = await run_in_threadpool(idempotency.find, platform.store, answers, claim, platform.clock.now())
        if kept is None:
            return None
        return Response(kept.body, kept.status, {**kept.headers, "idempotency-replayed": "true"})

    if (found := await given()) is not None:
        return found
    try:
        with accompanied(claim):
            response = await inner(request)
    except InFlightError as error:
        # Another request with this key was faster: it may have its answer by now.
        if (found := await given()) is not None:
            return found
        raise error
    except Exception as error:
        if not claim.committed:
            raise
        # Something was done before it failed, so this is the answer for good.
        response = failure(error, request, style)
    if claim.committed:
        kept = _keepable(response)
        answers.add(claim, kept)
        asyncio.get_running_loop().run_in_executor(None, answers.keep, platform.store, claim, kept)
    return response


def _keepable(response: Response) -> idempotency.Kept:
    if isinstance(response, StreamingResponse) or "no-store" in response.headers.get("cache-control", ""):
        return idempotency.Kept(response.status_code, {}, None)
    headers = {name: response.headers[name] for name in idempotency.KEPT_HEADERS if name in response.headers}
    return idempotency.Kept(response.status_code, headers, bytes(response.body))
