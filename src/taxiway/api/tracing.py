"""Traces of requests, only when an OTLP endpoint is set: without one, nothing of OpenTelemetry is imported."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from taxiway.core.http.context import OPERATION
from taxiway.core.settings import TelemetrySettings
from taxiway.model.errors import InputError

SEND_SECONDS = 2.0
"""How long the end of a server waits for its last spans to be sent."""


@contextmanager
def traced(app: Any, settings: TelemetrySettings) -> Iterator[Any]:
    """`app`, with a span around every request when there is somewhere to send it. InputError without the extra."""
    if settings.otlp_endpoint is None:
        yield app
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise InputError(
            "telemetry.otlp_endpoint is set, but the exporter is not installed: pip install 'taxiway[tracing]'",
            code="settings.tracing",
        ) from error
    provider = TracerProvider(resource=Resource.create({"service.name": "taxiway"}), shutdown_on_exit=False)
    endpoint = settings.otlp_endpoint.rstrip("/") + "/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    try:
        yield Traced(app, provider.get_tracer("taxiway"))
    finally:
        # The exporter tries again for longer than a server may take to stop.
        last = threading.Thread(target=provider.shutdown, daemon=True)
        last.start()
        last.join(SEND_SECONDS)


class Traced:
    """A server span per request, continuing the caller's trace, named by the operation."""

    def __init__(self, app: Any, tracer: Any) -> None:
        self.app, self.tracer = app, tracer

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        from opentelemetry import propagate
        from opentelemetry.trace import SpanKind

        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        with self.tracer.start_as_current_span(
            scope["method"], context=propagate.extract(headers), kind=SpanKind.SERVER
        ) as span:
            # The log names the trace by this header, whoever began it.
            context = span.get_span_context()
            value = f"00-{context.trace_id:032x}-{context.span_id:016x}-01".encode()
            kept = [pair for pair in scope["headers"] if pair[0] != b"traceparent"]
            scope = {**scope, "headers": [*kept, (b"traceparent", value)]}

            async def sending(message: Any) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            span.set_attribute("http.request.method", scope["method"])
            span.set_attribute("url.path", scope["path"])
            await self.app(scope, receive, sending)
            operation = scope.get(OPERATION)
            if operation is not None:
                span.update_name(operation.id)
                span.set_attribute("http.route", operation.path)
