"""Locations: where the catalog reads from. Registering and refreshing happen at once, in the caller's request.

A source is read before a transaction is begun; the location's version makes sure that a slow read of an older state
never overwrites a newer one. Sources of more than `AT_ONCE` documents are taken in by a run of kind `ingest`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from itertools import islice

from taxiway.core.context import OpContext, Platform
from taxiway.core.permissions import decide
from taxiway.core.store.database import Tx
from taxiway.features.catalog.model import IMPORT, ApplyResult, Location
from taxiway.features.catalog.repository import locations as rows
from taxiway.features.catalog.repository.entities import count_of_source
from taxiway.features.catalog.repository.kinds import load_kinds
from taxiway.features.catalog.service.apply import apply_entities, prune_source
from taxiway.features.catalog.service.ingesting import follow_in_batches
from taxiway.features.catalog.service.reading import open_location, read_items, root_entity
from taxiway.features.catalog.service.removals import apply_whole
from taxiway.features.catalog.service.standing_by import standby_of
from taxiway.features.catalog.sources.items import Item
from taxiway.features.catalog.sources.parsing import ParsedApart
from taxiway.features.catalog.sources.read import ParsedHere, ParsedWithin, TooMuchError
from taxiway.features.catalog.sources.targets import Target, open_target
from taxiway.kit.turns import Turns
from taxiway.model.errors import ConflictError, InputError, NotFoundError, TaxiwayError, TooLargeError
from taxiway.model.run import RunSpec, StepDefinition
from taxiway.plugin import SourceProblem

AT_ONCE = 1200
MOST_BYTES = 4_000_000
"""Of files that are parsed while somebody waits: a second's work."""
TRIED, TRIED_BYTES = 5_000, 20_000_000
"""Documents and bytes that a dry run reads, and answers with, at most."""
TRIES, TURN_SECONDS, TURNS = 5, 30.0, 8
TRUST = "catalog.location.trust"


@dataclass(frozen=True)
class Registered:
    """What registering came to. `run_id` is set when the source is large and a run takes it in."""

    location: Location
    entity_ref: str
    result: ApplyResult
    existed: bool = False
    run_id: str | None = None


def parse_location(text: str) -> tuple[str, str]:
    """(type, target) of `<type>:<target>`. InputError says what is missing."""
    kind, colon, target = (part.strip() for part in text.partition(":"))
    if not colon or not kind or not target:
        raise InputError(
            f"'{text}' is not a location: write <type>:<target>, e.g. url:https://host/path",
            code="catalog.bad_location",
        )
    if kind in ("http", "https"):
        raise InputError(f"put 'url:' in front: url:{text}", code="catalog.bad_location")
    if target.lower().replace("\t", "").startswith("javascript:"):
        raise InputError(
            f"'{text}' is a script, not a place to read from: name a file or a repository", code="catalog.bad_location"
        )
    return kind, target


def register_location(
    ctx: OpContext, type: str, target: str, *, on_conflict: str = "reject", trust: bool = False
) -> Registered:
    """Register a location and take its entities in; they can be seen when this returns.

    ConflictError when it is registered already, unless `on_conflict` is `refresh`. A source that cannot be read at
    all is refused with its reason; faults of single documents are in the result's problems. `trust` lets a repository
    bring people, teams, templates and the platform's kinds, from now on and by whoever pushes to it: it needs
    `catalog.location.trust`. Files below the configured roots are trusted when their registrar has that permission.
    """
    kind, target = parse_location(f"{type}:{target}")
    opened = open_target(ctx.platform, kind, target)
    ctx.authorize("catalog.location.create", opened.owner)
    if trust:
        ctx.authorize(TRUST)
    known = find_location(ctx.platform, kind, target)
    if known is not None:
        if on_conflict != "refresh":
            raise ConflictError(
                f"the location {kind}:{target} is registered already: refresh it", code="catalog.exists"
            )
        return Registered(known, known.entity_ref, refresh_location(ctx, known.id), existed=True)
    may_trust = decide(ctx.platform.permissions, ctx.principal, TRUST, None).allowed
    trusted = trust or (opened.repository is None and not opened.remote and may_trust)
    items = _all_at_once(ctx, opened, f"{kind}:{target}", trusted)
    new = Location(ctx.platform.new_id(), kind, target, opened.repository, opened.owner, ctx.principal.subject, trusted)
    result, run_id = ctx.platform.store.write(lambda tx: _insert(tx, ctx, new, opened.tree.state, items))
    return Registered(new, new.entity_ref, result, run_id=run_id)


def dry_run(ctx: OpContext, type: str, target: str) -> tuple[Sequence[Item], bool]:
    """What registering would read, and whether it is registered already. Writes nothing. TooLargeError for a source
    that takes longer than somebody would wait: nothing of it is told, since who asks must not take a part for all."""
    kind, target = parse_location(f"{type}:{target}")
    opened = open_target(ctx.platform, kind, target)
    ctx.authorize("catalog.location.create", opened.owner)
    reading = read_items(ctx.platform, opened, trusted=False, parser=ParsedWithin(ParsedHere(), TRIED_BYTES))
    items: list[Item] | None
    try:
        items = list(islice(reading, TRIED + 1))
    except TooMuchError:
        items = None
    if items is None or len(items) > TRIED:
        raise TooLargeError(
            f"it has more than {TRIED} documents or {TRIED_BYTES} bytes, too much for a dry run: register it, a run "
            "takes it in and tells what is wrong with it",
            code="catalog.too_much_to_try",
        )
    refuse_unreadable(items)
    return items, find_location(ctx.platform, kind, target) is not None


