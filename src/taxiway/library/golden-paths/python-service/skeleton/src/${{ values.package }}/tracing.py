"""OpenTelemetry: spans always exist, so that logs carry a trace id; they are exported only to a configured endpoint."""

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from . import SERVICE


def configure_tracing(otlp_endpoint: str | None) -> TracerProvider:
    """Install the process-wide provider; the caller shuts it down so that the last spans are sent.

    Resource attributes and the service name can be overridden with the OTEL_* variables of the specification.
    """
    provider = TracerProvider(resource=Resource({"service.name": SERVICE}).merge(Resource.create()))
    if otlp_endpoint:
        # Imported here: it costs a fifth of the start-up time and most local runs have no collector.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        exporter = OTLPSpanExporter(endpoint=f"{otlp_endpoint.rstrip('/')}/v1/traces")
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider
