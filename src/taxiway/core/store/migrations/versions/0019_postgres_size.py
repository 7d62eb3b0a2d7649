"""A smaller store on PostgreSQL; SQLite's is as it was. An entity's facets are one array, words of columns are marked
instead of weighted, indexes hold equal keys once, and no index holds the first place of a row that is sealed later."""

from __future__ import annotations

from collections.abc import Iterator

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

FACETS = (
    "ALTER TABLE facet_key ALTER COLUMN id TYPE integer",
    "ALTER TABLE facet ALTER COLUMN id TYPE integer, ALTER COLUMN key_id TYPE integer",
    "CREATE TABLE entity_facet_list (entity_id integer CONSTRAINT pk_entity_facet_list PRIMARY KEY,"
    " facets integer[] NOT NULL)",
    "INSERT INTO entity_facet_list SELECT entity_id, array_agg(facet_id ORDER BY facet_id) FROM entity_facet"
    " GROUP BY entity_id",
    "DROP TABLE entity_facet",
    # What waits to be sorted into the index is read by each question, and its pages stay.
    "CREATE INDEX ix_entity_facet_list_facets ON entity_facet_list USING gin (facets)"
    " WITH (gin_pending_list_limit = 64)",
    "CREATE VIEW entity_facet AS SELECT unnest(facets) AS facet_id, entity_id FROM entity_facet_list",
)
INDEXES = (
    "ALTER TABLE relation DROP CONSTRAINT pk_relation",
    "DROP INDEX ix_relation_target_type_source_id",
    "CREATE INDEX ix_relation_source_id ON relation (source_id)",
    "CREATE INDEX ix_relation_target ON relation (target)",
    "DROP INDEX ix_event_type_seq",
    "DROP INDEX ix_event_subject_seq",
    "CREATE INDEX ix_event_type_seq ON event (type, seq) WHERE seq IS NOT NULL",
    "CREATE INDEX ix_event_subject_seq ON event (subject, seq) WHERE seq IS NOT NULL",
)


def upgrade() -> None:
    """Change the tables and fill them with what the old ones held."""
    if op.get_bind().dialect.name == "postgresql":
        for statement in (*FACETS, *_words("entity_fts", "entity_id", "entity", ""), *INDEXES):
            op.execute(statement)
        for statement in _words("search_fts", "document_id", "search_document", "title, text, "):
            op.execute(statement)


def _words(table: str, key: str, parent: str, texts: str) -> Iterator[str]:
    # Made anew: an update would leave the old rows' room in the table.
    marked = (
        f"SELECT {mark!r} || lexeme FROM unnest(words) AS word WHERE {weight!r} = ANY (weights)"  # noqa: S608
        for weight, mark in (("A", "="), ("B", "#"))
    )
    words = " UNION ".join(("SELECT lexeme FROM unnest(words)", *marked))
    yield f"ALTER TABLE {table} RENAME TO {table}_old"
    yield f"ALTER TABLE {table}_old DROP CONSTRAINT {table}_pkey"
    yield f"DROP INDEX ix_{table}_words"
    yield f"CREATE TABLE {table} (LIKE {table}_old)"
    yield f"INSERT INTO {table} SELECT {key}, {texts}array_to_tsvector(ARRAY({words})) FROM {table}_old"  # noqa: S608
    yield f"ALTER TABLE {table} ADD CONSTRAINT {table}_pkey PRIMARY KEY ({key})"
    yield (
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_{key}_fkey"
        f" FOREIGN KEY ({key}) REFERENCES {parent} (id) ON DELETE CASCADE"
    )
    yield f"CREATE INDEX ix_{table}_words ON {table} USING gin (words) WITH (gin_pending_list_limit = 512)"
    yield f"DROP TABLE {table}_old"
