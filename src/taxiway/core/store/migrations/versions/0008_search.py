"""Search over everything: words of names, and documents that are no entities."""

from __future__ import annotations

import re
from collections import Counter

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

FULL_TEXT = {
    "sqlite": (
        "CREATE VIRTUAL TABLE search_fts USING fts5"
        "(title, text, tokenize='unicode61 remove_diacritics 2', prefix='3', detail=column)",
    ),
    "postgresql": (
        "CREATE TABLE search_fts (document_id bigint PRIMARY KEY REFERENCES search_document(id) ON DELETE CASCADE,"
        " title text NOT NULL, text text NOT NULL, words tsvector NOT NULL)",
        "CREATE INDEX ix_search_fts_words ON search_fts USING gin (words)",
        # Names were cut at '-' only: their other parts become words too.
        "UPDATE entity_fts SET words = words || setweight(to_tsvector('simple',"
        " regexp_replace(lower(entity.name), '[-._]', ' ', 'g')), 'A') FROM entity WHERE entity.id = entity_id",
    ),
}


def upgrade() -> None:
    """Make the tables, and count the words of the names that are there."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    id_ = sa.Integer() if sqlite else sa.BigInteger()
    op.create_table(
        "catalog_word",
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_catalog_word")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "search_document",
        sa.Column("id", id_, autoincrement=True, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("entity_ref", sa.Text(), nullable=True),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_document")),
    )
    op.create_index("ix_search_document_type_collection", "search_document", ["type", "collection"])
    op.create_table(
        "search_collection",
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("type", "collection", name=op.f("pk_search_collection")),
        sqlite_with_rowid=False,
    )
    for statement in FULL_TEXT[op.get_bind().dialect.name]:
        op.execute(statement)
    _count_words()


def _count_words() -> None:
    entity = sa.table("entity", sa.column("name"))
    counts: Counter[str] = Counter()
    for name in op.get_bind().execute(sa.select(sa.func.lower(entity.c.name))).scalars():
        parts = {one for one in re.findall(r"[^\W_]+", name) if len(one) >= 5 and not one.isdigit()}
        counts.update(parts | {name} if len(name) >= 5 else parts)
    words = sa.table("catalog_word", sa.column("word"), sa.column("uses"))
    rows = [{"word": word, "uses": uses} for word, uses in sorted(counts.items())]
    if rows:
        op.bulk_insert(words, rows)
