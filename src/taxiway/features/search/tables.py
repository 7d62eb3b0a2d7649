"""Documents that are no entities, for search: what contributed sources say, and in which state of theirs.

Title and text are in the full-text table alone, `search_fts`: FTS5 with its content on SQLite, a tsvector beside the
texts on PostgreSQL. The migrations make it.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text

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
