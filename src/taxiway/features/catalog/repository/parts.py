"""What hangs on an entity: document, relations, facets, words; written in batches, with the feed's rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import itemgetter

import orjson
from sqlalchemy import Connection, delete, select, text
from sqlalchemy import table as named_table

from taxiway.core.store.bulk import insert_rows
from taxiway.features.catalog.documents import words
from taxiway.features.catalog.leaves import Leaf, LeafTable, Leaves, table_of
from taxiway.features.catalog.model import Record
from taxiway.features.catalog.packing import pack
from taxiway.features.catalog.repository import facets, names, pairs
from taxiway.features.catalog.repository.chunks import chunks
from taxiway.features.catalog.repository.fts import ENTITIES, vector
from taxiway.features.catalog.repository.index import feed
from taxiway.features.catalog.repository.index.feed import DELETE, INSERT, MANY, UPDATE, Change
from taxiway.features.catalog.tables import entity_doc, relation

Item = tuple[int, str, Record]
"""An entity's id and uid, and what is to be stored of it."""
Words = tuple[str, str, str, str]
BATCH = 4000
_FTS = named_table(ENTITIES.table)
MANY_FROM = 200
"""From so many new entities on, the feed tells them in one row."""


def insert(conn: Connection, items: Sequence[Item]) -> None:
    """Store what hangs on new entities."""
    for batch in chunks(items, BATCH):
        numbers = _numbers(conn, batch)
        _insert_docs(conn, batch, numbers)
        _insert_words(conn, [(id_, record.words) for id_, _, record in batch])
        names.add(conn, [record.columns["name"] for _, _, record in batch])
        _insert_relations(conn, batch)
        pairs.insert(conn, numbers)
        feed.append(conn, _told(batch, numbers))


def replace(conn: Connection, items: Sequence[Item]) -> None:
    """Store anew what hangs on known entities; facets that stay are left alone."""
    for batch in chunks(items, BATCH):
        ids = [id_ for id_, _, _ in batch]
        before, numbers = _delete_words_and_docs(conn, ids), _numbers(conn, batch)
        _delete_relations(conn, ids)
        _insert_docs(conn, batch, numbers)
        _insert_words(conn, [(id_, record.words) for id_, _, record in batch])
        _insert_relations(conn, batch)
        added = {id_: set(numbers[id_]) - before.get(id_, set()) for id_ in ids}
        removed = {id_: before.get(id_, set()) - set(numbers[id_]) for id_ in ids}
        pairs.change(conn, removed, added)
        changes = [Change(id_, UPDATE, rec.ref, sorted(added[id_]), sorted(removed[id_])) for id_, _, rec in batch]
        feed.append(conn, changes)


def remove(conn: Connection, refs: Mapping[int, str]) -> None:
    """Remove what hangs on entities, given as id → reference."""
    for ids in chunks(refs, BATCH):
        before = _delete_words_and_docs(conn, ids)
        _delete_relations(conn, ids)
        pairs.remove(conn, before)
        names.remove(conn, [refs[id_].rpartition("/")[2] for id_ in ids])
        feed.append(conn, [Change(id_, DELETE, refs[id_], removed=sorted(before.get(id_, ()))) for id_ in ids])


def _told(batch: Sequence[Item], numbers: Mapping[int, Sequence[int]]) -> list[Change]:
    ids = sorted(id_ for id_, _, _ in batch)
    if len(ids) >= MANY_FROM and ids[-1] - ids[0] == len(ids) - 1:
        return [Change(ids[0], MANY, str(ids[-1]))]
    return [Change(id_, INSERT, record.ref, numbers[id_]) for id_, _, record in batch]


def _packed(uid: str, record: Record) -> bytes:
    ahead = record.packed
    return ahead.content if ahead is not None and ahead.uid == uid else pack(record.stored(uid))


def _insert_docs(conn: Connection, batch: Sequence[Item], numbers: Mapping[int, Sequence[int]]) -> None:
    rows = [(id_, _packed(uid, record), facets.packed(numbers[id_])) for id_, uid, record in batch]
    insert_rows(conn, entity_doc, ("entity_id", "doc", "facets"), rows)


