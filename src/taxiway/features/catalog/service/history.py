"""The history of an entity: every version with who, what, when and what changed; and its retention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from taxiway.core.context import OpContext, Platform
from taxiway.features.catalog.diffs import diff
from taxiway.features.catalog.repository import history, past
from taxiway.features.catalog.repository import locations as rows
from taxiway.features.catalog.repository.filters import visible_to
from taxiway.features.catalog.repository.history import Change, Version
from taxiway.kit.clock import MICROSECONDS
from taxiway.model.errors import InputError, NotFoundError

READ = "catalog.entity.read"
DAY = 86_400 * MICROSECONDS
SCHEDULE = "catalog.history"
EVERY_SECONDS = 6 * 3600


def history_of(ctx: OpContext, ref: str, before: int | None, limit: int) -> list[dict[str, Any]]:
    """What happened to a reference, newest first, from behind the row `before`; `limit` + 1 versions at most.

    `diff` is null where the version before is not kept. NotFoundError when nothing is known of the reference.
    """
    scope = ctx.scope(READ)
    with ctx.platform.store.read() as conn:
        found = history.versions(conn, ref, past.owned(scope), visible_to(scope), before, limit + 2)
        keys = [(one.source_id, at) for one in found for at in (one.started_at, one.ended_at) if at is not None]
        changes = history.changes(conn, keys)
        sources = {one.source_id: rows.get(conn, one.source_id) for one in found}
    if not found and before is None:
        raise NotFoundError(f"nothing is known of {ref}: look for it in the catalog", code="catalog.no_entity")
    names = {id_: source.reference for id_, source in sources.items() if source is not None}
    entries: list[dict[str, Any]] = []
    for place, one in enumerate(found[: limit + 1]):
        older = next((v for v in found[place + 1 :] if v.uid == one.uid and v.version == one.version - 1), None)
        entries += _entries(one, older, changes, names)
    return entries


def remove_old_versions(platform: Platform) -> int:
    """Forget versions that ended longer ago than the setting says; returns how many."""
    return platform.store.write(lambda tx: history.forget(tx.conn, tx.now - _kept(platform)))


def check_kept(platform: Platform, as_of: int) -> None:
    """InputError for a time that history does not reach back to, or that has not come yet."""
    now = platform.clock.now()
    if as_of > now:
        raise InputError("as_of lies in the future: leave it out for the present state", code="catalog.bad_as_of")
    if as_of < now - _kept(platform):
        days = platform.settings.catalog.history_days
        raise InputError(
            f"history is kept for {days} days: ask for a later time, or raise catalog.history_days",
            code="catalog.bad_as_of",
        )


def _kept(platform: Platform) -> int:
    return platform.settings.catalog.history_days * DAY


def _entries(
    one: Version, older: Version | None, changes: Mapping[tuple[str, int], Change], sources: Mapping[str, str]
) -> Sequence[dict[str, Any]]:
    shared = {
        "row": one.id,
        "version": one.version,
        "uid": one.uid,
        "owner": one.owner,
        "source_id": one.source_id,
        "source": sources.get(one.source_id),
        "location": one.location,
        "line": one.line,
    }
    made = {
        **shared,
        "verb": "created" if one.version == 1 else "updated",
        "at": one.started_at,
        "until": one.ended_at,
        "current": one.ended_at is None,
        "diff": _diff(one, older),
        **_by(changes.get((one.source_id, one.started_at))),
    }
    if not one.deleted or one.ended_at is None:
        return [made]
    gone = {
        **shared,
        "verb": "deleted",
        "at": one.ended_at,
        "until": None,
        "current": False,
        "diff": None,
        **_by(changes.get((one.source_id, one.ended_at))),
    }
    return [gone, made]


def _diff(one: Version, older: Version | None) -> list[dict[str, Any]] | None:
    if one.version == 1:
        return []
    return None if older is None else diff(orjson.loads(older.doc), orjson.loads(one.doc))


def _by(change: Change | None) -> dict[str, Any]:
    if change is None:
        return {"actor": None, "via": None, "request_id": None, "commit": None}
    return {"actor": change.actor, "via": change.via, "request_id": change.request_id, "commit": change.state}
