"""What a source does not name any more. Of a registered location or a configured source it becomes an orphan, and goes
after some days; of a pushed one it goes when its sender says so. Too much at once waits for review, because a source
that suddenly lists nothing is more likely broken than empty.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import orjson

from taxiway.core.context import OpContext, Platform
from taxiway.core.store.database import Tx
from taxiway.features.catalog.model import ORPHAN, ApplyResult
from taxiway.features.catalog.repository import configured as rows
from taxiway.features.catalog.repository import layers, orphans
from taxiway.features.catalog.repository.chunks import chunks
from taxiway.features.catalog.repository.entities import known_by_refs, refs_of_source
from taxiway.features.catalog.service.apply import apply_judged, judge_here, remove_entities
from taxiway.features.catalog.service.overlaying import overlay_of, remove_layers
from taxiway.kit.clock import MICROSECONDS
from taxiway.model.errors import ConflictError
from taxiway.model.event import EventDraft
from taxiway.plugin import SourcedEntity, SourceProblem

SHARE_PERCENT = 20
SMALL = 10
"""Entities that may go unasked although they are more than the share: in a source so small that its share is less."""
SCHEDULE = "catalog_orphans"
EVERY_SECONDS = 3600
DAY = 86_400 * MICROSECONDS
BATCH = 2000
ORPHANED = "dev.taxiway.entity.orphaned.v1"


@dataclass(frozen=True)
class Removed:
    """What became of entities that are not named any more, by reference."""

    orphaned: Collection[str] = ()
    held: Collection[str] = ()
    deleted: Collection[str] = ()


def allowed(count: int) -> int:
    """How many of `count` entities may go at once."""
    return max(SMALL, count * SHARE_PERCENT // 100)


def _too_many(gone: int, count: int) -> bool:
    return gone > allowed(count) or (gone == count > 1)


def hold_back(
    tx: Tx, source_id: str, described: Collection[str], *, whole: bool, overlay: bool = False
) -> Collection[str]:
    """What waits for review of a pushed source: too much for one go that is not in a complete push. A push that is not
    the whole only takes back what waits. Of an overlay it is what it said of entities, and those that it owned before
    it was one."""
    waiting = {row.ref for row in orphans.held_rows(tx.conn, source_id)}
    owned = {ref for ref, _ in refs_of_source(tx.conn, source_id)} if whole or overlay or waiting else set()
    own = layers.refs_of(tx.conn, source_id) if overlay else owned
    gone = (own if whole else own & waiting).difference(described)
    if whole and not _too_many(len(gone), len(own)):
        gone = set()
    if overlay and (_too_many(len(owned), len(owned)) or owned & waiting):
        gone |= owned
    if gone != waiting:
        orphans.hold(tx.conn, tx.now, source_id, gone)
    return gone


def drop_owned(tx: Tx, ctx: OpContext, source_id: str, held: Collection[str]) -> list[str]:
    """Remove what a source owned before it became an overlay, except what is held."""
    owned = {ref for ref, _ in refs_of_source(tx.conn, source_id)}
    return remove_entities(tx, ctx, sorted(owned.difference(held)))


def retire(tx: Tx, ctx: OpContext, source_id: str, described: Container[str], settled: Container[str] = ()) -> Removed:
    """Make orphans of what a registered location does not describe any more, or hold it for review. What its files at
    `settled` locations describe was not read, and stays."""
    already = orphans.of_source(tx.conn, source_id)
    there, gone = 0, set()
    for ref, location in refs_of_source(tx.conn, source_id):
        if ref not in already:
            there += 1
            if ref not in described and location not in settled:
                gone.add(ref)
    if len(gone) > allowed(there):
        orphans.hold(tx.conn, tx.now, source_id, gone)
        return Removed(held=gone)
    orphans.release(tx.conn, source_id)
    mark_orphans(tx, ctx, source_id, gone)
    return Removed(orphaned=gone) if ctx.platform.settings.catalog.orphan_days else Removed(deleted=gone)


def apply_whole(
    tx: Tx, ctx: OpContext, documents: Sequence[SourcedEntity | SourceProblem], source_id: str
) -> ApplyResult:
    """Like `apply_entities`, of all that a registered location describes. `retire` deals with what else it had."""
    judged = judge_here(tx, ctx, documents, source_id)
    described = {*judged.records, *(problem.ref for problem in judged.problems if problem.ref)}
    removed = Removed() if judged.unreadable else retire(tx, ctx, source_id, described)
    stay = orphans.of_source(tx.conn, source_id).union(removed.held)
    result = apply_judged(tx, ctx, judged, source_id, full=True, held=stay)
    deleted, held, orphaned = map(sorted, (removed.deleted, removed.held, removed.orphaned))
    return replace(result, deleted=deleted, held=held, orphaned=orphaned)


def judge_removals(tx: Tx, ctx: OpContext, source_id: str, dropped: Collection[str] | None) -> Removed:
    """Make orphans of what no part of a source describes, or hold it for review. `dropped` limits it to these
    references (a delta); None: everything is judged (a full snapshot)."""
    waiting = {row.ref for row in orphans.held_rows(tx.conn, source_id)}
    if dropped is not None and not dropped and not waiting:
        return Removed()  # most webhooks: a large source is not gone through for them
    owned = {ref for ref, _ in refs_of_source(tx.conn, source_id)}
    laid = layers.refs_of(tx.conn, source_id)
    already = orphans.of_source(tx.conn, source_id)
    described = rows.all_refs(tx.conn, source_id)
    # An overlay owns nothing, and what is none lays nothing over anything: a source can become one, or cease to be.
    is_overlay = overlay_of(ctx.platform, source_id) is not None
    there = owned | laid
    gone = ((owned if is_overlay else laid) | (there - described)) - already
    if dropped is not None:
        gone &= {*dropped, *waiting}
    count = len(there - already)
    if _too_many(len(gone), count):
        orphans.hold(tx.conn, tx.now, source_id, gone)
        return Removed(held=gone)
    orphans.release(tx.conn, source_id)
    mark_orphans(tx, ctx, source_id, gone & owned)
    remove_layers(tx, ctx, source_id, gone & (laid - described if is_overlay else laid))
    return Removed(orphaned=gone)


def waiting(tx: Tx, source_id: str) -> bool:
    """Whether removals of a source wait for review."""
    return bool(orphans.held_rows(tx.conn, source_id))


def mark_orphans(tx: Tx, ctx: OpContext, source_id: str, refs: Collection[str]) -> None:
    """Annotate entities of a source as orphans, from now on. They stay readable until they go: at once where
    `catalog.orphan_days` is 0."""
    if not refs:
        return
    if not ctx.platform.settings.catalog.orphan_days:
        remove_entities(tx, ctx, sorted(refs))
        return
    for some in chunks(sorted(refs), BATCH):
        _mark(tx, ctx, source_id, some)


def _mark(tx: Tx, ctx: OpContext, source_id: str, refs: Sequence[str]) -> None:
    sourced = []
    own = layers.own_of(tx.conn, refs)
    for ref, text, location, line in orphans.documents(tx.conn, refs):
        document = own[ref].document if ref in own else orjson.loads(text)
        sourced.append(SourcedEntity(annotated(document), location, line, vouched=True))
    # One that its kind does not allow any more stays as it is: there is no document at its source to be corrected.
    judged = replace(judge_here(tx, ctx, sourced, source_id), problems=())
    apply_judged(tx, ctx, judged, source_id, full=False)
    orphans.add(tx.conn, tx.now, source_id, refs)
    marked = known_by_refs(tx.conn, refs).values()
    drafts = [
        (EventDraft(ORPHANED, known.ref, {"ref": known.ref, "owner": known.owner}, subject_uid=known.uid), known.owner)
        for known in marked
    ]
    ctx.emit_many(tx, drafts)


def annotated(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the annotation of an orphan."""
    metadata = document["metadata"]
    annotations = {**(metadata.get("annotations") or {}), ORPHAN: "true"}
    return {**document, "metadata": {**metadata, "annotations": annotations}}


