"""Takes documents into the catalog, in the caller's transaction: judge, compare, write what differs, tell of it.

The first source of a reference owns it: another source's document is refused and shown as a problem. A document that
is not valid leaves the last good one in place. What did not change is not touched.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from taxiway.core.context import OpContext
from taxiway.core.store.database import Tx
from taxiway.features.catalog.documents import prepare
from taxiway.features.catalog.kinds import KIND, META, META_PREFIXES, Kinds, kind_of, with_document
from taxiway.features.catalog.model import CONFIGURED, TRUSTED_KINDS, ApplyResult, Problem, Record
from taxiway.features.catalog.repository import configured, files, history, locations, orphans
from taxiway.features.catalog.repository import entities as repository
from taxiway.features.catalog.repository.entities import Known
from taxiway.features.catalog.repository.kinds import keep_relation_types, load_kinds
from taxiway.features.catalog.service import layering
from taxiway.features.catalog.service.property_marks import Marks
from taxiway.features.catalog.sources.items import ReadEntity, ReadRecord
from taxiway.features.catalog.validation import validate
from taxiway.kit.yaml12 import line_of
from taxiway.model.entity import ref_of
from taxiway.model.errors import FieldError, InputError, NotFoundError
from taxiway.model.event import EventDraft
from taxiway.plugin import SourcedEntity, SourceProblem

FIX = "Correct it at its source, then refresh."
TRUST = "Ask the platform team to register this location with trust, or remove the document."
TRUSTED = frozenset(kind.lower() for kind in TRUSTED_KINDS)
PEOPLE = ("user:", "group:")
CONFLICT = "Rename one of the two, remove it from one source, or declare one source an overlay in the settings."


def apply_entities(
    tx: Tx,
    ctx: OpContext,
    documents: Sequence[SourcedEntity | SourceProblem],
    source_id: str,
    *,
    full: bool,
) -> ApplyResult:
    """Make the catalog hold `documents` of a source.

    `full` says that these are all of the source's documents: what else it had goes, and its problems are replaced.
    Faults of single documents are in the result's `problems`, stored too; nothing is raised for them.
    """
    return apply_judged(tx, ctx, judge_here(tx, ctx, documents, source_id), source_id, full=full)


def judge_here(tx: Tx, ctx: OpContext, documents: Sequence[SourcedEntity | SourceProblem], source_id: str) -> Judged:
    """Like `judge`, by what the store has of kinds and of the source."""
    origin, trusted = _origin(tx, ctx, source_id)
    return judge(documents, origin, trusted, load_kinds(tx.conn), source_id)


def apply_judged(
    tx: Tx,
    ctx: OpContext,
    judged: Judged,
    source_id: str,
    *,
    full: bool,
    settled: Container[str] = (),
    held: Collection[str] = (),
) -> ApplyResult:
    """Like `apply_entities`, for documents that were judged before the transaction.

    What the source's files at `settled` locations describe is theirs: they were not read again. What is `held` stays,
    although it is not described.
    """
    records, problems = judged.records, list(judged.problems)
    known = repository.known_by_refs(tx.conn, records)
    orphaned = orphans.among(tx.conn, known)
    free = {ref for ref in orphaned if known[ref].source_id != source_id}
    taken: dict[str, Record] = {}
    for ref, record in records.items():
        present = known.get(ref)
        if present is None or (present.source_id != source_id and ref in free):
            taken[ref] = record  # nobody names it any more
        elif present.source_id != source_id:
            problems.append(_claimed(tx, present, record))
        elif present.location != record.location and present.location in settled:
            problems.append(duplicate_of(record, present.location))
        else:
            taken[ref] = record
    created: list[tuple[str, Record]] = []
    updated: list[tuple[Known, Record]] = []
    unchanged: list[str] = []
    for ref, record in layering.laid_over(tx, ctx, taken, known, source_id, judged.kinds).items():
        present = known.get(ref)
        if present is None:
            created.append((record.packed.uid if record.packed is not None else ctx.platform.new_id(), record))
        elif present.hash == record.hash and ref not in free:
            unchanged.append(ref)
        else:
            updated.append((present, record))
    repository.insert_entities(tx.conn, tx.now, source_id, created)
    marks = Marks(tx, ctx, judged.kinds, [present for present, _ in updated])
    before = history.take(tx.conn, [present.id for present, _ in updated])
    repository.update_entities(tx.conn, tx.now, source_id, updated)
    orphans.forget(tx.conn, free | (orphaned & taken.keys()))
    # What is described waits for no review, whatever is wrong with its document.
    orphans.forget_held(tx.conn, source_id, (taken.keys() & known.keys()) | {one.ref for one in problems if one.ref})
    history.keep(tx.conn, tx.now, before, deleted=False)
    if created or updated:
        history.note(tx.conn, tx.now, source_id, ctx.principal, ctx.request_id)
    _follow(tx, ctx, marks, created, updated)
    kept = {*records, *held, *(problem.ref for problem in problems if problem.ref)}
    if full:
        files.forget(tx.conn, source_id)
    deleted = _sweep(tx, ctx, source_id, kept) if full and not judged.unreadable else []
    _store_problems(tx, ctx, source_id, problems, full)
    return ApplyResult(
        [record.ref for _, record in created],
        [record.ref for _, record in updated],
        unchanged,
        deleted,
        problems,
        sorted(held),
    )


def rewrite(tx: Tx, ctx: OpContext, kinds: Kinds, updated: Sequence[tuple[Known, Record]], *, via: str) -> None:
    """Store entities as they are now; each stays its source's. History tells `via` of it."""
    if not updated:
        return
    marks = Marks(tx, ctx, kinds, [present for present, _ in updated])
    before = history.take(tx.conn, [present.id for present, _ in updated])
    principal = replace(ctx.principal, via=via)
    for source_id in sorted({present.source_id for present, _ in updated}):
        mine = [(present, record) for present, record in updated if present.source_id == source_id]
        repository.update_entities(tx.conn, tx.now, source_id, mine)
        history.note(tx.conn, tx.now, source_id, principal, ctx.request_id)
    history.keep(tx.conn, tx.now, before, deleted=False)
    _follow(tx, ctx, marks, (), updated)


