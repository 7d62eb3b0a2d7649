"""What a route gets: `Ctx`, the operation's context, put together by the middleware and the route's own check."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request

from taxiway.core.context import OpContext, Platform
from taxiway.model.access import NOBODY, Principal

PRINCIPAL = "taxiway.principal"
AUTHORIZE = "taxiway.authorize"
REQUEST_ID = "taxiway.request_id"
REFUSAL = "taxiway.refusal"
OPERATION = "taxiway.operation"
PLATFORM = "taxiway.platform"
"""Keys of the ASGI scope that the middleware fills."""
TARGET = "taxiway.target"
"""Key of the ASGI scope for what a request asked for, as it was sent: the HTTP protocol of `api` notes it. ASGI keeps
path and query apart, and does not tell a query that is empty from none."""


def target_of(scope: Any) -> str:
    """Path and query of a request, as they were sent where the server says so."""
    sent: bytes = scope.get(TARGET, b"")
    if sent.startswith(b"/"):
        return sent.decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    return f"{scope['path']}?{query}" if query else str(scope["path"])


def context_of(scope: Any) -> OpContext:
    """The operation's context for an ASGI scope that went through the middleware."""
    platform: Platform = scope[PLATFORM]
    principal: Principal = scope.get(PRINCIPAL, NOBODY)
    return OpContext(platform, principal, scope[REQUEST_ID])


async def _context(request: Request) -> OpContext:
    return context_of(request.scope)


Ctx = Annotated[OpContext, Depends(_context)]
"""Annotate a route's parameter with it: `def list_things(ctx: Ctx, limit: int = 50)`."""
