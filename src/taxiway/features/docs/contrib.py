"""What docs brings: one permission, three operations."""

from __future__ import annotations

from taxiway.core.context import Platform
from taxiway.core.operations import Feature
from taxiway.core.permissions import READ
from taxiway.features.docs.routes import operations
from taxiway.features.docs.service import Docs


def register(platform: Platform) -> None:
    """Called once by the assembly."""
    platform.services["docs"] = Docs(platform)


FEATURE = Feature("docs", {"docs.read": READ}, operations.items, register)