def refresh_location(ctx: OpContext, location_id: str) -> ApplyResult:
    """Read a location again and make the catalog follow. NotFoundError when there is none; ConflictError when others
    read it for longer than somebody would wait."""
    with turn(ctx.platform, location_id, TURN_SECONDS, TURNS) as came:
        result = _refresh(ctx, location_id) if came else None
    if result is None:
        raise ConflictError(
            "the location is being refreshed by somebody else: try again in a few seconds", code="catalog.busy"
        )
    return result


def turn(platform: Platform, location_id: str, seconds: float, most: int | None = None) -> AbstractContextManager[bool]:
    """Wait, so long at most, until nobody else in this process reads the location: a reading that began earlier and
    ends later would bring back what was there before. Whether the turn came; not where `most` others wait."""
    turns: Turns = platform.services.setdefault("catalog.refreshes", Turns())
    return turns.of(location_id, seconds, most)


def _refresh(ctx: OpContext, location_id: str) -> ApplyResult | None:
    # None when another process was faster each time.
    for _ in range(TRIES):
        current = get_location(ctx.platform, location_id)
        if current.type == IMPORT:
            open_location(ctx.platform, current)  # says what to do instead
        if _is_large(ctx.platform, location_id):
            return follow_in_batches(ctx, current, ctx.platform.stopping.is_set, lambda *_: None)
        state = ""
        items: list[Item] = [root_entity(current)]
        try:
            opened = open_location(ctx.platform, current)
            state = opened.tree.state
            items = [*items, *read_items(ctx.platform, opened, current.trusted)]
        except TaxiwayError as error:
            items = [*items, SourceProblem(current.reference, error.detail)]
        result = ctx.platform.store.write(partial(_follow, ctx=ctx, current=current, state=state, items=items))
        if result is not None:
            return result
    return None


def unregister_location(ctx: OpContext, location_id: str, permission: str = "catalog.location.delete") -> list[str]:
    """Forget a location and remove its entities at once; their references are returned."""
    current = get_location(ctx.platform, location_id)
    ctx.authorize(permission, current.owner)

    def work(tx: Tx) -> list[str]:
        deleted = prune_source(tx, ctx, location_id)
        rows.remove(tx.conn, location_id)
        return deleted

    return ctx.platform.store.write(work)


def find_location(platform: Platform, kind: str, target: str) -> Location | None:
    """The registered location of this type and target, or None."""
    with platform.store.read() as conn:
        return rows.find(conn, kind, target)


def get_location(platform: Platform, location_id: str) -> Location:
    """The location of an id. NotFoundError when there is none."""
    with platform.store.read() as conn:
        found = rows.get(conn, location_id)
    if found is None:
        raise NotFoundError(f"there is no location {location_id}", code="catalog.no_location")
    return found


def list_locations(platform: Platform, *, repository: str | None = None, limit: int = 10_000) -> list[Location]:
    """Registered locations by id, those of a repository when one is given."""
    with platform.store.read() as conn:
        return rows.listed(conn, repository, limit)


def start_ingest(tx: Tx, ctx: OpContext, item: Location) -> str:
    """Start a run that takes a location in, in batches; its id."""
    spec = RunSpec(
        kind="ingest",
        title=f"Ingest {item.reference}",
        steps=(StepDefinition("ingest", "Read and apply", "catalog:ingest", {"location_id": item.id}),),
        input={"location_id": item.id},
        subject=item.entity_ref,
        owner=item.owner,
    )
    return ctx.platform.runs.start(tx, ctx.principal, spec)


def _all_at_once(ctx: OpContext, opened: Target, origin: str, trusted: bool) -> list[Item] | None:
    """Every item of a small source; None for one that a run takes in."""
    with ctx.platform.store.read() as conn:
        kinds = load_kinds(conn)
    with ParsedApart(origin, kinds, standby_of(ctx.platform)) as apart:
        reading = read_items(ctx.platform, opened, trusted, parser=ParsedWithin(apart, MOST_BYTES))
        try:
            items = list(islice(reading, AT_ONCE + 1))
        except TooMuchError:
            return None
    refuse_unreadable(items)
    return items if len(items) <= AT_ONCE else None


def _is_large(platform: Platform, location_id: str) -> bool:
    with platform.store.read() as conn:
        return count_of_source(conn, location_id, AT_ONCE + 1) > AT_ONCE


def refuse_unreadable(items: Sequence[Item]) -> None:
    """InputError when there is nothing but problems."""
    problems = [item for item in items if isinstance(item, SourceProblem)]
    if problems and len(problems) == len(items):
        first = problems[0]
        where = first.location if first.line is None else f"{first.location}, line {first.line}"
        raise InputError(f"nothing can be read there: {first.detail} ({where})", code="catalog.unreadable")


def _insert(
    tx: Tx, ctx: OpContext, new: Location, state: str, items: Sequence[Item] | None
) -> tuple[ApplyResult, str | None]:
    rows.add(tx.conn, tx.now, new, state)
    if items is None:
        return apply_entities(tx, ctx, [root_entity(new)], new.id, full=False), start_ingest(tx, ctx, new)
    return apply_entities(tx, ctx, [root_entity(new), *items], new.id, full=True), None


def _follow(tx: Tx, *, ctx: OpContext, current: Location, state: str, items: Sequence[Item]) -> ApplyResult | None:
    if not rows.touch(tx.conn, tx.now, current, state):
        return None
    return apply_whole(tx, ctx, items, current.id)
