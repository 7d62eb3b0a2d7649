"""Documents that are no entities, for search: what contributed sources say, and in which state of theirs.

Title and text are in the full-text table alone, `search_fts`: FTS5 with its content on SQLite, a tsvector beside the
texts on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import DDL, Column, Index, Table, Text, event

from taxiway.core.store.types import JsonText, metadata
from taxiway.features.catalog.tables import RowId

search_document = Table(
    "search_document",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("type", Text, nullable=False),
    Column("collection", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("owner", Text),
    Column("entity_ref", Text),
    Column("fields", JsonText, nullable=False),
    Index("ix_search_document_type_collection", "type", "collection"),
)

search_collection = Table(
    "search_collection",
    metadata,
    Column("type", Text, primary_key=True),
    Column("collection", Text, primary_key=True),
    Column("state", Text, nullable=False),
    sqlite_with_rowid=False,
)

FULL_TEXT: Mapping[str, Sequence[str]] = {
    "sqlite": (
        "CREATE VIRTUAL TABLE IF NOT EXISTS search_fts USING fts5"
        "(title, text, tokenize='unicode61 remove_diacritics 2', prefix='3', detail=column)",
    ),
    "postgresql": (
        "CREATE TABLE IF NOT EXISTS search_fts "
        "(document_id bigint PRIMARY KEY REFERENCES search_document(id) ON DELETE CASCADE,"
        " title text NOT NULL, text text NOT NULL, words tsvector NOT NULL)",
        "CREATE INDEX IF NOT EXISTS ix_search_fts_words ON search_fts USING gin (words)",
    ),
}


def _ddl(statement: str) -> Any:
    make: Any = DDL  # its constructor has no types
    return make(statement)


for _dialect, _statements in FULL_TEXT.items():
    for _statement in _statements:
        event.listen(search_document, "after_create", _ddl(_statement).execute_if(dialect=_dialect))
