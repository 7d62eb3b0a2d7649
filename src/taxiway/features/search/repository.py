"""SQL of the documents that are no entities: replaced by collection, found by words, seen by owner or by entity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyroaring import BitMap
from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    and_,
    column,
    delete,
    false,
    func,
    insert,
    or_,
    select,
    table,
    text,
)

from taxiway.core.store.scoped import visible
from taxiway.features.catalog.repository.chunks import chunks
from taxiway.features.catalog.repository.fts import Index, matching, terms, vector
from taxiway.features.catalog.tables import entity
from taxiway.features.search.tables import search_collection, search_document
from taxiway.model.access import Scope
from taxiway.plugin import SearchDocument

DOCUMENTS = Index("search_fts", "document_id", {"title": "=", "text": ""}, ("title",))
MAX_TEXT = 100_000
TIERS = ((1, ("title",), True), (2, ("title",), False), (4, (), True))
"""As the catalog's tiers, so that both can be merged: (tier, columns, whole words)."""
REST = 5


@dataclass(frozen=True)
class Page:
    """A document that was found."""

    id: int
    type: str
    title: str
    text: str
    location: str
    owner: str | None
    entity_ref: str | None
    fields: Mapping[str, str]


def states(conn: Connection, type_: str) -> dict[str, str]:
    """The state of each collection that is held."""
    rows = conn.execute(select(search_collection).where(search_collection.c.type == type_))
    return {row.collection: row.state for row in rows}


def replace(conn: Connection, type_: str, collection: str, state: str | None, items: Sequence[SearchDocument]) -> None:
    """Let a collection consist of `items`; without a state it is forgotten."""
    here = and_(search_document.c.type == type_, search_document.c.collection == collection)
    ids = list(conn.scalars(select(search_document.c.id).where(here)))
    if conn.dialect.name == "sqlite":
        for some in chunks(ids):
            conn.execute(delete(table(DOCUMENTS.table)).where(column("rowid").in_(some)))
    conn.execute(delete(search_document).where(here))
    held = search_collection.c
    conn.execute(delete(search_collection).where(held.type == type_, held.collection == collection))
    if state is None:
        return
    conn.execute(insert(search_collection).values(type=type_, collection=collection, state=state))
    for item in items:
        _insert(conn, type_, collection, item)


def _insert(conn: Connection, type_: str, collection: str, item: SearchDocument) -> None:
    values = {
        "type": type_,
        "collection": collection,
        "location": item.location,
        "owner": item.owner,
        "entity_ref": item.entity_ref,
        "fields": dict(item.fields),
    }
    made = conn.execute(insert(search_document).values(values)).inserted_primary_key
    assert made is not None
    texts = {"id": made[0], "title": _clean(item.title), "text": _clean(item.text[:MAX_TEXT])}
    if conn.dialect.name == "sqlite":
        conn.execute(text("INSERT INTO search_fts(rowid, title, text) VALUES (:id, :title, :text)"), texts)
        return
    statement = (
        "INSERT INTO search_fts(document_id, title, text, words) VALUES (:id, :title, :text, CAST(:words AS tsvector))"
    )
    words = vector(DOCUMENTS, (texts["title"], texts["text"]))
    conn.execute(text(statement), {**texts, "words": words})


def seen(scopes: Mapping[str, Scope], entities: Scope) -> ColumnElement[bool]:
    """The clause for what a caller may find: `scopes` by type, `entities` for documents that belong to one."""
    document = search_document.c
    by_entity = (
        select(1)
        .select_from(entity)
        .where(entity.c.ref == document.entity_ref, visible(entities, entity.c.owner))
        .correlate(search_document)
        .exists()
    )
    allowed = [
        and_(document.type == type_, or_(document.entity_ref.is_not(None), visible(scope, document.owner)))
        for type_, scope in scopes.items()
        if scope.everything or scope.owners
    ]
    return and_(or_(false(), *allowed), or_(document.entity_ref.is_(None), by_entity))


def search(
    conn: Connection, words: Sequence[str], where: ColumnElement[bool], filters: Mapping[str, Sequence[str]], most: int
) -> tuple[list[tuple[int, int]], int]:
    """(tier, id) of the best documents, best first, and how many there are in all."""
    found = _narrowed(conn, matching(conn, DOCUMENTS, [terms(words)]) if words else None, where, filters)
    ranked: list[tuple[int, int]] = []
    rest = found
    for tier, columns, whole in TIERS if words else ():
        if rest and len(ranked) < most:
            here = rest & matching(conn, DOCUMENTS, [terms(words, whole=whole)], columns)
            ranked += [(tier, one) for one in here]
            rest = rest - here
    ranked += [(REST, one) for one in rest]
    return ranked[:most], len(found)


def _narrowed(
    conn: Connection, found: BitMap | None, where: ColumnElement[bool], filters: Mapping[str, Sequence[str]]
) -> BitMap:
    statement = select(search_document.c.id, search_document.c.fields).where(where)
    pages = [statement] if found is None else [statement.where(search_document.c.id.in_(ids)) for ids in chunks(found)]
    wanted = {key: {value.lower() for value in values} for key, values in filters.items()}
    return BitMap(
        row.id
        for page in pages
        for row in conn.execute(page)
        if all(str(row.fields.get(key, "")).lower() in values for key, values in wanted.items())
    )


def pages(conn: Connection, ids: Sequence[int]) -> dict[int, Page]:
    """What is shown of documents, by id."""
    key: ColumnElement[int] = column("rowid" if conn.dialect.name == "sqlite" else DOCUMENTS.key)
    held = (
        select(key, column("title", Text), column("text", Text)).select_from(table(DOCUMENTS.table)).where(key.in_(ids))
    )
    texts = {row[0]: (row[1], row[2]) for row in conn.execute(held)}
    rows = conn.execute(select(search_document).where(search_document.c.id.in_(ids)))
    return {row.id: _page(row._mapping, *texts[row.id]) for row in rows if row.id in texts}


def _page(row: Mapping[Any, Any], title: str, body: str) -> Page:
    return Page(
        row["id"], row["type"], title, body, row["location"], row["owner"], row["entity_ref"], row["fields"] or {}
    )


def count(conn: Connection) -> int:
    """How many documents are held."""
    return int(conn.scalar(select(func.count()).select_from(search_document)) or 0)


def _clean(value: str) -> str:
    return value.replace("\0", " ")
