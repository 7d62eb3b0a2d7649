"""What observability brings: the scraper, and the metrics of a service."""

from __future__ import annotations

from taxiway.core.context import Platform
from taxiway.core.operations import Feature
from taxiway.core.permissions import READ
from taxiway.features.observability.routes import operations
from taxiway.features.observability.scraper import Scraper


def register(platform: Platform) -> None:
    """Called once by the assembly."""
    platform.registry.add("background_service", Scraper(platform), "feature:observability")


FEATURE = Feature("observability", {"observability.read": READ}, operations.items, register)
