"""Looks at every workload every few seconds and hands what it sees to the metric sinks.

One process of an installation does it. A workload that does not answer costs two seconds of one of four threads, never
the look at the others.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from taxiway.core.context import Platform
from taxiway.features.observability.exposition import ScrapeError, scrape
from taxiway.features.observability.targets import Pages, instance_of, workloads
from taxiway.model.errors import TaxiwayError
from taxiway.model.workload import WorkloadStatus
from taxiway.plugin import Measurement, MetricSample, MetricSink, MetricSource, PluginContext

EVERY_SECONDS = 5.0
THREADS = 4


class Scraper:
    """The background service. `look` is one round."""

    key = "metrics_scraper"
    exclusive = True

    def __init__(self, platform: Platform, every_seconds: float = EVERY_SECONDS) -> None:
        self._platform = platform
        self._pages = Pages(platform)
        self._every = every_seconds

    def run(self, ctx: PluginContext, stop: threading.Event) -> None:
        monotonic = self._platform.clock.monotonic
        # Threads appear with the first workload, not before: an idle Taxiway stays small.
        with ThreadPoolExecutor(THREADS, thread_name_prefix="scrape") as pool:
            wait = self._every
            while not stop.wait(wait):
                begun = monotonic()
                self.look(pool)
                # A fixed beat: the length of a round does not stretch the time between looks.
                wait = max(0.1, self._every - (monotonic() - begun))

    def look(self, pool: ThreadPoolExecutor) -> None:
        """Measure every workload once."""
        sinks = self.sinks()
        if not sinks:
            return
        ready = [workload for workload in workloads(self._platform) if workload.ready]
        together: dict[tuple[str, str], list[Measurement]] = defaultdict(list)
        for workload, measurement in zip(ready, pool.map(self._measure, ready), strict=True):
            together[workload.environment, workload.service].append(measurement)
        for (environment, service), measurements in together.items():
            self._hand_over(sinks, environment, service, measurements)

    def sinks(self) -> list[MetricSink]:
        """The metric sources that keep measurements."""
        sources = self._platform.registry.all("metric_source", MetricSource)
        return [one for one in sources if isinstance(one, MetricSink)]

    def _hand_over(
        self, sinks: Sequence[MetricSink], environment: str, service: str, measurements: Sequence[Measurement]
    ) -> None:
        for sink in sinks:
            try:
                sink.ingest(environment, service, measurements)
            except TaxiwayError as error:
                self._platform.log.warning("metrics.not_kept", sink=sink.key, service=service, reason=error.detail)

    def _measure(self, workload: WorkloadStatus) -> Measurement:
        samples = self._samples(workload)
        # The moment of the answer is the moment of its counters.
        at = self._platform.clock.now()
        return Measurement(instance_of(workload), at, samples, workload.cpu_percent, workload.memory_bytes)

    def _samples(self, workload: WorkloadStatus) -> Sequence[MetricSample] | None:
        try:
            path = self._pages.of(workload).path
            return None if path is None or workload.port is None else scrape(workload.port, path)
        except ScrapeError as error:
            self._platform.log.debug("metrics.not_read", service=workload.service, reason=str(error))
        except TaxiwayError as error:
            self._platform.log.warning("metrics.page_unknown", service=workload.service, reason=error.detail)
        return None
