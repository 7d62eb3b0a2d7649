"""Reads of the catalog as of a time: by reference, by query, and the graph. Filters judge that time's documents."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import orjson

from taxiway.core.context import OpContext
from taxiway.core.cursors import bad_cursor
from taxiway.features.catalog.matching import Test, Tests, contains_text, rows_of
from taxiway.features.catalog.repository import listing
from taxiway.features.catalog.repository import past as repository
from taxiway.features.catalog.repository.filters import visible_to
from taxiway.features.catalog.repository.grammar import read_filters, read_predicate
from taxiway.features.catalog.repository.graph import MAX_DEPTH, MAX_NODES, reached_by
from taxiway.features.catalog.repository.numbers import number_of
from taxiway.features.catalog.repository.past import Edge, Past
from taxiway.features.catalog.repository.query import Listed, Query, read_query
from taxiway.features.catalog.service.history import READ, check_kept
from taxiway.model.errors import NotFoundError

EVERYTHING = Query()


def documents_at(ctx: OpContext, refs: Sequence[str], at: int, query: Query = EVERYTHING) -> dict[str, str]:
    """The documents of `refs` at a time, and their relations then, as JSON text by ref: those that `query` takes."""
    check_kept(ctx.platform, at)
    scope, test = ctx.scope(READ), _test(query)
    with ctx.platform.store.read() as conn:
        past = repository.at_time(conn, at, scope, refs)
        live = repository.live_by_refs(conn, past, refs, visible_to(scope))
        edges = repository.edges_at(conn, past, {id_: ref for id_, (ref, _) in live.items()}, past.documents)
    documents = {**dict(live.values()), **past.documents}
    return {
        ref: splice(text, edges[ref])
        for ref, text in documents.items()
        if query == EVERYTHING or test(rows_of(orjson.loads(text), edges[ref]))
    }


def page_at(ctx: OpContext, query: Query, at: int, *, limit: int, offset: int) -> Listed:
    """A page of the entities that a query took at a time. Cursors hold the time, and go by offset: the past stays."""
    check_kept(ctx.platform, at)
    scope, test = ctx.scope(READ), _test(query)
    visible = visible_to(scope)
    with ctx.platform.store.read() as conn:
        past = repository.at_time(conn, at, scope)
        live = listing.ids(conn, query, visible & past.unchanged)
        judged = dict[int, tuple[str, str]]()
        if _asks_for_relations(query):
            judged = repository.live_by_refs(conn, past, repository.touched(conn, past), visible)
            live = [id_ for id_ in live if id_ not in judged]
        edges = repository.edges_at(conn, past, {id_: ref for id_, (ref, _) in judged.items()}, past.documents)
        candidates = [*judged.values(), *past.documents.items()]
        rows = {ref: rows_of(orjson.loads(text), edges[ref]) for ref, text in candidates}
        kept = sorted((_key(query, rows[ref], ref), ref, text) for ref, text in candidates if test(rows[ref]))
        merged = _merge(live, kept, lambda id_: _live_key(query, *repository.texts_by_ids(conn, [id_])[id_]))
        chosen = merged[offset : offset + limit]
        texts = repository.texts_by_ids(conn, [one for one in chosen if isinstance(one, int)])
        edges |= repository.edges_at(conn, past, {id_: ref for id_, (ref, _) in texts.items()}, ())
    old = dict(candidates)
    pairs = [texts[one] if isinstance(one, int) else (one, old[one]) for one in chosen]
    return Listed(
        [splice(text, edges[ref]) for ref, text in pairs],
        len(merged),
        _cursor(query, at, offset + limit) if limit > 0 and offset + limit < len(merged) else None,
        _cursor(query, at, max(0, offset - limit)) if limit > 0 and offset > 0 else None,
    )


def graph_at(ctx: OpContext, ref: str, depth: int, at: int) -> dict[str, Any]:
    """{nodes, edges, truncated} around an entity at a time, as the present graph is answered."""
    check_kept(ctx.platform, at)
    scope = ctx.scope(READ)
    with ctx.platform.store.read() as conn:
        past = repository.at_time(conn, at, scope)
        around = _Around({ref})
        for _ in range(min(depth, MAX_DEPTH)):
            if not around.grow(repository.live_edges(conn, past, around.wave) | _past_edges(past, around.wave)):
                break
        live = dict(repository.live_by_refs(conn, past, around.seen, visible_to(scope)).values())
    documents = {name: orjson.loads(text) for name, text in {**live, **past.documents}.items() if name in around.seen}
    if ref not in documents:
        raise NotFoundError(f"there was no entity {ref} then: see its history", code="catalog.no_entity")
    edges = sorted(edge for edge in around.edges if edge[0] in around.seen and edge[1] in around.seen)
    return {
        "nodes": [_node(name, documents.get(name)) for name in sorted(around.seen)],
        "edges": [{"source": source, "target": target, "type": type_} for source, target, type_ in edges],
        "truncated": around.truncated,
    }


def decode_cursor(cursor: str) -> tuple[Query, int, int] | None:
    """(query, time, offset) of a cursor that `page_at` made; None for another one. InputError for a broken one."""
    try:
        values = orjson.loads(base64.b64decode(cursor, validate=True))
        if not isinstance(values, dict) or "asOf" not in values:
            return None
        return read_query(values["query"]), int(values["asOf"]), min(max(0, int(values["offset"])), 10_000_000)
    except (binascii.Error, ValueError, TypeError, KeyError, OverflowError) as error:
        raise bad_cursor() from error


def splice(text: str, edges: Sequence[Edge]) -> str:
    """A document's text with its relations."""
    relations = [{"type": type_, "targetRef": target} for type_, target in edges]
    return f'{text[:-1]},"relations":{orjson.dumps(relations).decode()}}}'


