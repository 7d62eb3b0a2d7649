"""Rows of computed properties: values with their facets, what they were computed from, and what is out of date."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, delete, exists, func, insert, literal, or_, select, update

from taxiway.core.store.bulk import insert_rows
from taxiway.features.catalog.leaves import MAX_TEXT, table_of
from taxiway.features.catalog.properties import MAX_TOLD, Computed
from taxiway.features.catalog.repository import facets, pairs
from taxiway.features.catalog.repository.chunks import chunks
from taxiway.features.catalog.repository.index import feed
from taxiway.features.catalog.repository.index.feed import UPDATE, Change
from taxiway.features.catalog.repository.kinds import inverse_in
from taxiway.features.catalog.scalars import text_of
from taxiway.features.catalog.tables import (
    entity,
    entity_doc,
    entity_property,
    property_input,
    property_pending,
    relation,
)

PREFIX = "properties."


class StoredReader:
    """What rules read, from the store; remembers it for one batch. `keys` is what the current entity depends on."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._documents: dict[str, Mapping[str, Any] | None] = {}
        self._properties: dict[str, dict[str, Any]] = {}
        self._targets: dict[tuple[str, str], list[str]] = {}
        self._inverse = inverse_in(conn)
        self.keys: set[str] = set()

    def load(self, refs: Sequence[str], field: str) -> None:
        """Read what `field` of these needs in few statements. It is not noted: that follows with each use."""
        if field.startswith("properties."):
            self._load_properties([ref for ref in refs if ref not in self._properties])
        elif field != "ref":
            self._load_documents([ref for ref in refs if ref not in self._documents])

    def document(self, ref: str) -> Mapping[str, Any] | None:
        """The document of a reference."""
        self.keys.add(ref)
        if ref not in self._documents:
            self._load_documents([ref])
        return self._documents[ref]

    def properties(self, ref: str) -> Mapping[str, Any]:
        """The computed values of a reference."""
        self.keys.add(f"{ref}#")
        if ref not in self._properties:
            self._load_properties([ref])
        return self._properties[ref]

    def _load_documents(self, refs: Sequence[str]) -> None:
        columns = select(entity.c.ref, entity_doc.c.doc).join(entity, entity.c.id == entity_doc.c.entity_id)
        for batch in chunks(refs):
            self._documents.update(dict.fromkeys(batch))
            for row in self._conn.execute(columns.where(entity.c.ref.in_(batch))):
                self._documents[row.ref] = orjson.loads(row.doc)

    def _load_properties(self, refs: Sequence[str]) -> None:
        self._properties.update({ref: {} for ref in refs})
        self._properties.update(values_of(self._conn, refs))

    def targets(self, refs: Sequence[str], relation_type: str) -> list[str]:
        """What any of `refs` is related to, in either direction, in order."""
        self.keys.update(f"{ref}|{relation_type}" for ref in refs)
        missing = [ref for ref in refs if (ref, relation_type) not in self._targets]
        for batch in chunks(missing):
            found: dict[str, set[str]] = {ref: set() for ref in batch}
            stated = (
                select(entity.c.ref, relation.c.target)
                .join(relation, relation.c.source_id == entity.c.id)
                .where(entity.c.ref.in_(batch), relation.c.type == relation_type)
            )
            received = (
                select(relation.c.target, entity.c.ref)
                .join(entity, entity.c.id == relation.c.source_id)
                .where(relation.c.target.in_(batch), relation.c.type == self._inverse(relation_type))
            )
            for statement in (stated, received):
                for row in self._conn.execute(statement):
                    found[row[0]].add(row[1])
            self._targets.update({(ref, relation_type): sorted(ends) for ref, ends in found.items()})
        return list(dict.fromkeys(end for ref in refs for end in self._targets[ref, relation_type]))


def stated(conn: Connection, ids: Sequence[int]) -> dict[int, set[tuple[str, str]]]:
    """The relations (type, target) that entities state."""
    found: dict[int, set[tuple[str, str]]] = {id_: set() for id_ in ids}
    for batch in chunks(ids):
        for row in conn.execute(select(relation).where(relation.c.source_id.in_(batch))):
            found[row.source_id].add((row.type, row.target))
    return found


def mark(conn: Connection, keys: Iterable[str], refs: Iterable[str], kinds: Collection[str], depth: int = 0) -> int:
    """Entities that depend on `keys`, and those of `refs` whose kind (in lower case) has properties, are out of date.
    How many are, at least."""
    ids: set[int] = set()
    for batch in chunks(keys):
        ids.update(conn.scalars(select(property_input.c.entity_id).where(property_input.c.key.in_(batch))))
    for batch in chunks(refs):
        ids.update(conn.scalars(select(entity.c.id).where(entity.c.ref.in_(batch), entity.c.kind.in_(list(kinds)))))
    return mark_ids(conn, ids, depth)


def mark_ids(conn: Connection, ids: Collection[int], depth: int) -> int:
    """These entities are out of date. `depth`: how many computed values lie between them and what changed."""
    known: set[int] = set()
    for batch in chunks(ids):
        where = property_pending.c.entity_id.in_(batch)
        known.update(conn.scalars(select(property_pending.c.entity_id).where(where)))
        conn.execute(update(property_pending).where(where, property_pending.c.depth < depth).values(depth=depth))
    insert_rows(conn, property_pending, ("entity_id", "depth"), [(id_, depth) for id_ in sorted(set(ids) - known)])
    return len(ids)


def mark_kinds(conn: Connection, kinds: Collection[str]) -> None:
    """Every entity of these kinds, in lower case, and every one that has properties, is out of date."""
    pending = exists(select(1).where(property_pending.c.entity_id == entity.c.id))
    has_some = exists(select(1).where(entity_property.c.entity_id == entity.c.id))
    found = select(entity.c.id, literal(0)).where(~pending, or_(entity.c.kind.in_(list(kinds)), has_some))
    conn.execute(insert(property_pending).from_select(["entity_id", "depth"], found))


