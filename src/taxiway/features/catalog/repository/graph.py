"""The neighbourhood of an entity: hop by hop over the stored relations, in both directions, bounded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence, Set
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from taxiway.features.catalog.repository.chunks import chunks
from taxiway.features.catalog.tables import entity, relation

MAX_NODES = 500
MAX_DEPTH = 5
MAX_EDGES_A_HOP = 20_000
ENDS: Sequence[ColumnElement[str]] = (entity.c.ref, relation.c.target)
Edge = tuple[str, str, str]


def neighbourhood(conn: Connection, ref: str, depth: int, scope: ColumnElement[bool]) -> dict[str, Any]:
    """{nodes, edges, truncated}: what is at most `depth` relations away from `ref`. Relations stand once, as stated.

    What `scope` does not let through states none, and is shown as what is not there when others name it.
    """
    seen, wave, edges = {ref}, [ref], set[Edge]()
    truncated = False
    for _ in range(min(depth, MAX_DEPTH)):
        found = _edges(conn, wave, scope)
        edges |= found
        reached = reached_by(found, seen)
        room = MAX_NODES - len(seen)
        truncated = truncated or len(reached) > room
        wave = reached[:room]
        seen.update(wave)
        if not wave:
            break
    nodes = _nodes(conn, sorted(seen), scope)
    kept = sorted(edge for edge in edges if edge[0] in seen and edge[1] in seen)
    return {
        "nodes": nodes,
        "edges": [{"source": source, "target": target, "type": type_} for source, target, type_ in kept],
        "truncated": truncated,
    }


def reached_by(found: Iterable[Edge], seen: Set[str]) -> list[str]:
    """The new ends of relations, in the order in which there is room for them: those of an end with few relations come
    first, so that a team that owns thousands leaves room for the parts of a system. Equal ones are sorted."""
    pairs = [pair for source, target, _ in found for pair in ((source, target), (target, source))]
    crowd = Counter(near for near, far in pairs if far not in seen)
    least: dict[str, int] = {}
    for near, far in pairs:
        if far not in seen:
            least[far] = min(least.get(far, crowd[near]), crowd[near])
    return sorted(least, key=lambda ref: (least[ref], ref))


def _edges(conn: Connection, refs: list[str], scope: ColumnElement[bool]) -> set[Edge]:
    found: set[Edge] = set()
    for batch in chunks(refs):
        for end in ENDS:
            found |= {(row.ref, row.target, row.type) for row in conn.execute(edges_at(end, batch, scope))}
    return found


def edges_at(end: ColumnElement[str], refs: Sequence[str], scope: ColumnElement[bool]) -> Select[Any]:
    """The relations with one of `refs` at this one of `ENDS`. Both ends in one condition would read all there are."""
    columns = select(entity.c.ref, relation.c.target, relation.c.type)
    joined = columns.join(entity, entity.c.id == relation.c.source_id)
    return joined.where(end.in_(refs), scope).limit(MAX_EDGES_A_HOP)


def _nodes(conn: Connection, refs: list[str], scope: ColumnElement[bool]) -> list[dict[str, Any]]:
    known: dict[str, Any] = {}
    for batch in chunks(refs):
        columns = (entity.c.ref, entity.c.title, entity.c.name, entity.c.type, entity.c.lifecycle)
        rows = conn.execute(select(*columns).where(entity.c.ref.in_(batch), scope))
        known.update({row.ref: row for row in rows})
    nodes = []
    for ref in refs:
        row = known.get(ref)
        nodes.append(
            {
                "ref": ref,
                "kind": ref.partition(":")[0],
                "title": (row.title or row.name) if row else ref.rpartition("/")[2],
                "type": row.type if row else None,
                "lifecycle": row.lifecycle if row else None,
                "exists": row is not None,
            }
        )
    return nodes
