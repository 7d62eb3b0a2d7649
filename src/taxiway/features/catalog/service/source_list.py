"""What the catalog reads from, and how that went: counts, problems, the last change and the last run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from taxiway.core.context import OpContext
from taxiway.features.catalog.model import SYSTEM_SOURCES, Location
from taxiway.features.catalog.repository import source_list as repository
from taxiway.model.access import EVERYTHING
from taxiway.model.errors import NotFoundError

READ = "catalog.location.read"


def sources(ctx: OpContext, after: str | None, limit: int) -> list[dict[str, Any]]:
    """Registered locations by id, behind `after`; what ships with Taxiway leads the first page."""
    where = repository.visible_sources(ctx.scope(READ))
    with ctx.platform.store.read() as conn:
        rows = repository.sources(conn, where, after, limit)
        shipped = repository.system_sources(conn, sorted(SYSTEM_SOURCES)) if after is None else []
        ids = [*shipped, *(row["id"] for row in rows)]
        entities, problems = repository.entity_counts(conn, ids), repository.problem_counts(conn, ids)
        changes = repository.last_changes(conn, ids)
    known = [_shipped(name) for name in shipped] + [_registered(row) for row in rows]
    return [_told(item, entities, problems, changes) for item in known]


def source(ctx: OpContext, source_id: str) -> dict[str, Any]:
    """One registered location, with its last run where it had one. NotFoundError when there is none."""
    where = repository.visible_sources(ctx.scope(READ))
    with ctx.platform.store.read() as conn:
        row = repository.source(conn, where, source_id)
        if row is None:
            raise NotFoundError(f"there is no source {source_id}: see the list", code="catalog.no_location")
        entities, problems = repository.entity_counts(conn, [source_id]), repository.problem_counts(conn, [source_id])
        changes = repository.last_changes(conn, [source_id])
    item = _registered(row)
    runs = ctx.platform.runs.list(
        EVERYTHING, filters={"kind": "ingest", "subject": item["entity_ref"]}, limit=1, cursor=None
    ).items
    last = {"id": runs[0].id, "state": runs[0].state} if runs else None
    return {**_told(item, entities, problems, changes), "last_run": last}


def _told(
    item: dict[str, Any],
    entities: Mapping[str, int],
    problems: Mapping[str, Mapping[str, int]],
    changes: Mapping[str, int],
) -> dict[str, Any]:
    faults: Mapping[str, int] = problems.get(item["id"], {})
    counts = {"entities": entities.get(item["id"], 0), "problems": sum(faults.values())}
    return {**item, **counts, "conflicts": faults.get("conflict", 0), "changed_at": changes.get(item["id"])}


def _registered(row: Mapping[str, Any]) -> dict[str, Any]:
    known = Location(row["id"], row["type"], row["target"], kept_ref=row["entity_ref"])
    shown = ("id", "type", "target", "repository", "owner", "registered_by", "trusted", "created_at", "refreshed_at")
    return {
        **{name: row[name] for name in shown},
        "entity_ref": known.entity_ref,
        "commit": row["state"] or None if row["repository"] else None,
    }


def _shipped(name: str) -> dict[str, Any]:
    empty: Sequence[str] = ("repository", "owner", "created_at", "refreshed_at", "entity_ref", "commit")
    told = {"id": name, "type": "shipped", "target": name, "registered_by": "system:library", "trusted": True}
    return {**told, **dict.fromkeys(empty)}
