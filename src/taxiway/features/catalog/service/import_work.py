"""What a run of kind `import` does: convert, say what would happen, and apply as a source of its own.

The source of an import is a location of type `import`; unregistering it removes all that it brought, and importing
under the same name again makes the catalog follow. Locations of a configuration are registered one by one instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from taxiway.core.context import OpContext
from taxiway.core.permissions import decide
from taxiway.core.store.database import Tx
from taxiway.features.catalog.importers.formats import converter
from taxiway.features.catalog.importers.report import Input, Item, Options, counts_of
from taxiway.features.catalog.model import IMPORT, TRUSTED_KINDS, ApplyResult, Location, Problem
from taxiway.features.catalog.repository import locations as rows
from taxiway.features.catalog.repository.chunks import chunks
from taxiway.features.catalog.repository.entities import known_by_refs
from taxiway.features.catalog.repository.kinds import load_kinds
from taxiway.features.catalog.service import locations
from taxiway.features.catalog.service.apply import judge, prune_source, replace_source_problems
from taxiway.features.catalog.service.import_files import document_text, put_report
from taxiway.features.catalog.service.ingesting import apply_batch
from taxiway.features.catalog.service.reading import root_entity
from taxiway.model.errors import ConflictError, TaxiwayError, TimedOutError
from taxiway.plugin import SourcedEntity

BATCH = 500
UNTRUSTED = (
    "a {} may only come with catalog.location.trust: let the platform team import it, after unregistering what was"
    " imported under this name without"
)
UNDECLARED = (
    "there is no kind {}, and a Kind may only come with catalog.location.trust: let the platform team import it, or map"
    " its entities to a kind that there is (--kind)"
)
Log = Callable[..., None]
Created = Callable[[str, str, Mapping[str, Any]], None]


@dataclass
class Work:
    """One import under way. `created` records what undo must know of."""

    ctx: OpContext
    input: Mapping[str, Any]
    stopped: Callable[[], bool]
    log: Log
    created: Created
    problems: dict[int, str] = field(default_factory=dict)
    """What is wrong with an item of the report, by position, beyond what its conversion said."""

    @property
    def target(self) -> str:
        return f"{self.input['format']}/{self.input['name']}"


def convert(work: Work) -> list[Item]:
    """What becomes of the documents. Pure but for reading them."""
    platform, subject = work.ctx.platform, work.ctx.principal.subject
    documents = [
        Input(found["name"], document_text(platform, subject, found["digest"])) for found in work.input["documents"]
    ]
    options = Options(work.input["kinds"], work.input["base"])
    items = []
    for item in converter(work.input["format"])(documents, options):
        items.append(item)
        if len(items) % BATCH == 0:
            _go_on(work)
    return items


def run_import(work: Work, checkpoint: Callable[[str, Callable[[], Any]], Any]) -> dict[str, Any]:
    """Do all of it; counts, and the digest of the report."""
    items = convert(work)
    counts: dict[str, Any] = counts_of(items)
    work.log(", ".join(f"{count} {name}" for name, count in counts.items() if count))
    current = locations.find_location(work.ctx.platform, IMPORT, work.target)
    trusted = _trusted(work, current)
    counts |= _foresee(work, items, current, trusted)
    counts |= _locations(work, items)
    counts["report"] = checkpoint("report", lambda: put_report(work.ctx.platform, _lines(work, items)))
    if work.input["apply"] and any(item.entity is not None for item in items):
        counts |= _apply(work, items, current, trusted)
    counts["problems"] = len(work.problems)
    return counts


def _trusted(work: Work, current: Location | None) -> bool:
    """Whether the import may bring people and teams. What was imported with trust is not followed without it."""
    if current is None:
        return decide(work.ctx.platform.permissions, work.ctx.principal, locations.TRUST, None).allowed
    if work.input["apply"]:
        work.ctx.authorize("catalog.location.create", current.owner)
        if current.trusted:
            work.ctx.authorize(locations.TRUST)
    return current.trusted


def _foresee(work: Work, items: Sequence[Item], current: Location | None, trusted: bool) -> dict[str, int]:
    """Note which entities the catalog would refuse; how many are new to it."""
    refs = [item.ref for item in items if item.entity is not None and item.ref is not None]
    with work.ctx.platform.store.read() as conn:
        known, kinds = known_by_refs(conn, refs), load_kinds(conn)
    for position, item in enumerate(items):
        if item.entity is None or item.ref is None:
            continue
        present = known.get(item.ref)
        if item.entity["kind"] in TRUSTED_KINDS and not trusted:
            work.problems[position] = UNTRUSTED.format(item.entity["kind"])
        elif not trusted and not kinds.has(item.entity["kind"]):
            work.problems[position] = UNDECLARED.format(item.entity["kind"])
        elif present is not None and (current is None or present.source_id != current.id):
            work.problems[position] = f"another source ({present.source_id}) has {item.ref}, and keeps it"
    return {"known": len(known), "new": len(set(refs) - known.keys())}


def _locations(work: Work, items: Sequence[Item]) -> dict[str, int]:
    """Register the locations of a configuration, or look whether they could be."""
    registered = 0
    for position, item in enumerate(items):
        if item.location is None:
            continue
        _go_on(work)
        kind, target, trust = (item.location[key] for key in ("type", "target", "trust"))
        try:
            if trust:
                work.ctx.authorize(locations.TRUST)
            if work.input["apply"]:
                done = locations.register_location(work.ctx, kind, target, on_conflict="refresh", trust=trust)
                registered += 1
                if not done.existed:
                    work.created("location", done.location.reference, {"location_id": done.location.id})
            else:
                locations.dry_run(work.ctx, kind, target)
        except TaxiwayError as error:
            work.problems[position] = error.detail
    return {"registered": registered} if registered else {}


def _lines(work: Work, items: Sequence[Item]) -> Iterator[dict[str, Any]]:
    for position, item in enumerate(items):
        yield {
            "document": item.document,
            "at": item.at,
            "line": item.line,
            "source": item.source,
            "outcome": item.outcome,
            "kind": None if item.entity is None else item.entity["kind"],
            "ref": item.ref,
            "reason": item.reason or None,
            "problem": work.problems.get(position),
            "location": item.location,
            "fields": [asdict(note) for note in item.notes],
            "entity": item.entity,
        }


def _apply(work: Work, items: Sequence[Item], current: Location | None, trusted: bool) -> dict[str, int]:
    """Make the catalog hold the entities; what an earlier import of this name brought and this one does not goes."""
    ctx, write = work.ctx, work.ctx.platform.store.write
    if current is None:
        current = Location(
            ctx.platform.new_id(),
            IMPORT,
            work.target,
            owner=work.input["owner"],
            registered_by=ctx.principal.subject,
            trusted=trusted,
        )
        write(partial(_register, current=current))
    work.created("location", current.reference, {"location_id": current.id})
    documents = [root_entity(current), *(_sourced(work, item) for item in items if item.entity is not None)]
    counts = dict.fromkeys(("created", "updated", "unchanged", "deleted"), 0)
    keep: set[str] = set()
    faults: list[Problem] = []
    for result in _written(work, documents, current):
        keep.update(result.refs, (problem.ref for problem in result.problems if problem.ref))
        faults.extend(result.problems)
        for name in ("created", "updated", "unchanged"):
            counts[name] += len(getattr(result, name))
        work.log(f"{counts['created']} created, {counts['updated']} updated, {counts['unchanged']} unchanged")
    counts["deleted"] = len(write(partial(_finish, ctx=ctx, current=current, keep=keep, faults=faults)))
    return counts


def _written(work: Work, documents: Sequence[SourcedEntity], current: Location) -> Iterator[ApplyResult]:
    """What writing came to, batch by batch. While one is written, the next is judged: that needs no transaction."""
    last: Future[ApplyResult] | None = None
    with work.ctx.platform.store.read() as conn:
        kinds = load_kinds(conn)
    for batch in chunks(documents, BATCH):
        _go_on(work)
        judged = judge(batch, current.reference, current.trusted, kinds, current.id)
        kinds = judged.kinds
        if last is not None:
            yield last.result()
        apply = partial(apply_batch, ctx=work.ctx, judged=judged, current=current)
        last = work.ctx.platform.store.submit(apply)
    if last is not None:
        yield last.result()


def _sourced(work: Work, item: Item) -> SourcedEntity:
    assert item.entity is not None
    location = f"{IMPORT}:{work.target}"
    if work.input["format"] != "backstage":  # whose documents are pages: an entity may be on another one next time
        location += f"/{item.document}"
    return SourcedEntity(item.entity, location, item.line)


def _register(tx: Tx, *, current: Location) -> None:
    if rows.find(tx.conn, current.type, current.target) is not None:
        raise _faster(current)
    rows.add(tx.conn, tx.now, current, "")


def _finish(tx: Tx, *, ctx: OpContext, current: Location, keep: set[str], faults: Sequence[Problem]) -> Sequence[str]:
    if not rows.touch(tx.conn, tx.now, current, ""):
        raise _faster(current)
    gone = prune_source(tx, ctx, current.id, keep)
    replace_source_problems(tx, ctx, current.id, faults)
    return gone


def _faster(current: Location) -> ConflictError:
    return ConflictError(
        f"{current.reference} is being imported by another run: import again when that has ended", code="catalog.busy"
    )


def _go_on(work: Work) -> None:
    if work.stopped():
        raise TimedOutError("the import was cancelled: what it took in so far stays", code="catalog.cancelled")
