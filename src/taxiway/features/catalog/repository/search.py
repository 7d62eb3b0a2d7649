"""Ranked search over the full-text index. Every word is a prefix, and all words must be found."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, column, func, literal_column, select, table, text

from taxiway.features.catalog.repository import reading
from taxiway.features.catalog.tables import entity, entity_doc
from taxiway.model.errors import InputError

MAX_TERM = 100
MAX_RESULTS = 100


@dataclass(frozen=True)
class Hit:
    """An entity that was found, best first."""

    ref: str
    kind: str
    namespace: str
    name: str
    title: str | None
    type: str | None
    lifecycle: str | None
    owner: str | None
    description: str


def search(
    conn: Connection, term: str, scope: ColumnElement[bool], *, kinds: list[str], limit: int, offset: int
) -> tuple[list[Hit], int]:
    """A page of hits and how many there are in all. No words: everything, by reference."""
    if len(term) > MAX_TERM:
        raise InputError(f"a search term has at most {MAX_TERM} characters", code="catalog.long_term")
    words = re.findall(r"\w+", term)
    where = scope if not kinds else scope & entity.c.kind.in_([kind.lower() for kind in kinds])
    columns = [entity.c[name] for name in ("ref", "kind", "namespace", "name", "title", "type", "lifecycle", "owner")]
    statement = select(*columns, entity_doc.c.doc).join(entity_doc, entity_doc.c.entity_id == entity.c.id)
    if not words:
        if term.strip():
            return [], 0
        total = reading.count(conn, where)
        statement = statement.where(where).order_by(entity.c.ref)
    else:
        found, rank, condition = _index(conn.dialect.name, words)
        total = int(conn.scalar(select(func.count()).select_from(entity).join(*found).where(condition, where)) or 0)
        statement = statement.join(*found).where(condition, where).order_by(rank, entity.c.ref)
    rows = conn.execute(statement.limit(limit).offset(offset or None))
    return [_hit(row) for row in rows], total


def _hit(row: Any) -> Hit:
    columns = row._mapping
    description = orjson.loads(columns["doc"])["metadata"].get("description", "")
    return Hit(**{name: value for name, value in columns.items() if name != "doc"}, description=description)


def _index(dialect: str, words: list[str]) -> tuple[tuple[Any, Any], ColumnElement[Any], ColumnElement[bool]]:
    if dialect == "sqlite":
        index = table("entity_fts", column("rowid"))
        condition = text("entity_fts MATCH :words").bindparams(words=" ".join(f'"{word}"*' for word in words))
        rank: ColumnElement[Any] = literal_column("bm25(entity_fts, 10.0, 8.0, 4.0, 1.0)")
        return (index, index.c.rowid == entity.c.id), rank, condition  # type: ignore[return-value]
    index = table("entity_fts", column("entity_id"), column("words"))
    query = func.to_tsquery("simple", " & ".join(f"{word}:*" for word in words))
    return (index, index.c.entity_id == entity.c.id), -func.ts_rank(index.c.words, query), index.c.words.op("@@")(query)
