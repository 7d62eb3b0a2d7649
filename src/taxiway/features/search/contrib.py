"""What search brings: one permission, one operation, and the keeping of contributed documents."""

from __future__ import annotations

from taxiway.core.context import Platform
from taxiway.core.operations import Feature
from taxiway.core.permissions import READ
from taxiway.features.search.routes import operations
from taxiway.features.search.service import EVERY_SECONDS, refresh

SCHEDULE = "search.documents"


class Keeper:
    """Looks at the sources again when anything happened since: everything that could change them is an event."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._seen = -1

    def __call__(self) -> None:
        newest = self._platform.events.last_seq()
        if newest != self._seen:
            refresh(self._platform)
            self._seen = newest


def register(platform: Platform) -> None:
    """Called once by the assembly, before the server starts."""
    platform.runs.schedules.register(SCHEDULE, EVERY_SECONDS, Keeper(platform))


FEATURE = Feature("search", {"search.query": READ}, operations.items, register)
