"""How the features above the catalog read it: whole documents by reference or kind, as Taxiway itself.

Called by infrastructure, environments and delivery. What a caller may see is decided before, at the operation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taxiway.core.context import Platform
from taxiway.features.catalog import service
from taxiway.model.entity import parse_ref
from taxiway.model.errors import NotFoundError


def get_entity(platform: Platform, ref: str) -> dict[str, Any] | None:
    """The document of one entity, None when there is none."""
    return service.get_entity(platform, ref)


def list_entities(platform: Platform, kind: str, filters: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Every document of a kind; `filters` maps dotted paths to the value each must have."""
    return service.list_entities(platform, kind=kind, filters=filters or {})


def require_entity(platform: Platform, ref: str) -> dict[str, Any]:
    """The document of one entity. NotFoundError says how to get it into the catalog."""
    document = get_entity(platform, ref)
    if document is None:
        raise NotFoundError(f"the catalog has no {ref}: register its catalog-info.yaml first", code="catalog.no_entity")
    return document


def owner_of(document: Mapping[str, Any]) -> str | None:
    """The full reference in spec.owner (a group unless it says otherwise), None without one."""
    owner = (document.get("spec") or {}).get("owner")
    if not owner:
        return None
    namespace = (document.get("metadata") or {}).get("namespace") or "default"
    return str(parse_ref(str(owner), default_kind="group", default_namespace=str(namespace)))


def uid_of(document: Mapping[str, Any]) -> str | None:
    """The uid that the catalog gave the entity."""
    uid = (document.get("metadata") or {}).get("uid")
    return None if uid is None else str(uid)
