"""Kinds as the API tells of them, and what follows from a change of one.

When a kind is declared, changed or deleted, its entities are judged again: what is not valid now gets a problem and
stays, relations are stated as the kind says now, and documents that were refused are tried again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import orjson

from taxiway.core.context import OpContext, Platform
from taxiway.core.store.database import Tx
from taxiway.features.catalog.documents import prepare
from taxiway.features.catalog.kind_columns import Column, declared_columns, offered_columns
from taxiway.features.catalog.kinds import KIND, Kind, Kinds
from taxiway.features.catalog.model import Problem
from taxiway.features.catalog.properties import Rule
from taxiway.features.catalog.repository import entities as repository
from taxiway.features.catalog.repository import kinds, layers, of_kind, parts, properties
from taxiway.features.catalog.repository.filters import visible_to
from taxiway.features.catalog.repository.index import feed
from taxiway.features.catalog.repository.of_kind import Stored
from taxiway.features.catalog.service.apply import FIX, rewrite
from taxiway.features.catalog.service.layering import laid_anew
from taxiway.features.catalog.service.property_marks import OUTDATED
from taxiway.features.catalog.service.refused import apply_kept, read_anew, try_again
from taxiway.features.catalog.validation import validate
from taxiway.model.errors import InputError
from taxiway.model.event import EventDraft
from taxiway.plugin import SourcedEntity

READ = "catalog.entity.read"
BATCH = 500
MAX_REFUSED = 10_000


def known_kinds(platform: Platform) -> Kinds:
    """Every kind that the catalog takes now."""
    with platform.store.read() as conn:
        return kinds.load_kinds(conn)


def list_kinds(ctx: OpContext) -> list[dict[str, Any]]:
    """Every kind, those that ship first, with the number of entities that the caller may see."""
    with ctx.platform.store.read() as conn:
        found, declared = kinds.load_kinds(conn), kinds.declared(conn)
        counts = kinds.counts(conn, visible_to(ctx.scope(READ)))
    return [
        _told(kind, declared.get(name), counts.get(name.lower(), 0), found.rules.get(name.lower(), ()))
        for name, kind in sorted(found.by_name.items(), key=lambda item: item[0] in declared)
    ]


def _told(kind: Kind, declared: tuple[str, str] | None, count: int, rules: Sequence[Rule]) -> dict[str, Any]:
    relations = [
        {
            "field": name,
            "type": field.relation,
            "inverse": field.inverse,
            "default_kind": field.default_kind,
            "namespace": "inherit" if field.inherit else "default",
            "list": field.is_list,
        }
        for name, field in kind.fields.items()
    ]
    return {
        "name": kind.name,
        "title": kind.title,
        "plural": kind.plural,
        "description": kind.description,
        "icon": kind.icon,
        "api_versions": sorted(kind.api_versions),
        "shipped": declared is None,
        "ref": declared[0] if declared else None,
        "source_id": declared[1] if declared else None,
        "entities": count,
        "spec_schema": kind.schema,
        "relations": relations,
        "properties": [{"name": r.name, "title": r.title, "type": r.type, "rule": str(r)} for r in rules],
        "columns": [_column(one) for one in declared_columns(kind, rules)],
        "more_columns": [_column(one) for one in offered_columns(kind, rules)],
    }


def _column(one: Column) -> dict[str, Any]:
    return {"title": one.title, "path": one.path, "type": one.type, "sortable": one.is_sortable}


def follow_kind(ctx: OpContext, ref: str) -> None:
    """Make the catalog agree with a kind as it is now, given by the reference of its entity. Repeating it is safe."""
    lower = ref.removeprefix("kind:default/")
    after: int | None = 0
    while after is not None:
        after = ctx.platform.store.write(partial(_judge_again, ctx=ctx, lower=lower, after=after))
    _try_refused(ctx, lower)
    ctx.platform.store.write(partial(_mark_all, ctx=ctx))


def _mark_all(tx: Tx, *, ctx: OpContext) -> None:
    properties.mark_kinds(tx.conn, kinds.load_kinds(tx.conn).rules.keys())
    ctx.emit(tx, EventDraft(OUTDATED, "catalog:properties", {}))


def _judge_again(tx: Tx, *, ctx: OpContext, lower: str, after: int) -> int | None:
    """Judge the next entities of a kind behind an id; the last one's, None when there are no more."""
    feed.take_turn(tx.conn)
    known, batch = kinds.load_kinds(tx.conn), of_kind.stored(tx.conn, lower, after, BATCH)
    if not batch:
        return None
    # An overlay may be what does not fit any more, or fit by now: then the document is another one.
    laid = layers.own_of(tx.conn, [one.ref for one in batch]) if layers.there_are_any(tx.conn) else {}
    anew = laid_anew(tx, ctx, laid.keys(), known)
    rewrite(tx, ctx, known, anew, via="kind")
    done = {present.ref for present, _ in anew}
    live = [one for one in batch if one.ref not in done]
    before = of_kind.stated(tx.conn, [one.id for one in live])
    # What was written anew is valid, whatever was wrong with it before.
    of_kind.forget_faults(tx.conn, [one.ref for one in batch], stored_only=True)
    changed: list[parts.Item] = []
    faulty: dict[str, list[str]] = {}
    for one in live:
        document = _bare(orjson.loads(one.doc))
        try:
            relations = validate(document, known)
        except InputError as error:
            repository.add_problems(tx.conn, tx.now, one.source_id, list(_problems(ctx, one, error)))
            faulty.setdefault(one.source_id, []).append(one.ref)
            continue
        if relations != before[one.id]:
            sourced = SourcedEntity(document, one.location, one.line)
            # Its edges are told to what depends on them when all of the kind is marked.
            changed.append((one.id, one.uid, prepare(sourced, relations, None, known)))
    parts.replace(tx.conn, changed)
    for source_id, refs in faulty.items():
        read_anew(tx, source_id, refs)
    return batch[-1].id


def _problems(ctx: OpContext, one: Stored, error: InputError) -> Iterator[tuple[str, Problem]]:
    for fault in error.errors:
        detail = f"{fault.pointer or 'the document'}: {fault.detail}"
        yield ctx.platform.new_id(), Problem(one.location, detail, FIX, one.line, one.ref)


def _bare(document: dict[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in document["metadata"].items() if key not in ("uid", "etag")}
    return {**document, "metadata": metadata}


def _try_refused(ctx: OpContext, lower: str) -> None:
    """Take in what was refused of a kind, and of kinds that waited for it."""
    with ctx.platform.store.read() as conn:
        rows = of_kind.refused(conn, (lower, KIND.lower()), MAX_REFUSED)
    try_again(ctx, {row.source_id for row in rows}, partial(_apply_kept, ctx=ctx, lower=lower))


def _apply_kept(tx: Tx, *, ctx: OpContext, source_id: str, lower: str) -> None:
    # Documents of a push or an import cannot be read again: those that were kept are judged instead. Looked up here: a
    # push in the meantime may have brought a newer one, which stays.
    rows = of_kind.refused(tx.conn, (lower, KIND.lower()), MAX_REFUSED, source_id)
    of_kind.forget_faults(tx.conn, [row.ref for row in rows if row.document is not None])
    apply_kept(tx, ctx, source_id, rows)
