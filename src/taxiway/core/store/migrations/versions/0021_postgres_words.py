"""Words of entities on PostgreSQL lie apart from the rows that a search reads; SQLite's are as they were.

A search reads the row of everything that it finds, for its number and for whether it is still there. With 900 bytes of
words in it that is a page for every second one. PostgreSQL moves values out of a row only when it takes over 2 kB, so
each gets a filling that makes it that long; that one shrinks to 35 bytes, and the words go.
"""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

WORDS = (
    "ALTER TABLE entity_fts RENAME TO entity_fts_old",
    "ALTER TABLE entity_fts_old DROP CONSTRAINT entity_fts_pkey",
    "DROP INDEX ix_entity_fts_words",
    "CREATE TABLE entity_fts (LIKE entity_fts_old) WITH (toast_tuple_target = 128)",
    "ALTER TABLE entity_fts ALTER COLUMN words SET STORAGE EXTERNAL",
    "ALTER TABLE entity_fts ADD COLUMN filling text NOT NULL DEFAULT repeat(' ', 2000)",
    "INSERT INTO entity_fts (entity_id, words) SELECT entity_id, words FROM entity_fts_old ORDER BY entity_id",
    "ALTER TABLE entity_fts ADD CONSTRAINT entity_fts_pkey PRIMARY KEY (entity_id)",
    "ALTER TABLE entity_fts ADD CONSTRAINT entity_fts_entity_id_fkey"
    " FOREIGN KEY (entity_id) REFERENCES entity (id) ON DELETE CASCADE",
    "CREATE INDEX ix_entity_fts_words ON entity_fts USING gin (words) WITH (gin_pending_list_limit = 512)",
    "DROP TABLE entity_fts_old",
    # Else questions are planned for empty tables until PostgreSQL looks at them by itself.
    "ANALYZE entity_fts, entity_facet_list, facet, facet_key, relation, event",
)


def upgrade() -> None:
    """Make the table anew."""
    if op.get_bind().dialect.name == "postgresql":
        for statement in WORDS:
            op.execute(statement)