def _follow(
    tx: Tx,
    ctx: OpContext,
    marks: Marks,
    created: Sequence[tuple[str, Record]],
    updated: Sequence[tuple[Known, Record]],
) -> None:
    """What follows from entities that were written."""
    written = [record for _, record in (*created, *updated)]
    marks.changed(written)
    _declare(tx, ctx, written)
    _emit(tx, ctx, "created", [(record.ref, uid, record.columns["owner"]) for uid, record in created])
    _emit(tx, ctx, "updated", [(record.ref, present.uid, record.columns["owner"]) for present, record in updated])
    if any(record.ref.startswith(PEOPLE) for record in written):
        ctx.platform.forget_identities(tx)


def prune_source(tx: Tx, ctx: OpContext, source_id: str, keep: Collection[str] = ()) -> list[str]:
    """Remove every entity of a source except `keep`, and return their references."""
    deleted = _sweep(tx, ctx, source_id, keep)
    if not keep:
        repository.replace_problems(tx.conn, tx.now, source_id, [])
    return deleted


def replace_source_problems(tx: Tx, ctx: OpContext, source_id: str, problems: Sequence[Problem]) -> None:
    """The problems of a source are these now."""
    _store_problems(tx, ctx, source_id, problems, full=True)


def delete_entity(tx: Tx, ctx: OpContext, ref: str) -> None:
    """Remove one entity. NotFoundError when there is none. It comes back when its source still names it."""
    known = repository.known_by_refs(tx.conn, [ref.lower()]).get(ref.lower())
    if known is None:
        raise NotFoundError(f"there is no entity {ref}", code="catalog.no_entity")
    _remove(tx, ctx, [known])


def remove_entities(tx: Tx, ctx: OpContext, refs: Iterable[str]) -> list[str]:
    """Remove those of `refs` that are there, and return them."""
    gone = list(repository.known_by_refs(tx.conn, refs).values())
    _remove(tx, ctx, gone)
    return [known.ref for known in gone]


