"""Follows the configured sources that can be watched: what they tell of becomes a reading of what changed.

One process of the installation does it, a thread for each source. A watch goes on from where the last whole reading
ended; one that breaks is begun again, after a pause that grows with each failure. What it misses in between is found by
the next whole reading, which comes in its own time.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from typing import Any

from taxiway.core.context import Platform
from taxiway.core.settings_sources import SourceSettings
from taxiway.features.catalog.model import CONFIGURED
from taxiway.features.catalog.repository import configured as rows
from taxiway.features.catalog.service.configured import opened, settings_digest, start_reading
from taxiway.kit.backoff import backoff_seconds
from taxiway.model.errors import TaxiwayError
from taxiway.plugin import PluginContext, SourceRequest, WatchedSource

LOOK_SECONDS = 5.0
"""Between two looks whether a source has been read for the first time, and before a watch that ended is begun anew."""
LONGEST_SECONDS = 300.0
JOIN_SECONDS = 3.0


class WatchSources:
    """The background service."""

    key = "catalog_watch"
    exclusive = True

    def __init__(self, platform: Platform, look_seconds: float = LOOK_SECONDS) -> None:
        self._platform, self._look_seconds = platform, look_seconds

    def run(self, ctx: PluginContext, stop: threading.Event) -> None:
        """Until `stop` is set."""
        threads = [
            threading.Thread(target=partial(self._follow, item, stop), name=f"watch-{item.name}", daemon=True)
            for item in self._platform.settings.catalog.sources
            if self._is_watched(item)
        ]
        for thread in threads:
            thread.start()
        stop.wait()
        for thread in threads:
            thread.join(JOIN_SECONDS)

    def _is_watched(self, settings: SourceSettings) -> bool:
        try:
            return isinstance(opened(self._platform, settings)[0], WatchedSource)
        except TaxiwayError:
            return False  # told when it is read

    def _follow(self, settings: SourceSettings, stop: threading.Event) -> None:
        failures, clock = 0, self._platform.clock
        while not stop.is_set():
            began = clock.monotonic()
            try:
                failures = 0 if self._watch(settings, stop) else failures
            except TaxiwayError as error:
                failures = self._failed(failures, began)
                self._platform.log.warning("catalog.watch", source=settings.name, problem=error.detail)
            except Exception as error:  # a fault of one source's plugin keeps no other one from being followed
                failures = self._failed(failures, began)
                self._platform.log.error("catalog.watch", source=settings.name, problem=type(error).__name__)
            stop.wait(backoff_seconds(failures, 1.0, LONGEST_SECONDS) if failures else self._look_seconds)

    def _failed(self, failures: int, began: float) -> int:
        """How many failures there were in a row: a watch that went on for long was none."""
        return 1 if self._platform.clock.monotonic() - began > LONGEST_SECONDS else failures + 1

    def _watch(self, settings: SourceSettings, stop: threading.Event) -> bool:
        """Follow a source until its watch ends; whether it told anything."""
        platform, source_id = self._platform, CONFIGURED + settings.name
        with platform.store.read() as conn:
            row = rows.get(conn, source_id)
        if row is None or row["cursor"] is None or row["settings"] != settings_digest(settings):
            return False  # it will be read whole first
        source, options = opened(platform, settings)
        if not isinstance(source, WatchedSource):
            return False
        told = False

        def part(key: str) -> Mapping[str, Any] | None:
            with platform.store.read() as conn:
                return rows.part_state(conn, source_id, key)

        request = SourceRequest(settings.name, options, cursor=row["cursor"], part=part, cancelled=stop)
        for hints in source.watch(request):
            start_reading(platform.system("catalog"), settings, hints, changed=True)
            told = True
        return told
