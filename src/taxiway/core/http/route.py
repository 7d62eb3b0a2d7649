"""Operations become FastAPI routes. The order is the point: who are you, may you at all, and only then what you sent.

Called by the assembly in `api`. A route never decides about a thing's owner: services do, with `ctx.authorize`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from taxiway.core.context import Platform
from taxiway.core.http import idempotency
from taxiway.core.http.context import OPERATION, PLATFORM, PRINCIPAL, REFUSAL, REQUEST_ID
from taxiway.core.http.problems import answer, known
from taxiway.core.operations import Operation
from taxiway.core.permissions import may_at_all
from taxiway.model.access import NOBODY, Principal
from taxiway.model.errors import AuthenticationError, InternalError, NotAllowedError

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
KEY_HEADER = "idempotency-key"


class OperationRoute(APIRoute):
    """The route of one operation."""

    def __init__(self, operation: Operation, **options: Any) -> None:
        self.operation = operation
        super().__init__(operation.path, operation.handler, **options)

    def get_route_handler(self) -> Handler:
        inner, operation = super().get_route_handler(), self.operation

        async def handle(request: Request) -> Response:
            request.scope[OPERATION] = operation
            try:
                check(request.scope, operation.permission)
                if operation.effect != "read" and KEY_HEADER in request.headers:
                    return await _once(request, inner)
                return await inner(request)
            except Exception as error:
                return failure(error, request, operation.errors)

        return handle


def mount(app: FastAPI, operations: Iterable[Operation]) -> None:
    """Add a route for each operation, in order."""
    for operation in operations:
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
        app.router.routes.append(OperationRoute(operation, **options))


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
        url=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        request_id=request.scope[REQUEST_ID],
    )


async def _once(request: Request, inner: Callable[[Request], Awaitable[Response]]) -> Response:
    platform: Platform = request.scope[PLATFORM]
    principal: Principal = request.scope[PRINCIPAL]
    if principal is NOBODY:
        return await inner(request)
    key = request.headers[KEY_HEADER]
    url = f"{request.url.path}?{request.url.query}"
    digest = idempotency.request_digest(request.method, url, await request.body())
    claim = (platform.store, principal.subject, key)
    kept = await run_in_threadpool(idempotency.claim, *claim, digest)
    if kept is not None:
        return Response(kept.body, kept.status, {**kept.headers, "idempotency-replayed": "true"})
    try:
        response = await inner(request)
    except BaseException:
        await run_in_threadpool(idempotency.release, *claim)
        raise
    await run_in_threadpool(idempotency.keep, *claim, _keepable(response), response.status_code)
    return response


def _keepable(response: Response) -> idempotency.Kept | None:
    if isinstance(response, StreamingResponse) or "no-store" in response.headers.get("cache-control", ""):
        return None
    headers = {name: response.headers[name] for name in idempotency.KEPT_HEADERS if name in response.headers}
    return idempotency.Kept(response.status_code, headers, bytes(response.body))
