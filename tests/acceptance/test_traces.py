"""With an OTLP endpoint set, requests arrive there as spans; the collector here decodes what really came over HTTP."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from .conftest import MakeServer

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra `tracing` is not installed")
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@contextmanager
def collector() -> Iterator[tuple[str, list[Any]]]:
    """(endpoint, spans that came)."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    spans: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            request = ExportTraceServiceRequest.FromString(body)
            spans.extend(span for resource in request.resource_spans for s in resource.scope_spans for span in s.spans)
            assert self.path == "/v1/traces"
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", spans
    finally:
        server.shutdown()


def test_requests_become_spans_of_the_callers_trace_and_none_is_lost_at_a_stop(make_server: MakeServer) -> None:
    with collector() as (endpoint, spans):
        server = make_server(environ={"TAXIWAY_TELEMETRY__OTLP_ENDPOINT": endpoint})
        client = server.client(server.token())
        client.get("/api/catalog/entities", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"}).raise_for_status()
        client.get("/api/catalog/entities/by-name/component/default/nothing")
        assert server.stop() == 0
    named = {span.name: span for span in spans}
    span = named["catalog.list_entities"]
    assert span.trace_id.hex() == TRACE
    assert span.parent_span_id.hex() == PARENT
    attributes = {item.key: item.value for item in span.attributes}
    assert attributes["http.response.status_code"].int_value == 200
    assert attributes["http.route"].string_value == "/api/catalog/entities"
    missing = next(s for s in spans if any(a.value.int_value == 404 for a in s.attributes))
    assert missing.kind == 2, "a server span"
    assert not [s for s in spans if "txw_" in str(s)], "no token in a span"


def test_an_endpoint_that_does_not_answer_holds_nobody_up(make_server: MakeServer) -> None:
    server = make_server(environ={"TAXIWAY_TELEMETRY__OTLP_ENDPOINT": "http://127.0.0.1:9"})
    assert server.client(server.token()).get("/api/catalog/entities").status_code == 200
    begin = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begin < 5
