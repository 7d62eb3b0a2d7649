"""Registered locations beyond registering: pages by predicate, and pointing one to another target."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import orjson

from taxiway.core.context import OpContext, Platform
from taxiway.core.cursors import bad_cursor
from taxiway.core.store.database import Tx
from taxiway.features.catalog.matching import Tests
from taxiway.features.catalog.model import ApplyResult, Location
from taxiway.features.catalog.repository import locations as rows
from taxiway.features.catalog.repository.grammar import read_predicate
from taxiway.features.catalog.service.apply import apply_entities
from taxiway.features.catalog.service.locations import (
    TRUST,
    find_location,
    get_location,
    parse_location,
    refuse_unreadable,
)
from taxiway.features.catalog.service.reading import read_items, root_entity
from taxiway.features.catalog.sources.items import Item
from taxiway.features.catalog.sources.targets import open_target
from taxiway.model.errors import ConflictError, InputError

KEYS = ("id", "type", "target", "entityRef")
MAX = 100_000


@dataclass(frozen=True)
class LocationPage:
    """A page of locations by id; `total` counts all that satisfy the predicate."""

    items: Sequence[Location]
    total: int
    next_cursor: str | None


def find_locations(platform: Platform, query: Any, limit: int, cursor: str | None) -> LocationPage:
    """Locations that satisfy a JSON predicate over id, type, target and entityRef; a cursor brings its own."""
    after = ""
    if cursor:
        query, after = _decode(cursor)
    test = Tests().everything() if query is None else read_predicate(Tests(), query)
    _check_keys(query or {})
    with platform.store.read() as conn:
        found = [row for row in rows.listed(conn, None, MAX) if test(_rows(row))]
    behind = [row for row in found if row.id > after]
    items = behind[:limit]
    more = len(behind) > limit
    return LocationPage(items, len(found), _encode(query, items[-1].id) if more else None)


def change_location(ctx: OpContext, location_id: str, type: str, target: str) -> Location:
    """Let a location point elsewhere: its entities are those of the new target when this returns.

    Its id and its Location entity keep their names. ConflictError when another location has this target; the same
    rights are asked for as for unregistering the old one and registering the new one.
    """
    current = get_location(ctx.platform, location_id)
    kind, target = parse_location(f"{type}:{target}")
    ctx.authorize("catalog.location.delete", current.owner)
    other = find_location(ctx.platform, kind, target)
    if other is not None and other.id != current.id:
        raise ConflictError(f"Location {kind}:{target} already exists", code="catalog.exists")
    opened = open_target(ctx.platform, kind, target)
    ctx.authorize("catalog.location.create", opened.owner)
    if current.trusted and (kind, target) != (current.type, current.target):
        ctx.authorize(TRUST)
    changed = replace(
        current, type=kind, target=target, repository=opened.repository, owner=opened.owner, kept_ref=current.entity_ref
    )
    items = list(read_items(ctx.platform, opened, current.trusted))
    refuse_unreadable(items)
    work = partial(_change, ctx=ctx, current=current, changed=changed, state=opened.tree.state, items=items)
    if ctx.platform.store.write(work) is None:
        raise ConflictError(
            "the location is being changed by somebody else: try again in a few seconds", code="catalog.busy"
        )
    return changed


def _change(
    tx: Tx, *, ctx: OpContext, current: Location, changed: Location, state: str, items: Sequence[Item]
) -> ApplyResult | None:
    if not rows.retarget(tx.conn, tx.now, current, changed, state):
        return None
    return apply_entities(tx, ctx, [root_entity(changed), *items], current.id, full=True)


def _rows(row: Location) -> dict[str, set[str]]:
    values = (row.id, row.type, row.target, row.entity_ref)
    return {key.lower(): {value.lower()} for key, value in zip(KEYS, values, strict=True)}


def _check_keys(query: Any) -> None:
    for key, value in query.items():
        if key in ("$all", "$any"):
            for part in value:
                _check_keys(part)
        elif key == "$not":
            _check_keys(value)
        elif key not in KEYS:
            raise InputError(
                f"Invalid filter predicate, expected key to be 'id', 'type', 'target', or 'entityRef', got '{key}'",
                code="catalog.bad_query",
            )


def _encode(query: Any, after: str) -> str:
    return base64.b64encode(orjson.dumps({"query": query, "after": after})).decode()


def _decode(cursor: str) -> tuple[Any, str]:
    try:
        value = orjson.loads(base64.b64decode(cursor, validate=True))
        return value["query"], str(value["after"])
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise bad_cursor() from error
