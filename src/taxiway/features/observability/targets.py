"""What to measure: the ready workloads of every destination, and where each service says that its metrics are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from taxiway.core.context import Platform
from taxiway.features.environments import repository
from taxiway.features.environments.score import parse_score
from taxiway.model.errors import TaxiwayError
from taxiway.model.workload import WorkloadStatus
from taxiway.plugin import Destination

DEFAULT_PATH = "/metrics"
MOST_CACHED = 2000


@dataclass(frozen=True)
class Page:
    """Where a service's metrics are. None: its Score file says that it has none (`prometheus.io/scrape: "false"`)."""

    path: str | None = DEFAULT_PATH


class Pages:
    """Finds pages through the live release's Score file; a generation of a workload never changes its own."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._known: dict[tuple[str, str, str], Page] = {}

    def of(self, workload: WorkloadStatus) -> Page:
        """The page of a workload; the default path while its deployment is not recorded yet."""
        key = (workload.environment, workload.service, workload.generation)
        found = self._known.get(key)
        if found is not None:
            return found
        page = self._read(workload.environment, workload.service)
        if page is None:
            return Page()
        while len(self._known) >= MOST_CACHED:
            self._known.pop(next(iter(self._known)))
        self._known[key] = page
        return page

    def _read(self, environment: str, service: str) -> Page | None:
        with self._platform.store.read() as conn:
            status = repository.status(conn, environment, service)
            if status is None or not status["service_ref"]:
                return None
            live = repository.live_deployments(conn, status["service_ref"], environment)
            release = repository.get_release(conn, live[0]["release_id"]) if live else None
        if release is None:
            return None
        try:
            metadata = parse_score(release["score"]).document.get("metadata") or {}
        except TaxiwayError:
            return Page()
        annotations = metadata.get("annotations") or {}
        if str(annotations.get("prometheus.io/scrape", "true")).lower() == "false":
            return Page(None)
        return Page(str(annotations.get("prometheus.io/path") or DEFAULT_PATH))


def workloads(
    platform: Platform, environment: str | None = None, service: str | None = None
) -> Iterator[WorkloadStatus]:
    """The workloads of every destination; one that fails is logged and left out."""
    for destination in platform.registry.all("destination", Destination):
        try:
            yield from destination.workloads(environment, service)
        except Exception as error:
            # A destination is plugin code: whatever it raises must not end the measuring of the others.
            platform.log.warning("metrics.destination_failed", destination=destination.key, reason=repr(error))


def instance_of(workload: WorkloadStatus) -> str:
    """Names the process: counters of another process say nothing about this one's."""
    return f"{workload.id}/{workload.pid}/{workload.started_at}"
