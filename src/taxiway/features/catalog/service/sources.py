"""What the location operations do beyond registering: dry run, refresh by entity, judging a document, ingest runs."""

from __future__ import annotations

from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.features.catalog.documents import prepare
from taxiway.features.catalog.model import SYSTEM_SOURCES, Location
from taxiway.features.catalog.repository.entities import known_by_refs
from taxiway.features.catalog.repository.kinds import load_kinds
from taxiway.features.catalog.service import locations
from taxiway.features.catalog.service.locations import get_location
from taxiway.features.catalog.service.reading import root_entity
from taxiway.features.catalog.validation import validate
from taxiway.model.errors import ConflictError, InputError, NotFoundError
from taxiway.plugin import SourcedEntity

__all__ = ["dry_run", "get_location", "ingest", "judge", "judge_at", "location_of", "refresh_entity"]


def judge(platform: Platform, document: Any) -> list[dict[str, str]]:
    """Backstage's error items for a document; none when it is valid."""
    with platform.store.read() as conn:
        kinds = load_kinds(conn)
    try:
        validate(document, kinds)
    except InputError as error:
        return [{"name": "InputError", "message": f"{e.pointer or 'the document'}: {e.detail}"} for e in error.errors]
    return []


def judge_at(platform: Platform, document: Any, location: str) -> list[dict[str, str]]:
    """Like `judge`, for a document that is said to lie at `<type>:<target>`."""
    try:
        locations.parse_location(location)
    except InputError as error:
        return [{"name": "TypeError", "message": error.detail}]
    return judge(platform, document)


def dry_run(ctx: OpContext, type: str, target: str) -> tuple[list[Any], bool]:
    """The documents that registering would bring, its Location entity first, and whether the location is registered.

    InputError for a fault in any of them."""
    items, exists = locations.dry_run(ctx, type, target)
    kind, target = locations.parse_location(f"{type}:{target}")
    new = Location("", kind, target)
    documents = []
    with ctx.platform.store.read() as conn:
        kinds = load_kinds(conn)
    for item in [root_entity(new), *items]:
        where = item.location if item.line is None else f"{item.location}, line {item.line}"
        if not isinstance(item, SourcedEntity):
            raise InputError(f"{item.detail} ({where})", code="catalog.unreadable")
        try:
            valid = validate(item.document, kinds)
        except InputError as error:
            raise InputError(f"{error.detail} ({where})", code=error.code, errors=error.errors) from error
        documents.append(prepare(item, valid, new.reference, kinds).document)
    return documents, exists


def refresh_entity(ctx: OpContext, ref: str) -> None:
    """Read the source of an entity again. NotFoundError for an unknown entity, ConflictError when it has no source."""
    source_id, owner = _source(ctx.platform, ref)
    ctx.authorize("catalog.entity.refresh", owner)
    if source_id in SYSTEM_SOURCES:
        return
    try:
        locations.refresh_location(ctx, source_id)
    except NotFoundError as error:
        raise ConflictError(
            f"{ref} was not read from a location: change it where it comes from", code="catalog.not_refreshable"
        ) from error


def location_of(platform: Platform, ref: str) -> Location:
    """The location that an entity came from. NotFoundError when there is none."""
    source_id, _ = _source(platform, ref)
    return get_location(platform, source_id)


def ingest(ctx: OpContext, location_id: str) -> str:
    """Start a run that reads a location again; its id."""
    found = get_location(ctx.platform, location_id)
    ctx.authorize("catalog.entity.refresh", found.owner)
    return ctx.platform.store.write(lambda tx: locations.start_ingest(tx, ctx, found))


def _source(platform: Platform, ref: str) -> tuple[str, str | None]:
    with platform.store.read() as conn:
        found = known_by_refs(conn, [ref]).get(ref)
    if found is None:
        raise NotFoundError(f"Entity {ref} not found", code="catalog.no_entity")
    return found.source_id, found.owner
