"""What overlays say, for those who may see every source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from taxiway.core.context import OpContext
from taxiway.features.catalog.overlays import values_of
from taxiway.features.catalog.repository import layers
from taxiway.features.catalog.repository.filters import visible_to
from taxiway.kit.pointer import pointer

READ, READ_ENTITIES = "catalog.location.read", "catalog.entity.read"
SHOWN = ("ref", "source_id", "precedence", "lists", "location", "line", "at")


def layers_of(
    ctx: OpContext, source_id: str | None, ref: str | None, state: str | None, after: Sequence[str], limit: int
) -> list[dict[str, Any]]:
    """Layers by reference and source, behind the pair `after`."""
    if not ctx.scope(READ).everything:
        return []  # as configured sources are: they belong to nobody
    with ctx.platform.store.read() as conn:
        seen = visible_to(ctx.scope(READ_ENTITIES))
        rows = layers.page(conn, seen, source_id=source_id, ref=ref, state=state, after=after, limit=limit)
    return [_told(row) for row in rows]


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    state = "waiting" if not row["exists"] else "refused" if row["refused"] is not None else "applied"
    fields = [pointer(path) for path, _ in values_of(orjson.loads(row["doc"]))]
    return {**{name: row[name] for name in SHOWN}, "state": state, "detail": row["refused"], "fields": fields}
