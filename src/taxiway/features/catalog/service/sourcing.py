"""Takes in what a configured source yields, part by part, in batches. Called by runs of kind `ingest`.

Each batch is one transaction: entities, problems, and what each part describes now. What went is judged at the end,
from what all parts describe: a reading that was interrupted and began anew comes to the same. See `removals`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.core.settings_sources import SourceSettings
from taxiway.core.store.database import Tx
from taxiway.features.catalog.kinds import Kinds
from taxiway.features.catalog.model import CONFIGURED, ApplyResult, Record
from taxiway.features.catalog.repository import configured as rows
from taxiway.features.catalog.repository.chunks import chunks
from taxiway.features.catalog.repository.entities import known_by_refs
from taxiway.features.catalog.repository.kinds import load_kinds
from taxiway.features.catalog.service import removals
from taxiway.features.catalog.service.apply import Judged, apply_judged, duplicate_of, judge
from taxiway.features.catalog.service.configured import opened, settings_digest
from taxiway.features.catalog.service.overlaying import apply_layers, judge_layers
from taxiway.features.catalog.service.reading import follow_from
from taxiway.features.catalog.sources.items import Item
from taxiway.features.catalog.sources.read import read_target
from taxiway.features.catalog.sources.targets import Target
from taxiway.model.errors import NotFoundError, TaxiwayError, TimedOutError
from taxiway.plugin import (
    SourcedEntity,
    SourcedTree,
    SourceEnd,
    SourceGone,
    SourcePart,
    SourceProblem,
    SourceRequest,
    StepContext,
)

BATCH = 1000
WHOLE = ""
"""The key of the part that holds what lies in no other."""


@dataclass
class _Part:
    """What was judged of a part, before it is written."""

    key: str
    state: Mapping[str, Any] | None
    judged: Judged
    whole: bool
    refs: Collection[str]
    """All that it describes, also where only some of it is in `judged`."""


@dataclass
class _Taking:
    """One reading of a source, as far as it came."""

    ctx: OpContext
    settings: SourceSettings
    source_id: str
    stale: set[str]
    """Parts with problems of an earlier reading."""
    kinds: Kinds
    ready: list[_Part] = field(default_factory=list)
    waiting: int = 0
    seen: dict[str, str] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    same: set[str] = field(default_factory=set)
    """Parts that did not change, and were not read."""
    dropped: set[str] = field(default_factory=set)
    faulty: set[str] = field(default_factory=set)
    """Parts with problems, which are read again the next time."""
    counts: dict[str, int] = field(default_factory=dict)
    states: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def count(self, name: str, by: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + by


def take_in(ctx: OpContext, settings: SourceSettings, run_id: str, step: StepContext) -> Mapping[str, int]:
    """Read a source and make the catalog follow. The counts; an error when the reading ended early. Whatever it was,
    the source's row tells of it too: else it would go on telling how the last reading went."""
    source_id = CONFIGURED + settings.name
    platform = ctx.platform
    platform.store.write(
        lambda tx: rows.begin(tx.conn, tx.now, source_id, settings.type, settings_digest(settings), run_id)
    )
    with platform.store.read() as conn:
        taking = _Taking(
            ctx,
            settings,
            source_id,
            rows.problem_parts(conn, source_id),
            load_kinds(conn),
        )
    try:
        return _read(taking, step)
    except Exception as error:
        if isinstance(error, TaxiwayError):
            _flush(taking, step.log)
            detail = error.detail[:1000]
        else:
            detail = f"the plugin for '{settings.type}' failed ({type(error).__name__}): see the log of run {run_id}"
        counts = taking.counts
        platform.store.write(
            lambda tx: rows.end(tx.conn, source_id, state="failed", detail=detail, counts=counts, ended_at=tx.now)
        )
        raise


def _read(taking: _Taking, step: StepContext) -> Mapping[str, int]:
    source, options = opened(taking.ctx.platform, taking.settings)
    request = _request(taking, options, step)
    loose: list[SourcedEntity | SourceProblem] = []
    end = SourceEnd(complete=False)
    for item in source.read(request):
        if step.cancelled.is_set():
            raise TimedOutError("the reading was cancelled: what it took in so far stays", code="catalog.cancelled")
        if isinstance(item, SourcedTree):
            loose.extend(_of_tree(taking, item))
        elif isinstance(item, SourcedEntity | SourceProblem):
            loose.append(item)
        elif isinstance(item, SourcePart):
            _close(taking, item, loose)
            loose = []
        elif isinstance(item, SourceGone):
            _gone(taking, item)
        else:
            end = item
        if taking.waiting >= BATCH:
            _flush(taking, step.log)
    if loose:
        _add(taking, WHOLE, None, loose, whole=end.complete)
    _flush(taking, step.log)
    return _finish(taking, end, step.log)


