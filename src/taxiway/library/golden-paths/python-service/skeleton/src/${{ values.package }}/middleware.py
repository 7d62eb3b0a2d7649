"""Around every request: a request id, a server span, metrics, one log line, and a problem document on a crash."""

import logging
import re
import time
from uuid import uuid4

from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .logs import request_id
from .metrics import Metrics
from .problems import problem_response

log = logging.getLogger(__name__)
tracer = trace.get_tracer(__name__)

# Probes and scrapes are not what users ask of the service: they would drown rates, latencies and logs.
QUIET_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class ObserveRequests:
    """Pure ASGI, so that streaming responses are not buffered."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in QUIET_PATHS:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        current = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
        token = request_id.set(current)
        try:
            with tracer.start_as_current_span(
                scope["method"], context=propagate.extract(headers), kind=SpanKind.SERVER
            ) as span:
                await self._observed(scope, receive, send, current, span)
        finally:
            request_id.reset(token)

    async def _observed(self, scope: Scope, receive: Receive, send: Send, current: str, span: trace.Span) -> None:
        started = time.perf_counter()
        status = 0

        async def remember_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = current
            await send(message)

        try:
            await self._app(scope, receive, remember_status)
        except Exception as error:
            log.exception("request failed")
            span.record_exception(error)
            if status:  # the answer has begun; only closing the connection can tell the client
                raise
            answer = problem_response(500, "The server could not handle this request; quote the request id.")
            await answer(scope, receive, remember_status)
        finally:
            self._record(scope, status or 500, time.perf_counter() - started, span)

    def _record(self, scope: Scope, status: int, seconds: float, span: trace.Span) -> None:
        method, route = scope["method"], getattr(scope.get("route"), "path", "unmatched")
        self._metrics.observe(method, route, status, seconds)
        span.update_name(f"{method} {route}")
        span.set_attributes({"http.request.method": method, "http.route": route, "http.response.status_code": status})
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        fields = {"method": method, "path": scope["path"], "route": route, "status": status}
        log.info("request", extra={**fields, "duration_ms": round(seconds * 1000, 2)})