def delete_by_uid(ctx: OpContext, uid: str) -> None:
    """Remove one entity in the caller's name; nothing happens when there is none, as upstream has it."""

    def work(tx: Tx) -> None:
        known = repository.known_by_uid(tx.conn, uid)
        ctx.authorize("catalog.entity.delete", None if known is None else known.owner)
        if known is not None:
            _remove(tx, ctx, [known])

    ctx.platform.store.write(work)


@dataclass(frozen=True)
class Judged:
    """What documents came to. `unreadable` says that some could not be read: they may hold entities that exist.

    `kinds` are those that they were judged by, with the ones that they declare."""

    records: Mapping[str, Record]
    problems: Sequence[Problem]
    unreadable: bool
    kinds: Kinds


def judge(
    documents: Sequence[SourcedEntity | SourceProblem], origin: str | None, trusted: bool, kinds: Kinds, source_id: str
) -> Judged:
    """The valid documents by reference, and what is wrong with the others. Reads and writes nothing.

    Kinds that trusted documents declare count for all of them, in any order."""
    if trusted:
        kinds = _with_declared(documents, kinds, source_id)
    records: dict[str, Record] = {}
    problems: list[Problem] = []
    for item in documents:
        if isinstance(item, SourceProblem):
            problems.append(Problem(item.location, item.detail, FIX, item.line, code="unreadable"))
            continue
        try:
            record = _record(item, origin, kinds)
        except InputError as error:
            problems.extend(_invalid(item, error))
            continue
        if not (trusted or item.vouched) and record.columns["kind"] in TRUSTED:
            detail = f"{record.ref} may only come from a location that is trusted"
            problems.append(_refused(item, record, "untrusted", detail, TRUST))
            continue
        first = records.get(record.ref)
        if first is not None:
            where = f"{first.location}, line {first.line}"
            detail = f"{record.ref} is described twice in this source, first at {where}"
            problems.append(_refused(item, record, "duplicate", detail, "Remove or rename one of them."))
            continue
        records[record.ref] = record
    return Judged(records, problems, _unreadable(documents), kinds)


def _record(item: SourcedEntity, origin: str | None, kinds: Kinds) -> Record:
    if isinstance(item, ReadRecord):
        record = item.record_by(kinds)
        if record is not None:
            return record
        item = item.unjudged()
    return prepare(item, validate(item.document, kinds), origin or item.location, kinds)


def _with_declared(documents: Sequence[SourcedEntity | SourceProblem], kinds: Kinds, source_id: str) -> Kinds:
    found = [
        item.document
        for item in documents
        if isinstance(item, SourcedEntity)
        and not isinstance(item, ReadRecord)
        and isinstance(item.document, dict)
        and str(item.document.get("kind")) in META
    ]
    if not found:
        return kinds
    refs = [ref for ref in map(_ref, found) if ref is not None]
    kinds = kinds.announcing(frozenset(ref.rpartition("/")[2] for ref in refs))
    for document in found:
        try:
            validate(document, kinds)
        except InputError:
            continue  # told where all documents are judged
        kinds = with_document(kinds, document, source_id)
    return kinds


def _origin(tx: Tx, ctx: OpContext, source_id: str) -> tuple[str | None, bool]:
    found = locations.get(tx.conn, source_id)
    if found is not None:
        return found.reference, found.trusted
    names = {CONFIGURED + item.name: item.trusted for item in ctx.platform.settings.catalog.sources}
    return None, names.get(source_id, not source_id.startswith(CONFIGURED))


def _invalid(item: SourcedEntity, error: InputError) -> list[Problem]:
    ref = _ref(item.document)
    text = item.text if isinstance(item, ReadEntity) else None
    found = error.errors or (FieldError("", error.detail),)
    return [
        Problem(
            item.location,
            f"{fault.pointer or 'the document'}: {fault.detail}",
            FIX,
            line_of(text, item.line, fault.pointer) if text is not None else item.line,
            ref,
            document=item.document if isinstance(item.document, Mapping) else None,
        )
        for fault in found
    ]


def _ref(document: Any) -> str | None:
    try:
        return str(ref_of(document))
    except (KeyError, TypeError, AttributeError):
        return None