def pending(conn: Connection, limit: int) -> list[Any]:
    """(id, ref, kind, depth) of entities that are out of date, those nearest to their change first."""
    columns = (entity.c.id, entity.c.ref, entity.c.kind, property_pending.c.depth)
    statement = select(*columns).join(property_pending, property_pending.c.entity_id == entity.c.id)
    return list(conn.execute(statement.order_by(property_pending.c.depth, entity.c.id).limit(limit)))


def values_of(conn: Connection, refs: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The computed values of entities, by reference and name; those that could not be computed are left out."""
    found: dict[str, dict[str, Any]] = {}
    columns = select(entity.c.ref, entity_property.c.name, entity_property.c.value).join(
        entity, entity.c.id == entity_property.c.entity_id
    )
    for batch in chunks(refs):
        where = entity.c.ref.in_(batch), entity_property.c.value.is_not(None)
        for row in conn.execute(columns.where(*where).order_by(entity_property.c.name)):
            found.setdefault(row.ref, {})[row.name] = orjson.loads(row.value)
    return found


def is_pending(conn: Connection, id_: int) -> bool:
    """Whether an entity's properties are out of date."""
    return conn.scalar(select(func.count()).where(property_pending.c.entity_id == id_)) == 1


@dataclass(frozen=True)
class Result:
    """What was computed of an entity, and the keys of what was read for it."""

    id: int
    ref: str
    found: Mapping[str, Computed]
    keys: frozenset[str]


def put(conn: Connection, now: int, results: Sequence[Result]) -> list[str]:
    """These are the entities' properties now; the references of those of which any value is another one."""
    ids = [result.id for result in results]
    before: dict[int, dict[str, Any]] = {id_: {} for id_ in ids}
    for batch in chunks(ids):
        for row in conn.execute(select(entity_property).where(entity_property.c.entity_id.in_(batch))):
            before[row.entity_id][row.name] = row
        for table in (entity_property, property_input, property_pending):
            conn.execute(delete(table).where(table.c.entity_id.in_(batch)))
    leaves = {(r.id, name): _leaves(name, one.value) for r in results for name, one in r.found.items()}
    different = list(set().union(*leaves.values()))
    numbers = dict(zip(different, facets.numbers(conn, [table_of(different)]), strict=True))
    of = {key: sorted(numbers[leaf] for leaf in some) for key, some in leaves.items()}
    rows = [_row(now, r.id, name, one, of[r.id, name]) for r in results for name, one in r.found.items()]
    insert_rows(conn, entity_property, ("entity_id", "name", "value", "error", "inputs", "facets", "at"), rows)
    insert_rows(conn, property_input, ("key", "entity_id"), sorted((key, r.id) for r in results for key in r.keys))
    _replace_facets(
        conn,
        [
            (r.id, r.ref, _facets(before[r.id].values()), {one for name in r.found for one in of[r.id, name]})
            for r in results
        ],
    )
    now_has = {(row[0], row[1]): row[2] for row in rows}
    return [
        r.ref
        for r in results
        if {name: now_has[r.id, name] for name in r.found} != {name: row.value for name, row in before[r.id].items()}
    ]


def _row(now: int, id_: int, name: str, one: Computed, numbers: list[int]) -> tuple[Any, ...]:
    value = None if one.value is None else orjson.dumps(one.value).decode()
    inputs = [[item.ref, item.field, _short(item.value)] for item in one.inputs[:MAX_TOLD]]
    return id_, name, value, one.error, orjson.dumps(inputs).decode(), orjson.dumps(numbers).decode(), now


def _short(value: Any) -> Any:
    return value[:200] if isinstance(value, str) else value


def _facets(rows: Iterable[Any]) -> set[int]:
    return {number for row in rows for number in orjson.loads(row.facets)}


def _leaves(name: str, value: Any) -> set[tuple[str, str, bool]]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    texts = {text_of(one) if not isinstance(one, str) else one for one in values}
    return {((PREFIX + name).lower(), text, False) for text in texts if len(text) <= MAX_TEXT and "\0" not in text}


def _replace_facets(conn: Connection, items: Sequence[tuple[int, str, set[int], set[int]]]) -> None:
    """Given as (id, reference, facets that it had, facets that it has)."""
    changes = [Change(id_, UPDATE, ref, sorted(has - had), sorted(had - has)) for id_, ref, had, has in items]
    changes = [change for change in changes if change.added or change.removed]
    removed = {change.entity_id: change.removed for change in changes}
    pairs.change(conn, removed, {change.entity_id: change.added for change in changes})
    feed.append(conn, changes)


def forget(conn: Connection, refs_by_id: Mapping[int, str]) -> None:
    """Remove the properties of entities that go, and tell the indexes."""
    for batch in chunks(refs_by_id):
        found = select(entity_property.c.entity_id, entity_property.c.facets)
        had: dict[int, set[int]] = {}
        for row in conn.execute(found.where(entity_property.c.entity_id.in_(batch))):
            had.setdefault(row.entity_id, set()).update(orjson.loads(row.facets))
        _replace_facets(conn, [(id_, refs_by_id[id_], numbers, set()) for id_, numbers in had.items()])
        for table in (entity_property, property_input, property_pending):
            conn.execute(delete(table).where(table.c.entity_id.in_(batch)))


def of_entity(conn: Connection, id_: int) -> dict[str, Any]:
    """Rows of an entity's properties by name."""
    rows = conn.execute(select(entity_property).where(entity_property.c.entity_id == id_))
    return {row.name: row for row in rows}
