"""What docs brings: one permission, three operations, and its pages to search in."""

from __future__ import annotations

from taxiway.core.context import Platform
from taxiway.core.operations import Feature
from taxiway.core.permissions import READ
from taxiway.features.docs.routes import operations
from taxiway.features.docs.searching import DocsSearch
from taxiway.features.docs.service import Docs


def register(platform: Platform) -> None:
    """Called once by the assembly."""
    docs = platform.services["docs"] = Docs(platform)
    platform.registry.add("search_source", DocsSearch(platform, docs), "feature:docs")


FEATURE = Feature("docs", {"docs.read": READ}, operations.items, register)
