"""Lays what overlays say over entities, in the transaction that writes them. Called by `apply` for documents of the
entities' own sources, and by `overlaying` for those of overlays.

A layer with which the entity would not be valid is left out, and told as a problem of its source: the entity stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import orjson

from taxiway.core.context import OpContext
from taxiway.core.store.database import Tx
from taxiway.features.catalog.documents import prepare
from taxiway.features.catalog.kinds import Kinds
from taxiway.features.catalog.model import OWN, Problem, Record
from taxiway.features.catalog.overlays import Layer, in_order, merged
from taxiway.features.catalog.repository import entities, layers, orphans
from taxiway.features.catalog.repository.entities import Known
from taxiway.features.catalog.repository.index import feed
from taxiway.features.catalog.validation import validate
from taxiway.model.errors import InputError
from taxiway.plugin import SourcedEntity

LEFT_OUT = "Correct the overlay at its source. Until then the entity is shown without it."
Stacks = Mapping[str, Sequence[Layer]]


def laid_over(
    tx: Tx, ctx: OpContext, records: Mapping[str, Record], known: Mapping[str, Known], source_id: str, kinds: Kinds
) -> Mapping[str, Record]:
    """What comes of documents of the entities' own source: other ones for those that have overlays."""
    if not records or not layers.there_are_any(tx.conn):
        return records
    feed.take_turn(tx.conn)
    stacks = layers.of_refs(tx.conn, records)
    same: dict[str, Record] = {}
    changed: dict[str, Record] = {}
    for ref, stack in stacks.items():
        own, present = _own(stack), known.get(ref)
        if own is not None and present is not None and present.source_id == source_id and own.hash == records[ref].hash:
            same[ref] = replace(records[ref], hash=present.hash)
        else:
            changed[ref] = records[ref]
    layers.put(tx.conn, tx.now, OWN, list(changed.values()))
    return {**records, **same, **_laid_all(tx, ctx, changed, stacks, kinds)}


def laid_anew(tx: Tx, ctx: OpContext, refs: Collection[str], kinds: Kinds) -> list[tuple[Known, Record]]:
    """What becomes of entities whose overlays changed: those that are different now, to be written by the caller."""
    feed.take_turn(tx.conn)
    known = entities.known_by_refs(tx.conn, refs)
    stacks = layers.of_refs(tx.conn, known)
    kept = [(ref, own) for ref, stack in stacks.items() if (own := _own(stack)) is not None]
    owns = {
        ref: record for ref, own in kept if (record := _record(own.document, own.location, own.line, kinds)) is not None
    }
    first = dict(_stored(tx, stacks.keys() - dict(kept).keys(), kinds))
    layers.put(tx.conn, tx.now, OWN, list(first.values()))
    bare = {ref: owns[ref] for ref in owns if len(stacks[ref]) == 1}
    layers.remove(tx.conn, OWN, bare.keys())
    layered = {ref: record for ref, record in {**owns, **first}.items() if ref not in bare}
    found = {**bare, **_laid_all(tx, ctx, layered, stacks, kinds)}
    return [(known[ref], record) for ref, record in found.items() if record.hash != known[ref].hash]


def forget(tx: Tx, refs: Collection[str]) -> None:
    """These entities go. What overlays say of them waits."""
    if layers.there_are_any(tx.conn):
        layers.remove(tx.conn, OWN, refs)
        layers.note_refused(tx.conn, {ref: {} for ref in refs})


def _laid_all(tx: Tx, ctx: OpContext, owns: Mapping[str, Record], stacks: Stacks, kinds: Kinds) -> dict[str, Record]:
    found: dict[str, Record] = {}
    refused: dict[str, dict[str, str]] = {}
    problems: dict[str, list[tuple[str, Problem]]] = {}
    for ref, own in owns.items():
        overlays = [layer for layer in stacks[ref] if layer.source_id != OWN]
        found[ref], refused[ref] = _laid(own, overlays, kinds)
        for layer in (layer for layer in overlays if layer.source_id in refused[ref]):
            why = refused[ref][layer.source_id]
            problem = Problem(layer.location, why, LEFT_OUT, layer.line, ref, "overlay")
            problems.setdefault(layer.source_id, []).append((ctx.platform.new_id(), problem))
    layers.note_refused(tx.conn, refused)
    for source_id, rows in problems.items():
        entities.add_problems(tx.conn, tx.now, source_id, rows)
    return found


def _laid(own: Record, overlays: Sequence[Layer], kinds: Kinds) -> tuple[Record, dict[str, str]]:
    """What comes of the layers, and why some are left out. The strongest are tried first."""
    try:
        return _checked(merged(own.document, overlays), own, kinds), {}
    except InputError:
        pass
    result, refused = own, {}
    kept: list[Layer] = []
    for layer in in_order(Layer(OWN, {}), overlays):
        if layer.source_id == OWN:
            continue
        try:
            result = _checked(merged(own.document, [*kept, layer]), own, kinds)
        except InputError as error:
            refused[layer.source_id] = f"{own.ref} would not be valid with this overlay: {_first(error)}"
        else:
            kept.append(layer)
    return result, refused


def _checked(document: Mapping[str, object], own: Record, kinds: Kinds) -> Record:
    relations = validate(document, kinds)
    return prepare(SourcedEntity(document, own.location, own.line), relations, None, kinds)


def _first(error: InputError) -> str:
    fault = next(iter(error.errors), None)
    return error.detail if fault is None else f"{fault.pointer or 'the document'}: {fault.detail}"


def _own(stack: Sequence[Layer]) -> Layer | None:
    return next((layer for layer in stack if layer.source_id == OWN), None)


def _stored(tx: Tx, refs: Iterable[str], kinds: Kinds) -> list[tuple[str, Record]]:
    rows = orphans.documents(tx.conn, refs)
    found = [(ref, _record(orjson.loads(text), location, line, kinds)) for ref, text, location, line in rows]
    return [(ref, record) for ref, record in found if record is not None]


def _record(document: Mapping[str, object], location: str, line: int, kinds: Kinds) -> Record | None:
    # What a changed kind does not allow any more is told where it is judged again, and stays as it is.
    try:
        return prepare(SourcedEntity(document, location, line), validate(document, kinds), None, kinds)
    except InputError:
        return None