def _request(taking: _Taking, options: Any, step: StepContext) -> SourceRequest:
    platform, source_id = taking.ctx.platform, taking.source_id

    def ask(query: Callable[..., Any], *given: str) -> Any:
        with platform.store.read() as conn:
            return query(conn, source_id, *given)

    row = ask(rows.get_checked)
    return SourceRequest(
        taking.settings.name,
        options,
        cursor=row["cursor"],
        hints=step_hints(step, platform),
        part=lambda key: ask(rows.part_state, key),
        parts=lambda: ask(rows.part_keys),
        log=step.log,
        cancelled=step.cancelled,
    )


def step_hints(step: StepContext, platform: Platform) -> list[Mapping[str, Any]]:
    """What webhooks told this run of."""
    return list(platform.runs.get(step.run_id).input.get("hints", ()))


def _of_tree(taking: _Taking, item: SourcedTree) -> Iterator[Item]:
    follow = follow_from(taking.ctx.platform, item.tree, taking.settings.trusted)
    return chain.from_iterable(read_target(Target(item.tree, path), follow) for path in item.paths)


def _close(taking: _Taking, part: SourcePart, items: list[SourcedEntity | SourceProblem]) -> None:
    if part.same and not items:
        taking.named.add(part.key)
        taking.same.add(part.key)
        taking.count("parts_unchanged")
        if part.state is not None:
            taking.states[part.key] = part.state
        return
    _add(taking, part.key, part.state, items, whole=True)


def _add(
    taking: _Taking,
    key: str,
    state: Mapping[str, Any] | None,
    items: list[SourcedEntity | SourceProblem],
    *,
    whole: bool,
) -> None:
    overlay, trusted = taking.settings.overlay, taking.settings.trusted
    if overlay is not None:
        judged = judge_layers(items, overlay, trusted)
    else:
        judged = judge(items, None, trusted, taking.kinds, taking.source_id)
        taking.kinds = judged.kinds
    first = {ref: record for ref, record in judged.records.items() if ref not in taking.seen}
    twice = [duplicate_of(record, taking.seen[ref]) for ref, record in judged.records.items() if ref in taking.seen]
    taking.seen.update((ref, f"{record.location}, line {record.line}") for ref, record in first.items())
    problems = [replace(problem, part=key) for problem in (*judged.problems, *twice)]
    taking.named.add(key)
    taking.count("parts_read")
    refs = {*first, *(problem.ref for problem in problems if problem.ref)}
    taking.ready.append(_Part(key, state, Judged(first, problems, judged.unreadable, judged.kinds), whole, refs))
    taking.waiting += len(items) + 1


def _gone(taking: _Taking, item: SourceGone) -> None:
    if item.ref is not None:
        taking.dropped.add(item.ref.lower())
    if item.part is not None:
        # An empty part: what it described is judged at the end, like all that went.
        taking.ready.append(_Part(item.part, None, Judged({}, (), False, taking.kinds), True, ()))
        taking.waiting += 1


def _flush(taking: _Taking, log: Callable[..., None]) -> None:
    ready, states = taking.ready, taking.states
    taking.ready, taking.states, taking.waiting = [], {}, 0
    if not ready and not states:
        return
    if states:
        taking.ctx.platform.store.write(lambda tx: rows.set_states(tx.conn, taking.source_id, states))
    for some in _transactions(ready):
        result, dropped, faulty = taking.ctx.platform.store.write(partial(_write, taking=taking, ready=some))
        taking.dropped |= dropped
        taking.faulty |= faulty
        taking.stale -= {part.key for part in some}
        for name in ("created", "updated", "unchanged", "problems"):
            taking.count(name, len(getattr(result, name)))
    with taking.ctx.platform.store.read() as conn:
        taking.kinds = load_kinds(conn)  # others declare kinds too, while a large source is read
    log(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in taking.counts.items()))