def review(ctx: OpContext, source_id: str, decision: Literal["remove", "keep"]) -> list[str]:
    """Decide what is held: `remove` removes it now, `keep` leaves it until the next reading judges anew. The
    references. ConflictError when nothing is held."""
    ctx.authorize("catalog.source.review")

    def work(tx: Tx) -> list[str]:
        refs = [row.ref for row in orphans.held_rows(tx.conn, source_id)]
        if not refs:
            raise ConflictError("nothing of this source waits for review", code="catalog.nothing_held")
        orphans.release(tx.conn, source_id)
        row = rows.get(tx.conn, source_id)
        if row is not None and row["state"] == "held":
            rows.end(tx.conn, source_id, state="ok")
        if decision == "remove":
            _remove(tx, ctx, source_id, refs)
        told = {"source": source_id, "decision": decision, "entities": len(refs)}
        ctx.emit(tx, EventDraft("dev.taxiway.source.reviewed.v1", source_id, told))
        return refs

    return ctx.platform.store.write(work)


def remove_source(ctx: OpContext, source_id: str) -> list[str]:
    """Remove all that a source brought, at once, and forget how it was read. It comes back when it is read again.
    NotFoundError when it was never read."""
    ctx.authorize("catalog.source.review")

    def work(tx: Tx) -> list[str]:
        rows.get_checked(tx.conn, source_id)
        owned, laid = {ref for ref, _ in refs_of_source(tx.conn, source_id)}, layers.refs_of(tx.conn, source_id)
        gone = sorted(owned | laid)
        remove_entities(tx, ctx, sorted(owned))
        remove_layers(tx, ctx, source_id, laid)
        orphans.release(tx.conn, source_id)
        rows.remove_problems(tx.conn, source_id, None)
        rows.forget(tx.conn, source_id)
        return gone

    return ctx.platform.store.write(work)


def _remove(tx: Tx, ctx: OpContext, source_id: str, refs: Collection[str]) -> None:
    """The entities that the source owns go, and what it laid over those of others; what it says, as an overlay, of what
    it owned before it was one, stays."""
    owned = {ref for ref, _ in refs_of_source(tx.conn, source_id)}
    remove_entities(tx, ctx, sorted(owned.intersection(refs)))
    remove_layers(tx, ctx, source_id, layers.refs_of(tx.conn, source_id).intersection(refs) - owned)


def remove_old_orphans(platform: Platform) -> int:
    """Remove entities that have been orphans for `catalog.orphan_days`; how many."""
    ctx, total = platform.system("catalog"), 0

    def work(tx: Tx) -> int:
        before = tx.now - platform.settings.catalog.orphan_days * DAY
        refs = orphans.since_before(tx.conn, before, BATCH)
        remove_entities(tx, ctx, refs)
        orphans.forget(tx.conn, refs)
        return len(refs)

    while not platform.stopping.is_set():
        count = platform.store.write(work)
        total += count
        if count < BATCH:
            break
    return total
