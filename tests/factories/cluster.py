"""An API server of Kubernetes with lists and watches of metadata, as its API concepts describe them.

Every change has a version of its own. A watch from a version sends what came after it, then what comes; from a version
before `forgotten` it is answered 410, within the stream as the real one does. `drop()` breaks all watches.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class WatchedCluster:
    """Objects by (kind, namespace, name), and what happened to them as (version, kind, event)."""

    objects: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    events: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)
    version: int = 100
    forgotten: int = 0
    asked: list[str] = field(default_factory=list)
    breaks: int = 0
    refusals: int = 0
    """Watches that are answered 403 next, as by an API server that has just started."""
    url: str = ""
    changed: threading.Condition = field(default_factory=threading.Condition)

    def put(self, kind: str, name: str, namespace: str = "", **marks: str) -> None:
        with self.changed:
            self.version += 1
            known = self.objects.get((kind, namespace, name))
            metadata = {"name": name, "resourceVersion": str(self.version), "labels": marks}
            item = {"metadata": {**metadata, **({"namespace": namespace} if namespace else {})}}
            self.objects[kind, namespace, name] = item
            self.events.append((self.version, kind, {"type": "MODIFIED" if known else "ADDED", "object": item}))
            self.changed.notify_all()

    def remove(self, kind: str, name: str, namespace: str) -> None:
        with self.changed:
            self.version += 1
            item = self.objects.pop((kind, namespace, name))
            item = {"metadata": {**item["metadata"], "resourceVersion": str(self.version)}}
            self.events.append((self.version, kind, {"type": "DELETED", "object": item}))
            self.changed.notify_all()

    def bookmark(self, kind: str) -> None:
        with self.changed:
            self.version += 1
            item = {"metadata": {"resourceVersion": str(self.version)}}
            self.events.append((self.version, kind, {"type": "BOOKMARK", "object": item}))
            self.changed.notify_all()

    def forget(self) -> None:
        """Compact: no watch may begin from an older version than now."""
        with self.changed:
            self.forgotten, self.events = self.version, []

    def drop(self) -> None:
        """Break every watch."""
        with self.changed:
            self.breaks += 1
            self.changed.notify_all()

    def listed(self, kind: str, namespace: str) -> dict[str, Any]:
        """As a real one answers: of an empty list of metadata, null for its items."""
        with self.changed:
            items = [one for (k, n, _), one in self.objects.items() if k == kind and namespace in ("", n)]
            return {
                "kind": "PartialObjectMetadataList",
                "metadata": {"resourceVersion": str(self.version)},
                "items": items or None,
            }

    def follow(self, kind: str, since: int) -> Iterator[dict[str, Any]]:
        with self.changed:
            breaks = self.breaks
            if since < self.forgotten:
                yield {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}}
                return
        while True:
            with self.changed:
                self.changed.wait_for(partial(self._goes_on, kind, since, breaks), 20)
                fresh = [(at, event) for at, k, event in self.events if at > since and k == kind]
                if self.breaks != breaks or not fresh:
                    return
            for at, event in fresh:
                since = at
                yield event

    def _goes_on(self, kind: str, since: int, breaks: int) -> bool:
        return self.breaks != breaks or any(at > since and k == kind for at, k, _ in self.events)


@contextmanager
def watched_cluster() -> Iterator[WatchedCluster]:
    """One on a free port of loopback."""
    cluster = WatchedCluster()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
            kind = parts.path.rpartition("/")[2]
            namespace = parts.path.partition("/namespaces/")[2].partition("/")[0] if kind != "namespaces" else ""
            cluster.asked.append(self.path)
            if query.get("watch"):
                assert query["allowWatchBookmarks"] == "true"
                if cluster.refusals:
                    cluster.refusals -= 1
                    self.send_error(403)
                    return
                self._stream(kind, int(query["resourceVersion"]))
                return
            body = json.dumps(cluster.listed(kind, namespace)).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _stream(self, kind: str, since: int) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            self.wfile.flush()
            self.close_connection = True
            with suppress(OSError):  # who watched may have gone
                for event in cluster.follow(kind, since):
                    line = json.dumps(event).encode() + b"\n"
                    self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
                    self.wfile.flush()
                self.wfile.write(b"0\r\n\r\n")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    cluster.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield cluster
    finally:
        cluster.drop()
        server.shutdown()
        server.server_close()
