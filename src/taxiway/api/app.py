"""`create_app`: the ASGI app of a platform. Operations first, then what plugins mount, then the portal."""

from __future__ import annotations

from itertools import chain
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import taxiway
from taxiway.api.mounts import mounted_routes, plugin_operations, under
from taxiway.api.portal import Portal, find_portal
from taxiway.core.context import Platform
from taxiway.core.http.described import describe_refusals
from taxiway.core.http.limits import RateLimiter
from taxiway.core.http.metrics import HttpMetrics
from taxiway.core.http.middleware import BodyLimit, Callers, Hosts, Scope, allowed_hosts
from taxiway.core.http.route import check, mount, mounted
from taxiway.core.http.security import security_headers
from taxiway.model.errors import NotFoundError, TaxiwayError
from taxiway.plugin import MountedRoutes

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def create_app(platform: Platform, portal: Portal | None = None) -> FastAPI:
    """The app. `app.state.platform` is the platform it serves."""
    metrics, portal = HttpMetrics(), portal or find_portal()
    app = _App(
        title="Taxiway",
        version=taxiway.__version__,
        description="An internal developer platform. Every screen of the portal is made of these operations.",
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.platform = platform
    app.state.metrics = metrics
    operations = chain.from_iterable(feature.operations for feature in platform.features)
    mount(app, [*operations, *plugin_operations(platform)])
    app.router.routes.extend(mounted_routes(platform))
    app.router.routes.extend(
        [
            Route("/healthz", _healthy, methods=["GET"]),
            Route("/readyz", _ready(platform), methods=["GET"]),
            Route("/api", _unknown, methods=METHODS),
            Route("/api/{path:path}", _unknown, methods=METHODS),
            Route("/{path:path}", portal.serve, methods=["GET", "HEAD"], name="portal"),
        ]
    )
    app.middleware_stack = _stacked(app.router, platform, metrics, portal)
    return app


class _App(FastAPI):
    """Describes the operations by the routes that FastAPI makes of them, when first asked. Its own layers are left out:
    those of `core.http.middleware` answer every error, bound bodies and name requests, and `tracing` traces them."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            routes = mounted(self)
            made = [route.made for route in routes]
            document = get_openapi(title=self.title, version=self.version, description=self.description, routes=made)
            describe_refusals(document, ((route.made.path_format, route.operation) for route in routes))
            self.openapi_schema = document
        return self.openapi_schema


def _stacked(router: Any, platform: Platform, metrics: HttpMetrics, portal: Portal) -> Any:
    settings = platform.settings
    hosts = allowed_hosts(settings.host, settings.public_url)
    mounts: list[MountedRoutes] = platform.registry.all("mounted_routes")
    bounded = BodyLimit(router, limit=settings.limits.body_bytes, exempt=under(item.prefix for item in mounts))
    known = Callers(
        bounded,
        platform=platform,
        limiter=RateLimiter(platform.clock, settings.limits.requests_per_minute),
        basic_prefixes=under(item.prefix for item in mounts if item.basic),
        allowed_hosts=hosts,
        # Whoever signs in anew may still have a live session, and no page that knows its CSRF token.
        csrf_exempt=frozenset({"/api/access/v1/sessions"}),
    )
    headers = security_headers(portal.index_html)
    return Scope(Hosts(known, allowed=hosts), platform=platform, headers=headers, observe=metrics.observe)


async def _unknown(request: Request) -> Response:
    # Nobody learns which paths exist.
    check(request.scope, "system.read")
    raise NotFoundError(f"there is no operation {request.method} {request.url.path}", code="not_found.operation")


async def _healthy(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


def _ready(platform: Platform) -> Any:
    def ready(request: Request) -> Response:
        if platform.stopping.is_set():
            return JSONResponse({"status": "stopping"}, 503)
        try:
            with platform.store.read() as conn:
                conn.exec_driver_sql("SELECT 1")
        except TaxiwayError as error:
            return JSONResponse({"status": "unavailable", "detail": error.detail}, 503)
        trouble = platform.store.trouble()
        if trouble is not None:
            return JSONResponse({"status": "read-only", "detail": trouble}, 503)
        return JSONResponse({"status": "ok"})

    return ready
