"""What pulls brings: its permissions, its operations, and the follower of pushes."""

from __future__ import annotations

from taxiway.core.context import Platform
from taxiway.core.operations import Feature
from taxiway.core.permissions import OWNED, PLATFORM, READ, Grant
from taxiway.features.pulls import routes
from taxiway.features.pulls.service import settle_all
from taxiway.features.pulls.subscribers import PushFollower

OWNER = "feature:pulls"
PERMISSIONS = {
    "pulls.read": READ,
    "pulls.write": Grant(developer="all"),
    "pulls.propose": OWNED,
    "pulls.merge": OWNED,
    "pulls.report": OWNED,
    "pulls.protect": PLATFORM,
}
"""To write is to open and to review, which every developer may. What makes commits is the owners': to propose a change
of files (workflows run for it), and to merge."""


def register(platform: Platform) -> None:
    """Add contributions."""
    platform.registry.add("event_subscriber", PushFollower(platform), OWNER)


FEATURE = Feature("pulls", PERMISSIONS, routes.operations.items, register, settle_all)
