"""What plugins mount: raw ASGI apps under a prefix, and GET operations that portal cards read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fastapi import Request
from starlette.routing import Mount

from taxiway.core.context import Platform
from taxiway.core.http.context import AUTHORIZE, PRINCIPAL, REFUSAL, context_of
from taxiway.core.http.headers import json_bytes
from taxiway.core.http.middleware import refuse
from taxiway.core.operations import Operation
from taxiway.model.access import NOBODY
from taxiway.model.errors import AuthenticationError, TaxiwayError
from taxiway.plugin import MountedRoutes, PluginOperation


class Guarded:
    """A mounted app that only somebody reaches; what they may do there, the app asks `authorize`."""

    def __init__(self, routes: MountedRoutes) -> None:
        self.routes = routes

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if scope.get(PRINCIPAL, NOBODY) is NOBODY:
            error = AuthenticationError(scope.get(REFUSAL) or "sign in with an API token (as the password, with git)")
            await refuse(error, scope, receive, _challenging(send) if self.routes.basic else send)
            return
        scope[AUTHORIZE] = context_of(scope).authorize
        started = False

        async def sending(message: Any) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.routes.app(scope, receive, sending)
        except TaxiwayError as error:
            if started:
                raise
            await refuse(error, scope, receive, send)


def mounted_routes(platform: Platform) -> list[Mount]:
    """A guarded mount for each contribution to `mounted_routes`."""
    contributions: list[MountedRoutes] = platform.registry.all("mounted_routes")
    return [Mount(f"/{item.prefix}", app=Guarded(item), name=f"mount.{item.key}") for item in contributions]


def under(prefixes: Iterable[str]) -> Callable[[str], bool]:
    """Whether a path lies under one of the mounted prefixes."""
    starts = tuple(f"/{prefix}/" for prefix in prefixes)
    return lambda path: bool(starts) and path.startswith(starts)


def plugin_operations(platform: Platform) -> list[Operation]:
    """One hidden GET operation for each `operation` that a plugin contributes."""
    owners = {item.key: item.owner for item in platform.registry.contributions() if item.point == "operation"}
    return [
        Operation(
            id=f"plugins.{owners[one.key]}.{one.key}",
            method="GET",
            path=f"/api/plugins/v1/{owners[one.key]}/{one.path.lstrip('/')}",
            permission=one.permission,
            effect="read",
            handler=_handler(one),
            hidden=True,
        )
        for one in platform.registry.all("operation", PluginOperation)
    ]


def _handler(operation: PluginOperation) -> Callable[..., Any]:
    def handle(request: Request) -> Any:
        """Answer of a plugin for its card."""
        return json_bytes(operation.handler(dict(request.query_params)))

    return handle


def _challenging(send: Any) -> Any:
    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            kept = [pair for pair in message["headers"] if pair[0] != b"www-authenticate"]
            message["headers"] = [*kept, (b"www-authenticate", b'Basic realm="Taxiway"')]
        await send(message)

    return sending
