"""The first revision: every table of the spine."""

from __future__ import annotations

from alembic import op

from taxiway.core.store.migrations.initial import account_to_location, pipeline_to_step

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

FULL_TEXT = {
    "sqlite": (
        "CREATE VIRTUAL TABLE entity_fts USING fts5"
        "(name, title, tags, body, content='', tokenize='unicode61 remove_diacritics 2', prefix='3')",
    ),
    "postgresql": (
        "CREATE TABLE entity_fts "
        "(entity_id bigint PRIMARY KEY REFERENCES entity(id) ON DELETE CASCADE, words tsvector NOT NULL)",
        "CREATE INDEX ix_entity_fts_words ON entity_fts USING gin (words)",
    ),
}


def upgrade() -> None:
    """Make the tables."""
    account_to_location.make()
    pipeline_to_step.make()
    for statement in FULL_TEXT[op.get_bind().dialect.name]:
        op.execute(statement)