def _transactions(ready: Iterable[_Part]) -> Iterator[list[_Part]]:
    """Parts in groups of about `BATCH` documents. A larger one is written piece by piece, so that nobody else waits for
    all of it; its state comes with the last piece: what was not written whole is read again."""
    group: list[_Part] = []
    size = 0
    for part in ready:
        records = part.judged.records
        *some, last = [*chunks(records, BATCH)] or [[]]
        for batch in some:
            judged = replace(part.judged, records={ref: records[ref] for ref in batch}, problems=())
            yield [*group, replace(part, state=None, judged=judged, whole=False)]
            group, size = [], 0
        group.append(replace(part, judged=replace(part.judged, records={ref: records[ref] for ref in last})))
        size += len(last) + 1
        if size >= BATCH:
            yield group
            group, size = [], 0
    if group:
        yield group


def _write(tx: Tx, *, taking: _Taking, ready: list[_Part]) -> tuple[ApplyResult, set[str], set[str]]:
    # What came of it, what parts described before and do not now, and parts with problems.
    source_id = taking.source_id
    if rows.get(tx.conn, source_id) is None:  # nobody would ever remove what is written then
        raise NotFoundError(
            f"the source {taking.settings.name} was removed while it was read: nothing of it is taken in any more",
            code="catalog.no_source",
        )
    records: dict[str, Record] = {}
    places: dict[str, str] = {}
    for part in ready:
        records.update(part.judged.records)
        places.update(dict.fromkeys(part.judged.records, part.key))
    rows.remove_problems(tx.conn, source_id, [part.key for part in ready if part.key in taking.stale])
    problems = [problem for part in ready for problem in part.judged.problems]
    judged, overlay = Judged(records, problems, False, taking.kinds), taking.settings.overlay
    if overlay is not None:
        result = apply_layers(tx, taking.ctx, judged, source_id, overlay)
    else:
        settled = _settled(tx, taking, records)
        result = apply_judged(tx, taking.ctx, judged, source_id, full=False, settled=settled)
    late = {problem.ref: places[problem.ref] for problem in result.problems if problem.ref and problem.part is None}
    rows.place_problems(tx.conn, source_id, late)
    found = (problem.part or places.get(problem.ref or "") for problem in result.problems)
    faulty = {key for key in found if key is not None}
    dropped: set[str] = set()
    kept: dict[str, tuple[Mapping[str, Any] | None, set[str]]] = {}
    for part in ready:
        before, now = set(rows.part_refs(tx.conn, source_id, part.key)), set(part.refs)
        if part.judged.unreadable or not part.whole:
            now |= before
        dropped |= before - now
        kept[part.key] = (None if part.key in faulty | taking.faulty else part.state, now)
    rows.put_parts(tx.conn, source_id, kept)
    return result, dropped, faulty


def _settled(tx: Tx, taking: _Taking, records: Mapping[str, Record]) -> set[str]:
    """Where entities are described that parts which did not change have already: another part does not take them."""
    known = known_by_refs(tx.conn, records)
    moved = {
        ref: present.location
        for ref, present in known.items()
        if present.source_id == taking.source_id and present.location != records[ref].location
    }
    if not moved or not taking.same:
        return set()
    places = rows.parts_of(tx.conn, taking.source_id, moved)
    return {location for ref, location in moved.items() if places.get(ref, set()) & taking.same}


def _finish(taking: _Taking, end: SourceEnd, log: Callable[..., None]) -> Mapping[str, int]:
    def work(tx: Tx) -> removals.Removed:
        if end.complete:
            gone = set(rows.part_keys(tx.conn, taking.source_id)) - taking.named
            rows.remove_parts(tx.conn, taking.source_id, gone)
            rows.remove_problems(tx.conn, taking.source_id, gone & taking.stale)
        removed = removals.judge_removals(
            tx, taking.ctx, taking.source_id, None if end.complete else taking.dropped - taking.seen.keys()
        )
        taking.counts.update(orphaned=len(removed.orphaned), held=len(removed.held))
        values: dict[str, Any] = {"cursor": end.cursor} if end.cursor is not None else {}
        if end.complete:
            values["complete_at"] = tx.now
        state = "held" if removed.held or removals.waiting(tx, taking.source_id) else "ok"
        rows.end(tx.conn, taking.source_id, state=state, detail=None, counts=taking.counts, ended_at=tx.now, **values)
        return removed

    removed = taking.ctx.platform.store.write(work)
    if removed.held:
        log(
            f"{len(removed.held)} entities are gone from the source, which is too many at once: they stay until "
            f"somebody reviews them (taxiway catalog sources review {taking.settings.name})"
        )
    return taking.counts
