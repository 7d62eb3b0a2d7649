"""Writes of the catalog: all in the caller's transaction, in batches. Reads that serve the API are in `reading.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, func, insert, select, text, update

from taxiway.core.store.bulk import insert_rows
from taxiway.features.catalog.model import Problem, Record
from taxiway.features.catalog.repository import parts
from taxiway.features.catalog.repository.chunks import chunks, given_texts, texts_in
from taxiway.features.catalog.repository.index import feed
from taxiway.features.catalog.tables import catalog_problem, entity

INSERTED = (
    *("uid", "ref", "kind", "namespace", "name", "type", "lifecycle", "owner", "system", "title"),
    *("etag", "hash", "source_id", "location", "line", "updated_at"),
)
LOOKED_UP = 5000
"""References looked up in one statement."""
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
    location: str


_KNOWN = (
    entity.c.id,
    entity.c.uid,
    entity.c.ref,
    entity.c.hash,
    entity.c.source_id,
    entity.c.owner,
    entity.c.version,
    entity.c.location,
)


def known_by_refs(conn: Connection, refs: Iterable[str]) -> dict[str, Known]:
    """What is stored under `refs`, by ref."""
    found: dict[str, Known] = {}
    columns = ", ".join(column.name for column in _KNOWN)
    statement = text(f"SELECT {columns} FROM entity WHERE ref IN ({texts_in(conn)})")  # noqa: S608  no value in it
    for batch in chunks(refs, LOOKED_UP):
        for row in conn.execute(statement, {"texts": given_texts(conn, batch)}):
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


def count_of_source(conn: Connection, source_id: str, most: int) -> int:
    """How many entities a source has; counting ends at `most`."""
    some = select(entity.c.id).where(entity.c.source_id == source_id).limit(most).subquery()
    return int(conn.scalar(select(func.count()).select_from(some)) or 0)


def refs_of_source(conn: Connection, source_id: str) -> Iterator[tuple[str, str]]:
    """(ref, location) of every entity of a source, in the order of their documents, one after another: of a large
    source they are too many to be held."""
    columns = select(entity.c.ref, entity.c.location).where(entity.c.source_id == source_id)
    for row in conn.execute(columns.order_by(entity.c.location, entity.c.line)):
        yield row.ref, row.location


def insert_entities(conn: Connection, now: int, source_id: str, items: Sequence[tuple[str, Record]]) -> None:
    """Insert new entities, given as (uid, record)."""
    if not items:
        return
    feed.take_turn(conn)
    new = [(id_, uid, record) for id_, (uid, record) in zip(_new_ids(conn, len(items)), items, strict=True)]
    rows = []
    for id_, uid, record in new:
        columns = {**_columns(now, source_id, record), "uid": uid, "ref": record.ref, "etag": record.etag}
        rows.append((id_, *(columns[name] for name in INSERTED)))
    insert_rows(conn, entity, ("id", *INSERTED), rows)
    parts.insert(conn, new)


def _new_ids(conn: Connection, count: int) -> Sequence[int]:
    if conn.dialect.name == "postgresql":
        query = "SELECT nextval(pg_get_serial_sequence('entity', 'id')) FROM generate_series(1, :count)"
        return conn.scalars(text(query), {"count": count}).all()
    newest = conn.scalar(select(func.max(entity.c.id))) or 0
    return range(newest + 1, newest + 1 + count)


def update_entities(conn: Connection, now: int, source_id: str, items: Sequence[tuple[Known, Record]]) -> None:
    """Replace what is stored of known entities."""
    if not items:
        return
    feed.take_turn(conn)
    statement = (
        update(entity)
        .where(entity.c.id == bindparam("entity_id"))
        .values({name: bindparam(f"new_{name}") for name in (*_columns(now, source_id, items[0][1]), "etag")})
        .values(version=entity.c.version + 1)
    )
    rows = []
    for known, record in items:
        columns = {**_columns(now, source_id, record), "etag": record.etag}
        rows.append({"entity_id": known.id, **{f"new_{name}": value for name, value in columns.items()}})
    conn.execute(statement, rows)
    parts.replace(conn, [(known.id, known.uid, record) for known, record in items])


def delete_entities(conn: Connection, items: Sequence[Known]) -> None:
    """Remove entities with all that hangs on them."""
    if not items:
        return
    feed.take_turn(conn)
    parts.remove(conn, {known.id: known.ref for known in items})
    for batch in chunks([known.id for known in items]):
        conn.execute(delete(entity).where(entity.c.id.in_(batch)))


def replace_problems(conn: Connection, now: int, source_id: str, problems: Sequence[tuple[str, Problem]]) -> None:
    """The problems of a source are these now, given as (id, problem)."""
    if conn.execute(delete(catalog_problem).where(catalog_problem.c.source_id == source_id)).rowcount:
        feed.touch(conn)
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
            "part": problem.part,
        }
        for identifier, problem in problems
    ]
    if rows:
        conn.execute(insert(catalog_problem), rows)
        feed.touch(conn)


def drop_problems(conn: Connection, source_id: str, refs: Iterable[str]) -> None:
    """Remove what was wrong with these entities of a source, and with what could not even be named."""
    mine = delete(catalog_problem).where(catalog_problem.c.source_id == source_id)
    conn.execute(mine.where(catalog_problem.c.ref.is_(None)))
    for batch in chunks(list(refs)):
        conn.execute(mine.where(catalog_problem.c.ref.in_(batch)))
    feed.touch(conn)


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
