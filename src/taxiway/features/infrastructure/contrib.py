"""What infrastructure brings: the drivers that need no engine. Its operations are faces of environments."""

from __future__ import annotations

from taxiway.core.context import Platform
from taxiway.core.operations import Feature
from taxiway.features.infrastructure.drivers import EnvironmentDriver, RouteDriver, ServicePortDriver

OWNER = "feature:infrastructure"


def register(platform: Platform) -> None:
    """Add the drivers."""
    for driver in (EnvironmentDriver(), ServicePortDriver(), RouteDriver()):
        platform.registry.add("resource_driver", driver, OWNER)


FEATURE = Feature("infrastructure", {}, (), register)
