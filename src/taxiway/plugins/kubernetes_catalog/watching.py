"""Follows a cluster: one watch for each kind, from the version that the last whole reading saw.

What a watch tells is a hint alone: the namespace is listed again. An event counts where it can change a document: an
object that came, went, or whose marks are other ones. Bookmarks keep the version young; when it is too old all the same
(410 Gone), the answer is a whole reading, and the watch goes on from the version that there is now.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from taxiway.model.errors import NotAllowedError, TaxiwayError, UnavailableError
from taxiway.plugin import SourceRequest, backoff_seconds
from taxiway.plugins.kubernetes_catalog.entities import KINDS, Found, found, marks_of, part_of
from taxiway.plugins.kubernetes_catalog.lists import GONE, METADATA_ONLY, PATHS, RefusedError, refused

if TYPE_CHECKING:
    from taxiway.plugin.outgoing import Outgoing

METADATA_EVENTS = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
WATCH_SECONDS = 240
"""How long the API server is asked to go on; then it is asked anew, from where it was."""
IDLE_SECONDS = 90.0
"""A watch without a bookmark or an event for so long is taken for broken: they come about once a minute."""
SETTLE_SECONDS = 0.2
GATHER_SECONDS = 2.0
"""A cluster that is never quiet for SETTLE_SECONDS is told of all the same, so often."""
PAUSE_SECONDS = 2.0
"""Between two hints: what changes in between is one."""
SHORTEST_SECONDS = 1.0
"""From one request for a watch to the next of its kind: a server may end each at once, or call each version too old."""
MOST_FAILURES = 5
MOST_MARKS = 100_000
"""Objects whose marks a watch remembers. What came and went makes them grow: of more, the last reading's count."""
WHOLE: Mapping[str, Any] = {}
"""What asks for a whole reading."""


class _GoneError(Exception):
    """The version is too old to go on from."""


def follow(
    request: SourceRequest, outgoing: Outgoing, server: str, versions: Mapping[str, Any]
) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Hints as changes come. Ends when `request.cancelled` is set; raises what a watch could not get over."""
    told: queue.SimpleQueue[Mapping[str, Any] | Exception] = queue.SimpleQueue()
    stop = threading.Event()
    kinds = ["namespaces", *dict.fromkeys(request.options.workloads)]
    for kind in kinds:
        if not versions.get(kind):
            continue  # it could not be listed
        one = _Watch(request, outgoing, server, kind, str(versions[kind]), told, stop)
        threading.Thread(target=one.run, name=f"watch-{one.kind}", daemon=True).start()
    try:
        while not request.cancelled.is_set():
            hints = _next(told, request)
            if hints is not None:
                yield hints
                request.cancelled.wait(PAUSE_SECONDS)
    finally:
        stop.set()


def _next(
    told: queue.SimpleQueue[Mapping[str, Any] | Exception], request: SourceRequest
) -> Sequence[Mapping[str, Any]] | None:
    """What changed, brought together; None when nothing did for a second."""
    found: dict[str, Mapping[str, Any]] = {}
    wait, until = 1.0, 0.0
    while wait > 0:
        try:
            one = told.get(timeout=wait)
        except queue.Empty:
            break
        if isinstance(one, Exception):
            raise one
        found[str(one.get("namespace", ""))] = one
        until = until or time.monotonic() + GATHER_SECONDS
        wait = min(SETTLE_SECONDS, until - time.monotonic())
    if not found:
        return None
    if request.options.components or "" in found:
        return ()  # a component may be known by workloads of other namespaces
    return list(found.values())


class _Watch:
    """The watch of one kind, in a thread of its own."""

    def __init__(
        self,
        request: SourceRequest,
        outgoing: Outgoing,
        server: str,
        kind: str,
        version: str,
        told: queue.SimpleQueue[Mapping[str, Any] | Exception],
        stop: threading.Event,
    ) -> None:
        self._request, self._outgoing, self._server, self.kind = request, outgoing, server, kind
        self._version, self._told, self._stop = version, told, stop
        self._marks: dict[str, str] = {}
        self._worked = False

    def run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            started = time.monotonic()
            try:
                self._once()
                failures = 0
            except _GoneError:
                self._told.put(WHOLE)
                try:
                    self._version = self._version_now()
                except Exception as error:
                    self._told.put(error)
                    return
            except RefusedError as error:
                failures += 1
                # An API server that has just started refuses everything until it has read its roles.
                if not self._worked or failures > MOST_FAILURES:
                    self._told.put(NotAllowedError(str(error), code="kubernetes.watch"))
                    return
            except TaxiwayError as error:
                failures = 1 if time.monotonic() - started > IDLE_SECONDS else failures + 1
                if failures > MOST_FAILURES:
                    self._told.put(error)
                    return
            except Exception as error:  # an answer of no shape that is known: a thread that ends must not end unheard
                self._told.put(error)
                return
            rest = started + SHORTEST_SECONDS - time.monotonic()
            self._stop.wait(max(rest, backoff_seconds(failures) if failures else 0.0))

    def _once(self) -> None:
        query = {
            "watch": "1",
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        answer, lines = self._outgoing.open_lines(
            f"{self._server}{PATHS[self.kind]}?{urlencode(query)}", idle_seconds=IDLE_SECONDS, accept=METADATA_EVENTS
        )
        if answer.status == GONE:
            raise _GoneError
        if answer.status in (401, 403, 404):
            raise refused(self.kind, "watch", answer.status)
        answer.checked(f"the watch of {self.kind}")
        self._worked = True
        for line in lines:
            if self._stop.is_set():
                return
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            event = json.loads(line)
            type_, item = event["type"], event["object"]
        except (ValueError, RecursionError, TypeError, KeyError) as error:
            raise UnavailableError("the API server sent no event of a watch: check its address") from error
        if not isinstance(item, dict):
            raise UnavailableError("the API server sent no event of a watch: check its address")
        if type_ == "ERROR":
            if item.get("code") == GONE:
                raise _GoneError
            raise UnavailableError(f"the watch of {self.kind} ended: {str(item.get('message'))[:200]}")
        version = (item.get("metadata") or {}).get("resourceVersion")
        one = found(KINDS.get(self.kind, self.kind), PATHS[self.kind], item)
        if type_ != "BOOKMARK" and one is not None and self._matters(type_, one):
            self._told.put(WHOLE if self.kind == "namespaces" else {"namespace": one.namespace})
        if version:
            self._version = str(version)

    def _matters(self, type_: str, one: Found) -> bool:
        marks = "" if type_ == "DELETED" else marks_of(one)
        known = self._marks.get(one.path)
        if known is None:
            known = self._kept(one)
        if len(self._marks) >= MOST_MARKS:
            self._marks.clear()
        self._marks[one.path] = marks
        return known is None or known != marks

    def _kept(self, one: Found) -> str | None:
        """The marks that the last reading noted; None where it noted none."""
        if self.kind == "namespaces":
            return None
        part = self._request.part(part_of(one.path))
        marks = (part or {}).get("marks")
        return str(marks.get(one.path, "")) if isinstance(marks, dict) else None

    def _version_now(self) -> str:
        headers = {"accept": f"{METADATA_ONLY},application/json"}
        answer = self._outgoing.get(f"{self._server}{PATHS[self.kind]}?limit=1", headers=headers)
        if answer.status in (401, 403, 404):
            raise NotAllowedError(str(refused(self.kind, "list", answer.status)), code="kubernetes.watch")
        return str(answer.checked(f"the list of {self.kind}").json()["metadata"]["resourceVersion"])