def _insert_relations(conn: Connection, batch: Sequence[Item]) -> None:
    # In the order of the index from target to source: it is large, while all that begins with new ids lies together.
    rows = sorted(((id_, *edge) for id_, _, record in batch for edge in record.relations), key=itemgetter(2, 1, 0))
    insert_rows(conn, relation, ("source_id", "type", "target"), rows)


def _numbers(conn: Connection, batch: Sequence[Item]) -> dict[int, list[int]]:
    # Documents of one file share a table of leaves, which goes to the store as it is when all of it is wanted.
    used: dict[LeafTable, set[int]] = {}
    for _, _, record in batch:
        if isinstance(record.leaves, Leaves):
            used.setdefault(record.leaves.table, set()).update(record.leaves.places)
    firsts: dict[LeafTable, int] = {}
    size = 0
    for table, places in used.items():
        if len(places) == table.size:
            firsts[table] = size
            size += table.size
    others = [record.leaves for _, _, record in batch if _table(record) not in firsts]
    own = {leaf: place for place, leaf in enumerate(set().union(*others), size)}
    numbers = facets.numbers(conn, [*(table.content for table in firsts), table_of(own)])
    shared = {table: numbers[first : first + table.size] for table, first in firsts.items()}
    return {id_: sorted(_numbers_of(record.leaves, shared, own, numbers)) for id_, _, record in batch}


def _table(record: Record) -> LeafTable | None:
    return record.leaves.table if isinstance(record.leaves, Leaves) else None


def _numbers_of(
    leaves: Collection[Leaf],
    shared: Mapping[LeafTable, Sequence[int]],
    own: Mapping[Leaf, int],
    numbers: Sequence[int],
) -> Iterable[int]:
    if isinstance(leaves, Leaves) and leaves.table in shared:
        return map(shared[leaves.table].__getitem__, leaves.places)
    return (numbers[own[leaf]] for leaf in leaves)


def _delete_relations(conn: Connection, ids: Sequence[int]) -> None:
    for batch in chunks(ids):
        conn.execute(delete(relation).where(relation.c.source_id.in_(batch)))


def _delete_words_and_docs(conn: Connection, ids: Sequence[int]) -> dict[int, set[int]]:
    """Removes them, and returns which facets the entities had."""
    had: dict[int, set[int]] = {}
    for batch in chunks(ids):
        rows = conn.execute(select(entity_doc).where(entity_doc.c.entity_id.in_(batch))).all()
        _delete_words(conn, [(row.entity_id, words(orjson.loads(row.doc))) for row in rows])
        conn.execute(delete(entity_doc).where(entity_doc.c.entity_id.in_(batch)))
        had.update({row.entity_id: set(facets.unpacked(row.facets)) for row in rows})
    return had


def _insert_words(conn: Connection, items: Sequence[tuple[int, Words]]) -> None:
    if conn.dialect.name == "sqlite":
        insert_rows(conn, _FTS, ("rowid", "name", "title", "tags", "body"), [(id_, *texts) for id_, texts in items])
    else:
        insert_rows(conn, _FTS, ("entity_id", "words"), [(id_, vector(ENTITIES, texts)) for id_, texts in items])


def _delete_words(conn: Connection, items: Sequence[tuple[int, Words]]) -> None:
    rows = [{"id": id_, "name": n, "title": t, "tags": g, "body": b} for id_, (n, t, g, b) in items]
    if not rows:
        return
    if conn.dialect.name == "sqlite":
        # An index without content is told what to forget: the same words that it was given.
        statement = (
            "INSERT INTO entity_fts(entity_fts, rowid, name, title, tags, body)"
            " VALUES ('delete', :id, :name, :title, :tags, :body)"
        )
    else:
        statement = "DELETE FROM entity_fts WHERE entity_id = :id"
    conn.execute(text(statement), rows)
