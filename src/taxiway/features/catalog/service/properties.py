"""Computes properties that are out of date, in short transactions, and tells how each came about.

A value that changed makes out of date what was computed from it, one round later. What still changes after so many
rounds depends on itself: it gets an error instead of a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from taxiway.core.context import OpContext
from taxiway.core.store.database import Tx
from taxiway.features.catalog.kinds import Kinds
from taxiway.features.catalog.properties import Computed, Rule, compute
from taxiway.features.catalog.repository import kinds, properties, reading
from taxiway.features.catalog.repository.entities import known_by_refs
from taxiway.features.catalog.repository.filters import visible_to
from taxiway.features.catalog.repository.index import feed
from taxiway.features.catalog.repository.properties import Result, StoredReader
from taxiway.model.errors import NotFoundError

READ = "catalog.entity.read"
BATCH = 250
ROUNDS = 20
HIDDEN = "(not yours to see)"


def compute_pending(ctx: OpContext) -> int:
    """Compute until nothing is out of date; how many entities were looked at."""
    done = 0
    while not ctx.platform.stopping.is_set():
        count = ctx.platform.store.write(_some)
        if not count:
            break
        done += count
    return done


def _some(tx: Tx) -> int:
    batch = properties.pending(tx.conn, BATCH)
    if not batch:
        return 0
    feed.take_turn(tx.conn)
    known, reader = kinds.load_kinds(tx.conn), StoredReader(tx.conn)
    _read_ahead([(row.ref, known.rules.get(row.kind, ())) for row in batch], reader)
    results = []
    for row in batch:
        reader.keys = set()
        found = _computed(row.ref, known.rules.get(row.kind, ()), reader, row.depth)
        results.append(Result(row.id, row.ref, found, frozenset(reader.keys)))
    depths = {row.ref: row.depth for row in batch}
    changed: dict[int, list[str]] = {}
    for ref in properties.put(tx.conn, tx.now, results):
        changed.setdefault(depths[ref] + 1, []).append(f"{ref}#")
    for depth, keys in changed.items():
        if depth <= 2 * ROUNDS:
            properties.mark(tx.conn, keys, (), (), depth)
    return len(batch)


def _read_ahead(items: Sequence[tuple[str, tuple[Rule, ...]]], reader: StoredReader) -> None:
    """What the first step of every rule reads, in few statements."""
    reader.load([ref for ref, rules in items if any(rule.cel for rule in rules)], "spec")
    for relation in {rule.path[0] for _, rules in items for rule in rules if rule.path}:
        reader.targets([ref for ref, rules in items if any(relation in rule.path[:1] for rule in rules)], relation)


def _computed(ref: str, rules: tuple[Rule, ...], reader: StoredReader, depth: int) -> dict[str, Computed]:
    said = f"it still changed after {ROUNDS} rounds: it depends on itself through other entities, or on more in a row"
    return compute(ref, rules, reader, said if depth >= ROUNDS else "")


def explain_properties(ctx: OpContext, ref: str) -> list[dict[str, Any]]:
    """Every property of an entity's kind: value or error, rule, and what it was computed from. NotFoundError for an
    entity that there is not for the caller."""
    scope = visible_to(ctx.scope(READ))
    with ctx.platform.store.read() as conn:
        entity = known_by_refs(conn, [ref]).get(ref)
        if entity is None or not reading.texts_by_refs(conn, [ref], scope):
            raise NotFoundError(f"there is no entity {ref}: look for it in the catalog", code="catalog.no_entity")
        known: Kinds = kinds.load_kinds(conn)
        rows, pending = properties.of_entity(conn, entity.id), properties.is_pending(conn, entity.id)
        inputs = {name: orjson.loads(row.inputs) for name, row in rows.items()}
        seen = reading.refs_seen(conn, {item[0] for some in inputs.values() for item in some}, scope)
    return [
        _told(rule, rows.get(rule.name), inputs.get(rule.name, []), seen, pending)
        for rule in known.rules.get(ref.partition(":")[0], ())
    ]


def _told(rule: Rule, row: Any, inputs: list[list[Any]], seen: set[str], pending: bool) -> dict[str, Any]:
    shown = [[one, field, value] if one in seen else [HIDDEN, field, None] for one, field, value in inputs]
    return {
        "name": rule.name,
        "title": rule.title,
        "type": rule.type,
        "rule": str(rule),
        "value": orjson.loads(row.value) if row is not None and row.value is not None else None,
        "error": row.error if row is not None else None,
        "inputs": [{"ref": one, "field": field, "value": value} for one, field, value in shown],
        "computed_at": row.at if row is not None else None,
        "pending": pending or row is None,
    }
