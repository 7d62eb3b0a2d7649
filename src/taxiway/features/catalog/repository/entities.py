"""Writes of the catalog: all in the caller's transaction, in batches. Reads that serve the API are in `reading.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection, bindparam, delete, insert, select, text, tuple_, update

from taxiway.core.store.upsert import upsert
from taxiway.features.catalog.documents import Leaf, leaves, words
from taxiway.features.catalog.model import Problem, Record
from taxiway.features.catalog.tables import catalog_problem, entity, entity_doc, entity_facet, facet, relation

T = TypeVar("T")
CHUNK = 400
"""Rows a statement: below the variable limits of both databases."""
MAX_KEPT = 50_000
"""Bytes of a refused document that is kept to be shown."""


@dataclass(frozen=True)
class Known:
    """What is stored of an entity."""

    id: int
    uid: str
    ref: str
    hash: str
    source_id: str
    owner: str | None
    version: int


_KNOWN = (
    entity.c.id,
    entity.c.uid,
    entity.c.ref,
    entity.c.hash,
    entity.c.source_id,
    entity.c.owner,
    entity.c.version,
)


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """`items` in lists of at most `size`."""
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def known_by_refs(conn: Connection, refs: Iterable[str]) -> dict[str, Known]:
    """What is stored under `refs`, by ref."""
    found: dict[str, Known] = {}
    for batch in chunks(refs):
        for row in conn.execute(select(*_KNOWN).where(entity.c.ref.in_(batch))):
            found[row.ref] = Known(*row)
    return found


def known_by_uid(conn: Connection, uid: str) -> Known | None:
    """What is stored under `uid`, or None."""
    row = conn.execute(select(*_KNOWN).where(entity.c.uid == uid)).first()
    return None if row is None else Known(*row)


def known_by_source(conn: Connection, source_id: str) -> list[Known]:
    """Every entity of a source, by ref."""
    rows = conn.execute(select(*_KNOWN).where(entity.c.source_id == source_id).order_by(entity.c.ref))
    return [Known(*row) for row in rows]


def refs_of_source(conn: Connection, source_id: str) -> list[tuple[str, str]]:
    """(ref, location) of every entity of a source, in the order of their documents."""
    columns = select(entity.c.ref, entity.c.location).where(entity.c.source_id == source_id)
    return [(row.ref, row.location) for row in conn.execute(columns.order_by(entity.c.location, entity.c.line))]


def insert_entities(conn: Connection, now: int, source_id: str, items: Sequence[tuple[str, Record]]) -> None:
    """Insert new entities, given as (uid, record)."""
    rows = [
        {**_columns(now, source_id, record), "uid": uid, "ref": record.ref, "etag": record.hash[7:47]}
        for uid, record in items
    ]
    for batch in chunks(rows):
        conn.execute(insert(entity), batch)
    ids = {known.ref: known.id for known in known_by_refs(conn, [record.ref for _, record in items]).values()}
    _insert_parts(conn, [(ids[record.ref], uid, record) for uid, record in items])


def update_entities(conn: Connection, now: int, source_id: str, items: Sequence[tuple[Known, Record]]) -> None:
    """Replace what is stored of known entities."""
    if not items:
        return
    statement = (
        update(entity)
        .where(entity.c.id == bindparam("entity_id"))
        .values({name: bindparam(f"new_{name}") for name in (*_columns(now, source_id, items[0][1]), "etag")})
        .values(version=entity.c.version + 1)
    )
    rows = []
    for known, record in items:
        columns = {**_columns(now, source_id, record), "etag": record.hash[7:47]}
        rows.append({"entity_id": known.id, **{f"new_{name}": value for name, value in columns.items()}})
    conn.execute(statement, rows)
    _delete_parts(conn, [known.id for known, _ in items])
    _insert_parts(conn, [(known.id, known.uid, record) for known, record in items])


def delete_entities(conn: Connection, ids: Sequence[int]) -> None:
    """Remove entities with all that hangs on them."""
    _delete_parts(conn, ids)
    for batch in chunks(ids):
        conn.execute(delete(entity).where(entity.c.id.in_(batch)))


def replace_problems(conn: Connection, now: int, source_id: str, problems: Sequence[tuple[str, Problem]]) -> None:
    """The problems of a source are these now, given as (id, problem)."""
    conn.execute(delete(catalog_problem).where(catalog_problem.c.source_id == source_id))
    add_problems(conn, now, source_id, problems)


def add_problems(conn: Connection, now: int, source_id: str, problems: Sequence[tuple[str, Problem]]) -> None:
    """Add problems to those that the source has."""
    rows = [
        {
            "id": identifier,
            "source_id": source_id,
            "ref": problem.ref,
            "location": problem.location,
            "line": problem.line,
            "detail": problem.detail[:2000],
            "remedy": problem.remedy[:500],
            "at": now,
            "code": problem.code,
            "other_source_id": problem.other_source_id,
            "document": _kept_document(problem.document),
        }
        for identifier, problem in problems
    ]
    if rows:
        conn.execute(insert(catalog_problem), rows)


def _kept_document(document: Mapping[str, Any] | None) -> str | None:
    if document is None:
        return None
    try:
        text = orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS)
    except (orjson.JSONEncodeError, RecursionError):
        return None
    return text.decode() if len(text) <= MAX_KEPT else None


def _columns(now: int, source_id: str, record: Record) -> dict[str, Any]:
    return {
        **record.columns,
        "hash": record.hash,
        "source_id": source_id,
        "location": record.location,
        "line": record.line,
        "updated_at": now,
    }


def _stored(uid: str, record: Record) -> str:
    metadata = {**record.document["metadata"], "uid": uid, "etag": record.hash[7:47]}
    return orjson.dumps({**record.document, "metadata": metadata}).decode()


def _insert_parts(conn: Connection, items: Sequence[tuple[int, str, Record]]) -> None:
    for batch in chunks(items):
        conn.execute(
            insert(entity_doc), [{"entity_id": id_, "doc": _stored(uid, record)} for id_, uid, record in batch]
        )
        _insert_words(conn, [(id_, words(record.document)) for id_, _, record in batch])
        related = [
            {"source_id": id_, "type": type_, "target": target}
            for id_, _, record in batch
            for type_, target in sorted(record.relations)
        ]
        if related:
            conn.execute(insert(relation), related)
        by_id = {id_: leaves(record.document) for id_, _, record in batch}
        codes = _facet_ids(conn, {leaf for found in by_id.values() for leaf in found})
        pairs = [{"facet_id": codes[leaf], "entity_id": id_} for id_, found in by_id.items() for leaf in found]
        if pairs:
            conn.execute(insert(entity_facet), sorted(pairs, key=lambda pair: (pair["facet_id"], pair["entity_id"])))


def _delete_parts(conn: Connection, ids: Sequence[int]) -> None:
    for batch in chunks(ids):
        rows = conn.execute(select(entity_doc.c.entity_id, entity_doc.c.doc).where(entity_doc.c.entity_id.in_(batch)))
        _delete_words(conn, [(row.entity_id, words(orjson.loads(row.doc))) for row in rows])
        for table, column in (
            (entity_doc, entity_doc.c.entity_id),
            (relation, relation.c.source_id),
            (entity_facet, entity_facet.c.entity_id),
        ):
            conn.execute(delete(table).where(column.in_(batch)))


def _facet_ids(conn: Connection, wanted: set[Leaf]) -> Mapping[Leaf, int]:
    codes = _known_facets(conn, wanted)
    missing = sorted(wanted - codes.keys())
    if missing:
        rows = [{"key": k, "value": v, "folded": v.lower(), "opaque": opaque} for k, v, opaque in missing]
        conn.execute(upsert(conn, facet).on_conflict_do_nothing(), rows)
        codes |= _known_facets(conn, set(missing))
    return codes


def _known_facets(conn: Connection, wanted: set[Leaf]) -> dict[Leaf, int]:
    codes: dict[Leaf, int] = {}
    for batch in chunks(wanted):
        pairs = tuple_(facet.c.key, facet.c.value).in_([(key, value) for key, value, _ in batch])
        for row in conn.execute(select(facet.c.id, facet.c.key, facet.c.value, facet.c.opaque).where(pairs)):
            codes[(row.key, row.value, row.opaque)] = row.id
    return codes


def _insert_words(conn: Connection, items: Sequence[tuple[int, tuple[str, str, str, str]]]) -> None:
    rows = [{"id": id_, "name": n, "title": t, "tags": g, "body": b} for id_, (n, t, g, b) in items]
    if not rows:
        return
    if conn.dialect.name == "sqlite":
        statement = "INSERT INTO entity_fts(rowid, name, title, tags, body) VALUES (:id, :name, :title, :tags, :body)"
    else:
        statement = (
            "INSERT INTO entity_fts(entity_id, words) VALUES (:id,"
            " setweight(to_tsvector('simple', replace(CAST(:name AS text), '-', ' ')), 'A')"
            " || setweight(to_tsvector('simple', CAST(:title AS text)), 'A')"
            " || setweight(to_tsvector('simple', CAST(:tags AS text)), 'B')"
            " || to_tsvector('simple', CAST(:body AS text)))"
        )
    conn.execute(text(statement), rows)


def _delete_words(conn: Connection, items: Sequence[tuple[int, tuple[str, str, str, str]]]) -> None:
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
