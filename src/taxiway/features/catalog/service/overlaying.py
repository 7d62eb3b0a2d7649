"""Takes in what overlays deliver: fields for entities that other sources own. Called by what reads configured and
pushed sources, for those that the settings declare overlays.

An overlay owns no entity. What it says of a reference that is none waits until there is one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from taxiway.core.context import OpContext, Platform
from taxiway.core.settings_sources import OverlaySettings
from taxiway.core.store.database import Tx
from taxiway.features.catalog.documents import fingerprint
from taxiway.features.catalog.kinds import shipped
from taxiway.features.catalog.model import CONFIGURED, PUSHED, ApplyResult, Problem, Record
from taxiway.features.catalog.overlays import Path, selected
from taxiway.features.catalog.repository import entities, layers
from taxiway.features.catalog.repository.chunks import chunks
from taxiway.features.catalog.repository.kinds import load_kinds
from taxiway.features.catalog.service.apply import FIX, TRUST, TRUSTED, Judged, duplicate_of, rewrite
from taxiway.features.catalog.service.layering import LEFT_OUT, laid_anew
from taxiway.features.catalog.sources.items import ReadEntity
from taxiway.features.catalog.validation import is_name, is_namespace
from taxiway.kit.pointer import pointer
from taxiway.kit.yaml12 import line_of
from taxiway.model.entity import ref_of
from taxiway.plugin import SourcedEntity, SourceProblem

BATCH = 1000
MAX_NAMED = 5
"""Fields that are named in one problem."""
IDENTITY = "kind, metadata.name and, where it is not the default, metadata.namespace say which entity it is about"


def overlay_of(platform: Platform, source_id: str) -> OverlaySettings | None:
    """What a source may add to entities of others; None when it brings its own."""
    catalog = platform.settings.catalog
    if source_id.startswith(CONFIGURED):
        name = source_id.removeprefix(CONFIGURED)
        return next((item.overlay for item in catalog.sources if item.name == name), None)
    return next((item.overlay for item in catalog.pushed if PUSHED + item.name == source_id), None)


def judge_layers(documents: Sequence[SourcedEntity | SourceProblem], overlay: OverlaySettings, trusted: bool) -> Judged:
    """What of an overlay's documents may be laid over entities, by reference, and what is wrong with the others.

    The records are layers: only their reference, document, hash and place mean anything. Reads and writes nothing."""
    records: dict[str, Record] = {}
    problems: list[Problem] = []
    for item in documents:
        if isinstance(item, SourceProblem):
            problems.append(Problem(item.location, item.detail, FIX, item.line, code="unreadable"))
            continue
        ref = _ref(item.document)
        if ref is None:
            problems.append(Problem(item.location, f"it is about no entity: {IDENTITY}", FIX, item.line))
            continue
        if not (trusted or item.vouched) and ref.partition(":")[0] in TRUSTED:
            detail = f"{ref} is of a kind that only sources which are trusted may write to"
            problems.append(Problem(item.location, detail, TRUST, item.line, ref, "untrusted"))
            continue
        kept, others = selected(item.document, overlay.fields)
        if others and overlay.undeclared == "problem":
            problems.append(_undeclared(item, ref, others))
        record = _layer(item, ref, kept)
        if (first := records.get(ref)) is not None:
            problems.append(replace(duplicate_of(record, f"{first.location}, line {first.line}"), document=None))
        else:
            records[ref] = record
    # Whether an entity is valid with its layer is told where it is laid, by all kinds.
    unreadable = any(isinstance(item, SourceProblem) for item in documents)
    return Judged(records, problems, unreadable, shipped())


def apply_layers(
    tx: Tx,
    ctx: OpContext,
    judged: Judged,
    source_id: str,
    overlay: OverlaySettings,
    *,
    full: bool = False,
    held: Collection[str] = (),
) -> ApplyResult:
    """Lay what was judged over the entities that it is about. `full` says that this is all that the source says, but
    for what is `held`.

    The result counts layers; what an entity would not be valid with is among its problems."""
    known = layers.known(tx.conn, source_id, judged.records)
    said = {ref: record for ref, record in judged.records.items() if record.document}
    new: list[Record] = []
    changed: list[Record] = []
    same: list[str] = []
    for ref, record in said.items():
        row = known.get(ref)
        terms = None if row is None else (row.hash, row.precedence, row.lists)
        if terms == (record.hash, overlay.precedence, overlay.lists):
            same.append(ref)
        else:
            (new if row is None else changed).append(record)
    layers.put(tx.conn, tx.now, source_id, [*new, *changed], overlay.precedence, overlay.lists)
    gone = known.keys() - said.keys()
    if full and not judged.unreadable:
        gone = layers.refs_of(tx.conn, source_id).difference(said, held)
    rows = [(ctx.platform.new_id(), problem) for problem in judged.problems]
    store = entities.replace_problems if full else entities.add_problems
    store(tx.conn, tx.now, source_id, rows)
    # One that was left out may fit by now, and what is wrong with it was forgotten with its source's other problems.
    again = [ref for ref in same if known[ref].refused is not None]
    touched = {*(record.ref for record in (*new, *changed)), *again}
    remove_layers(tx, ctx, source_id, gone, also=touched)
    refused = {ref: row.refused for ref, row in layers.known(tx.conn, source_id, touched).items() if row.refused}
    left_out = [
        Problem(said[ref].location, why, LEFT_OUT, said[ref].line, ref, "overlay") for ref, why in refused.items()
    ]
    told = [[record.ref for record in some] for some in (new, changed)]
    return ApplyResult(told[0], told[1], same, sorted(gone), [*judged.problems, *left_out], sorted(held))


def remove_layers(tx: Tx, ctx: OpContext, source_id: str, refs: Collection[str], also: Collection[str] = ()) -> None:
    """A source says nothing of `refs` any more: the values of their own sources come back. `also` are others whose
    layers changed in this transaction."""
    layers.remove(tx.conn, source_id, refs)
    for batch in chunks(sorted({*refs, *also}), BATCH):
        kinds = load_kinds(tx.conn)
        rewrite(tx, ctx, kinds, laid_anew(tx, ctx, batch, kinds), via=f"overlay {source_id}")


def drop_former(tx: Tx, ctx: OpContext, source_id: str) -> None:
    """Take away what a source laid over entities when it was an overlay, which it is no more."""
    remove_layers(tx, ctx, source_id, layers.refs_of(tx.conn, source_id))


def _layer(item: SourcedEntity, ref: str, kept: Mapping[str, Any]) -> Record:
    nothing = frozenset[tuple[str, str]]()
    text = orjson.dumps(kept)
    return Record(ref, {}, text, fingerprint(text), item.location, item.line, nothing, (), ("", "", "", ""))


def _undeclared(item: SourcedEntity, ref: str, fields: Sequence[Path]) -> Problem:
    named = ", ".join(".".join(map(str, path)) for path in fields[:MAX_NAMED])
    more = f" and {len(fields) - MAX_NAMED} more" if len(fields) > MAX_NAMED else ""
    text = item.text if isinstance(item, ReadEntity) else None
    line = item.line if text is None else line_of(text, item.line, pointer(fields[0]))
    detail = f"{ref}: this overlay may not write {named}{more}"
    remedy = "Add them to the overlay's fields in the settings, or take them out of its documents."
    return Problem(item.location, detail, remedy, line, ref, "undeclared")


def _ref(document: Any) -> str | None:
    if not isinstance(document, Mapping) or not isinstance(document.get("metadata"), Mapping):
        return None
    metadata = document["metadata"]
    namespace = metadata.get("namespace")
    if not (is_name(document.get("kind")) and is_name(metadata.get("name"))):
        return None
    return str(ref_of(document)) if namespace is None or is_namespace(namespace) else None