def duplicate_of(record: Record, first: str) -> Problem:
    """The problem of a document whose reference the source has described already, at `first`."""
    detail = f"{record.ref} is described twice in this source, first at {first}"
    remedy = "Remove or rename one of them."
    return Problem(record.location, detail, remedy, record.line, record.ref, "duplicate", document=record.document)


def _refused(item: SourcedEntity, record: Record, code: str, detail: str, remedy: str) -> Problem:
    return Problem(item.location, detail, remedy, item.line, record.ref, code, document=item.document)


def _claimed(tx: Tx, present: Known, record: Record) -> Problem:
    keeper = locations.get(tx.conn, present.source_id)
    name = present.source_id if keeper is None else keeper.reference
    detail = f"{record.ref} is described by another source already ({name}), which keeps it"
    return Problem(
        record.location, detail, CONFLICT, record.line, record.ref, "conflict", present.source_id, record.document
    )


def _unreadable(documents: Sequence[SourcedEntity | SourceProblem]) -> bool:
    # What could not be read may hold entities that exist: nothing is removed then.
    return any(isinstance(item, SourceProblem) for item in documents)


def _sweep(tx: Tx, ctx: OpContext, source_id: str, keep: Container[str]) -> list[str]:
    gone = [ref for ref, _ in repository.refs_of_source(tx.conn, source_id) if ref not in keep]
    _remove(tx, ctx, list(repository.known_by_refs(tx.conn, gone).values()))
    return gone


def _remove(tx: Tx, ctx: OpContext, gone: Sequence[Known]) -> None:
    history.keep(tx.conn, tx.now, history.take(tx.conn, [known.id for known in gone]), deleted=True)
    for source_id in {known.source_id for known in gone}:
        refs = [one.ref for one in gone if one.source_id == source_id]
        files.forget(tx.conn, source_id)
        orphans.forget_held(tx.conn, source_id, refs)
        if source_id.startswith(CONFIGURED):
            configured.forget_states(tx.conn, source_id, refs)
        history.note(tx.conn, tx.now, source_id, ctx.principal, ctx.request_id)
    marks = Marks(tx, ctx, load_kinds(tx.conn), gone)
    marks.forget()
    repository.delete_entities(tx.conn, gone)
    marks.changed(())
    orphans.forget(tx.conn, [known.ref for known in gone])
    layering.forget(tx, [known.ref for known in gone])
    if any(known.ref.startswith(PEOPLE) for known in gone):
        ctx.platform.forget_identities(tx)
    _tell_of_kinds(tx, ctx, [known.ref for known in gone])
    _emit(tx, ctx, "deleted", [(known.ref, known.uid, known.owner) for known in gone])


def _declare(tx: Tx, ctx: OpContext, records: Sequence[Record]) -> None:
    """What follows from kinds that are new or different."""
    found = [record for record in records if record.ref.startswith(META_PREFIXES)]
    for record in (one for one in found if one.document["kind"] == KIND):
        fields = kind_of(record.document).fields.values()
        both = [(item.relation, item.inverse) for item in fields]
        keep_relation_types(tx.conn, dict(both) | {inverse: type_ for type_, inverse in both})
    _tell_of_kinds(tx, ctx, [record.ref for record in found])


def _tell_of_kinds(tx: Tx, ctx: OpContext, refs: Sequence[str]) -> None:
    for ref in refs:
        if ref.startswith(META_PREFIXES):
            ctx.emit(tx, EventDraft("dev.taxiway.kind.changed.v1", ref, {"ref": ref}))


def _store_problems(tx: Tx, ctx: OpContext, source_id: str, problems: Sequence[Problem], full: bool) -> None:
    rows = [(ctx.platform.new_id(), problem) for problem in problems]
    if full:
        repository.replace_problems(tx.conn, tx.now, source_id, rows)
    else:
        repository.add_problems(tx.conn, tx.now, source_id, rows)


def _emit(tx: Tx, ctx: OpContext, verb: str, items: Sequence[tuple[str, str, str | None]]) -> None:
    drafts = (
        (EventDraft(f"dev.taxiway.entity.{verb}.v1", ref, {"ref": ref, "owner": owner}, subject_uid=uid), owner)
        for ref, uid, owner in items
    )
    ctx.emit_many(tx, list(drafts))
