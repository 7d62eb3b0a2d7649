"""Takes in a source of any size, in batches: files that did not change are skipped before they are parsed.

While one batch is written, the next is parsed and judged in another process. Called by runs of kind
`ingest`, and when a large location is refreshed.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, islice

from taxiway.core.context import OpContext
from taxiway.core.store.database import Tx
from taxiway.features.catalog.kinds import Kinds
from taxiway.features.catalog.model import ApplyResult, Location, Problem
from taxiway.features.catalog.repository import files
from taxiway.features.catalog.repository import locations as rows
from taxiway.features.catalog.repository.entities import refs_of_source
from taxiway.features.catalog.repository.kinds import load_kinds
from taxiway.features.catalog.service.apply import (
    Judged,
    apply_judged,
    duplicate_of,
    judge,
    replace_source_problems,
)
from taxiway.features.catalog.service.reading import open_location, read_items, root_entity
from taxiway.features.catalog.service.removals import Removed, retire
from taxiway.features.catalog.service.standing_by import standby_of
from taxiway.features.catalog.sources.items import Item
from taxiway.features.catalog.sources.memory import FileMemory
from taxiway.features.catalog.sources.parsing import ParsedApart
from taxiway.model.errors import ConflictError, NotFoundError, TimedOutError

BATCH = 2000
"""Documents of a transaction. In a store of 200,000 a thousand of them touch 80 MB of pages, four thousand hardly more;
three batches are in memory at once, 25 MB a thousand."""
FIRST = 500
"""Documents of the first transaction; each further one has twice as many, until they have `BATCH`. Until the first one
begins, nothing is written."""
Place = tuple[str, int]
"""Where something is described: location and line."""


@dataclass
class _Taken:
    """What happened so far."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add(self, result: ApplyResult) -> None:
        for name in ("created", "updated", "unchanged", "problems"):
            getattr(self, name).extend(getattr(result, name))

    def __str__(self) -> str:
        return f"{len(self.created)} created, {len(self.updated)} updated, {len(self.unchanged)} unchanged"


def follow_in_batches(
    ctx: OpContext, current: Location, stopped: Callable[[], bool], log: Callable[..., None]
) -> ApplyResult:
    """Read a location and make the catalog follow. TimedOutError when `stopped` says so: what was taken in stays."""
    opened = open_location(ctx.platform, current)
    memory, kinds = _memory(ctx, current), _kinds(ctx)
    taken, seen, whole = _Taken(), dict[str, Place](), True
    written: list[Future[ApplyResult]] = []
    with ParsedApart(current.reference, kinds, standby_of(ctx.platform)) as parser:
        items = read_items(ctx.platform, opened, current.trusted, memory, parser)
        for batch in _batches(chain([root_entity(current)], items)):
            if stopped():
                raise TimedOutError(
                    "the ingestion was cancelled: what it took in so far stays", code="catalog.cancelled"
                )
            # Others declare kinds too, while a large source is read; its own may not be written yet.
            kinds = _kinds(ctx).with_own(kinds, current.id)
            judged = _unseen(judge(batch, current.reference, current.trusted, kinds, current.id), seen)
            kinds = judged.kinds
            whole = whole and not judged.unreadable
            if written:
                taken.add(written.pop().result())
                log(str(taken))
            work = partial(apply_batch, ctx=ctx, judged=judged, current=current, settled=memory.same)
            written.append(ctx.platform.store.submit(work))
    for last in written:
        taken.add(last.result())
    finish = partial(
        _finish, ctx=ctx, current=current, state=opened.tree.state, seen=seen, whole=whole, memory=memory, taken=taken
    )
    removed, left = ctx.platform.store.write(finish)
    taken.unchanged.extend(left)
    deleted, held, orphaned = map(sorted, (removed.deleted, removed.held, removed.orphaned))
    log(f"{taken}, {len(memory.same)} files unchanged, {len(orphaned)} orphaned, {len(deleted)} deleted")
    if held:
        log(
            f"{len(held)} are not described any more, which is too many at once: they stay until somebody reviews them "
            f"(taxiway catalog sources review {current.id})"
        )
    return ApplyResult(taken.created, taken.updated, taken.unchanged, deleted, taken.problems, held, orphaned)


def apply_batch(
    tx: Tx, *, ctx: OpContext, judged: Judged, current: Location, settled: Container[str] = ()
) -> ApplyResult:
    """Take in some of what a location describes. NotFoundError and ConflictError when it was unregistered or points
    elsewhere since it was read: nobody would ever remove what is written then."""
    _check_unchanged(tx, current)
    return apply_judged(tx, ctx, judged, current.id, full=False, settled=settled)


def _check_unchanged(tx: Tx, current: Location) -> None:
    now = rows.get(tx.conn, current.id)
    if now is None:
        raise NotFoundError(
            f"{current.reference} was unregistered while it was read: nothing of it is taken in any more",
            code="catalog.no_location",
        )
    if now.reference != current.reference:
        raise ConflictError(
            f"{current.reference} was pointed to {now.reference} while it was read: refresh it", code="catalog.busy"
        )


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    size, left = min(FIRST, BATCH), iter(items)
    while batch := list(islice(left, size)):
        yield batch
        size = min(2 * size, BATCH)


def _memory(ctx: OpContext, current: Location) -> FileMemory:
    with ctx.platform.store.read() as conn:
        return FileMemory(files.known(conn, current.id), f"{current.reference} {current.trusted}")


def _kinds(ctx: OpContext) -> Kinds:
    with ctx.platform.store.read() as conn:
        return load_kinds(conn)


def _unseen(judged: Judged, seen: dict[str, Place]) -> Judged:
    # A reference that stood in an earlier batch already is described twice.
    twice = [record for ref, record in judged.records.items() if ref in seen]
    problems = [*judged.problems, *(duplicate_of(record, _told(seen[record.ref])) for record in twice)]
    records = {ref: record for ref, record in judged.records.items() if ref not in seen}
    seen.update((ref, (record.location, record.line)) for ref, record in records.items())
    return replace(judged, records=records, problems=problems)


def _told(place: Place) -> str:
    return f"{place[0]}, line {place[1]}"


def _finish(
    tx: Tx,
    *,
    ctx: OpContext,
    current: Location,
    state: str,
    seen: Mapping[str, Place],
    whole: bool,
    memory: FileMemory,
    taken: _Taken,
) -> tuple[Removed, Sequence[str]]:
    # What became of those that are not described any more, and references of files that were left alone.
    _check_unchanged(tx, current)
    rows.touch(tx.conn, tx.now, current, state, any_version=True)
    faulty = {problem.ref for problem in taken.problems if problem.ref} - seen.keys()
    keep = {*seen, *faulty} if faulty else seen
    removed = retire(tx, ctx, current.id, keep, memory.same) if whole else Removed()
    # A file that held what is not described any more, and stays for now, is read again the next time: left alone, it
    # would seem to describe it.
    left, unsettled = [], {problem.location for problem in taken.problems}
    for ref, location in refs_of_source(tx.conn, current.id):
        if ref in seen:
            continue
        if location in memory.same:
            left.append(ref)
        else:
            unsettled.add(location)
    replace_source_problems(tx, ctx, current.id, taken.problems)
    files.replace(tx.conn, current.id, memory.good(unsettled))
    return removed, left
