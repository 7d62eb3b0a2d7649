"""What the catalog reads from, and how that went: counts, problems, the last change and the last run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from taxiway.core.context import OpContext, Platform
from taxiway.core.settings_sources import OverlaySettings
from taxiway.features.catalog.model import CONFIGURED, PUSHED, SYSTEM_SOURCES, Location
from taxiway.features.catalog.repository import configured, layers, orphans
from taxiway.features.catalog.repository import source_list as repository
from taxiway.features.catalog.service.configured import subject
from taxiway.model.access import EVERYTHING
from taxiway.model.errors import NotFoundError

if TYPE_CHECKING:
    from sqlalchemy import Connection

READ = "catalog.location.read"
REGULAR: Mapping[str, Any] = dict.fromkeys(
    ("every_seconds", "state", "detail", "counts", "started_at", "ended_at", "complete_at", "overlay")
)
"""What is told of configured sources, and of what is pushed, only."""


def sources(
    ctx: OpContext, text: str, after: str | None, limit: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What leads the first page (what ships with Taxiway, configured sources in the order of the settings, what others
    push), and registered locations by id, behind `after`; of both those that have `text` in their target."""
    scope = ctx.scope(READ)
    with ctx.platform.store.read() as conn:
        rows = repository.sources(conn, repository.visible_sources(scope), text, after, limit)
        shipped = repository.system_sources(conn, sorted(SYSTEM_SOURCES)) if after is None else []
        whole = after is None and scope.everything
        regular = [*_configured(ctx.platform, conn), *_pushed(ctx.platform, conn)] if whole else []
        first = [*(_shipped(name) for name in shipped), *regular]
        leading = [one for one in first if text.lower() in one["target"].lower()]
        told = _counted(conn, [*leading, *(_registered(row) for row in rows)])
    return told[: len(leading)], told[len(leading) :]


def source(ctx: OpContext, source_id: str) -> dict[str, Any]:
    """One source, with its last run where it had one. NotFoundError when there is none."""
    scope = ctx.scope(READ)
    with ctx.platform.store.read() as conn:
        if source_id.startswith((CONFIGURED, PUSHED)):
            there = [*_configured(ctx.platform, conn), *_pushed(ctx.platform, conn)] if scope.everything else []
            found = [one for one in there if one["id"] == source_id]
        else:
            row = repository.source(conn, repository.visible_sources(scope), source_id)
            found = [] if row is None else [_registered(row)]
        if not found:
            raise NotFoundError(f"there is no source {source_id}: see the list", code="catalog.no_location")
        told = _counted(conn, found)[0]
    about = subject(told["target"]) if source_id.startswith(CONFIGURED) else told["entity_ref"]
    runs = ctx.platform.runs.list(EVERYTHING, filters={"kind": "ingest", "subject": about}, limit=1, cursor=None).items
    return {**told, "last_run": {"id": runs[0].id, "state": runs[0].state} if runs else None}


def _counted(conn: Connection, known: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    ids = [item["id"] for item in known]
    entities, problems = repository.entity_counts(conn, ids), repository.problem_counts(conn, ids)
    changes = repository.last_changes(conn, ids)
    orphaned, held = orphans.counts(conn, ids)
    laid, without = layers.counts(conn, ids)
    waiting = {"orphans": orphaned, "held": held, "layers": laid, "layers_waiting": without}
    return [
        {
            **_told(item, entities, problems, changes),
            **{name: counts.get(item["id"], 0) for name, counts in waiting.items()},
            # What waited may be gone in the meantime, and still waits when an overlay's push went well.
            **({"state": "held" if item["id"] in held else "ok"} if item["state"] in ("ok", "held") else {}),
        }
        for item in known
    ]


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
        **REGULAR,
    }


def _shipped(name: str) -> dict[str, Any]:
    empty: Sequence[str] = ("repository", "owner", "created_at", "refreshed_at", "entity_ref", "commit")
    told = {"id": name, "type": "shipped", "target": name, "registered_by": "system:library", "trusted": True}
    return {**told, **dict.fromkeys(empty), **REGULAR}


def _configured(platform: Platform, conn: Connection) -> list[dict[str, Any]]:
    # Those of the settings in their order, then those that were read once and are in the settings no more.
    known = {row["id"]: row for row in configured.listed(conn, CONFIGURED)}
    items = []
    for item in platform.settings.catalog.sources:
        row = known.pop(CONFIGURED + item.name, None)
        shown = {"trusted": item.trusted, "every_seconds": item.every, "overlay": _terms(item.overlay)}
        items.append(_regular(item.name, item.type, row, **shown))
    removed = "not in the settings any more: put it back, or remove what it brought"
    items += [
        {**_regular(source_id.removeprefix(CONFIGURED), row["type"], row), "state": "removed", "detail": removed}
        for source_id, row in known.items()
    ]
    return items


def _terms(overlay: OverlaySettings | None) -> dict[str, Any] | None:
    return None if overlay is None else overlay.model_dump(mode="json")


def _pushed(platform: Platform, conn: Connection) -> list[dict[str, Any]]:
    # Those that were pushed once, and those that the settings say something of.
    overlays = {PUSHED + item.name: _terms(item.overlay) for item in platform.settings.catalog.pushed}
    rows = {row["id"]: row for row in configured.listed(conn, PUSHED)}
    items = []
    for source_id in sorted({*rows, *overlays}):
        told = _regular(source_id.removeprefix(PUSHED), "push", rows.get(source_id))
        by = "settings" if source_id in overlays else "push"
        shown = {"id": source_id, "registered_by": by, "trusted": True, "overlay": overlays.get(source_id)}
        items.append({**told, **shown})
    return items


def _regular(name: str, type_: str, row: Mapping[str, Any] | None, **more: Any) -> dict[str, Any]:
    told = {**_shipped(CONFIGURED + name), "type": type_, "target": name, "registered_by": "settings", "trusted": False}
    if row is not None:
        shown = ("state", "detail", "counts", "started_at", "ended_at", "complete_at")
        told |= {**{key: row[key] for key in shown}, "refreshed_at": row["ended_at"]}
    else:
        told["state"] = "new"
    return {**told, **more}