def _cursor(query: Query, at: int, offset: int) -> str:
    values = {"asOf": at, "offset": offset, "query": asdict(replace(query, position=None, total=None))}
    return base64.b64encode(orjson.dumps(values)).decode()


def _test(query: Query) -> Test:
    parts = [read_filters(Tests(), query.filters)]
    if query.predicate is not None:
        parts.append(read_predicate(Tests(), query.predicate))
    if query.term:
        keys = [name.lower() for name in query.term_fields] or [query.sort or "metadata.uid"]
        parts.append(contains_text(keys, query.term))
    return Tests().all_of(parts)


def _asks_for_relations(query: Query) -> bool:
    # Only then can a live entity that did not change itself be judged otherwise.
    asked = [*query.filters, *query.term_fields, query.sort or "", orjson.dumps(query.predicate).decode()]
    return any("relations" in text.lower() for text in asked)


Key = tuple[bool, str | float, str]


class _Descending(str):
    """Text that sorts from the end."""

    __slots__ = ()

    def __lt__(self, other: str) -> bool:
        return str.__gt__(self, other)


def _key(query: Query, rows: Mapping[str, set[str]], ref: str) -> Key:
    # The order of `listing`: by value, entities without one last, then by reference.
    if query.sort is None:
        return False, _Descending(ref) if query.descending else ref, ref
    values = rows.get(query.sort.lower())
    if values and query.numeric:
        numbers = [number for value in values if (number := number_of(value)) is not None]
        return (False, -min(numbers) if query.descending else min(numbers), ref) if numbers else (True, "", ref)
    if not values:
        return True, "", ref
    return False, _Descending(min(values)) if query.descending else min(values), ref


def _live_key(query: Query, ref: str, text: str) -> Key:
    return _key(query, {} if query.sort is None else rows_of(orjson.loads(text), ()), ref)


@dataclass
class _Keys(Sequence[Key]):
    """The sort keys of live ids, worked out when they are looked at."""

    ids: Sequence[int]
    key: Callable[[int], Key]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: Any) -> Any:
        return self.key(self.ids[index])


def _merge(live: Sequence[int], kept: Sequence[tuple[Any, str, str]], key: Callable[[int], Any]) -> list[int | str]:
    merged: list[int | str] = []
    keys, start = _Keys(live, key), 0
    for wanted, ref, _ in kept:
        place = bisect_left(keys, wanted, lo=start)
        merged += live[start:place]
        merged.append(ref)
        start = place
    return [*merged, *live[start:]]


@dataclass
class _Around:
    """What was found around an entity so far; `wave` is what was reached last."""

    seen: set[str]
    wave: list[str] = field(default_factory=list)
    edges: set[tuple[str, str, str]] = field(default_factory=set)
    truncated: bool = False

    def __post_init__(self) -> None:
        self.wave = sorted(self.seen)

    def grow(self, found: Iterable[tuple[str, str, str]]) -> bool:
        """Take in one more hop; False when it led nowhere."""
        found = set(found)
        self.edges |= found
        reached = reached_by(found, self.seen)
        room = MAX_NODES - len(self.seen)
        self.truncated = self.truncated or len(reached) > room
        self.wave = reached[:room]
        self.seen.update(self.wave)
        return bool(self.wave)


def _past_edges(past: Past, refs: Iterable[str]) -> set[tuple[str, str, str]]:
    found = set()
    for ref in refs:
        found |= {(ref, target, type_) for type_, target in past.stated.get(ref, ())}
        found |= {(source, ref, type_) for type_, source in past.received.get(ref, ())}
    return found


def _node(ref: str, document: Any) -> dict[str, Any]:
    metadata = document["metadata"] if document else {}
    spec = document.get("spec", {}) if document else {}
    return {
        "ref": ref,
        "kind": ref.partition(":")[0],
        "title": metadata.get("title") or metadata.get("name") or ref.rpartition("/")[2],
        "type": spec["type"].lower() if isinstance(spec.get("type"), str) else None,
        "lifecycle": spec["lifecycle"].lower() if isinstance(spec.get("lifecycle"), str) else None,
        "exists": document is not None,
    }
