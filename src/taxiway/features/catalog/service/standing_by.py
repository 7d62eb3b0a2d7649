"""What the first request would wait for, made ahead in each process of Taxiway that works: the processes that parse and
judge sources, and the index."""

from __future__ import annotations

import threading

from taxiway.core.context import Platform
from taxiway.features.catalog.service.query import has_index, index_of
from taxiway.features.catalog.sources.parsing_process import PROCESSES, Standby
from taxiway.plugin import PluginContext

STANDBY = "catalog.parsing"
AFTER_SECONDS = 2.0
"""A start has more urgent things to do."""


def standby_of(platform: Platform) -> Standby:
    """The processes that stand by in this process."""
    found: Standby | None = platform.services.get(STANDBY)
    return found or platform.services.setdefault(STANDBY, Standby())


class StandBy:
    """The background service."""

    key = "catalog_standby"
    exclusive = False

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def run(self, ctx: PluginContext, stop: threading.Event) -> None:
        """Until `stop` is set."""
        if stop.wait(AFTER_SECONDS):
            return
        standby = standby_of(self._platform)
        standby.keep(PROCESSES)
        if has_index(self._platform):
            with index_of(self._platform).reading():
                pass
        stop.wait()
        standby.keep(0)
