"""Reads of single entities and short lists, for other features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from taxiway.core.context import Platform
from taxiway.features.catalog.refs import full_ref
from taxiway.features.catalog.repository import reading
from taxiway.features.catalog.repository.filters import equal_filters

MAX_LIST = 10_000


def get_entity(platform: Platform, ref: str) -> dict[str, Any] | None:
    """The entity of a full reference (`kind:namespace/name`; the namespace may be left out), or None."""
    full = full_ref(ref)
    with platform.store.read() as conn:
        text = reading.texts_by_refs(conn, [full]).get(full)
    return None if text is None else orjson.loads(text)


def list_entities(
    platform: Platform, *, kind: str | None = None, filters: Mapping[str, str] = {}
) -> list[dict[str, Any]]:
    """Entities by ref, at most 10,000. `filters` maps dotted paths (`spec.type`) to the value each must have."""
    wanted = dict(filters) if kind is None else {**filters, "kind": kind}
    with platform.store.read() as conn:
        return [orjson.loads(text) for text in reading.texts(conn, equal_filters(wanted), limit=MAX_LIST).values()]
