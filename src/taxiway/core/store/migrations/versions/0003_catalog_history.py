"""The third revision: versions of entities, and what problems and locations tell in addition."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables and columns."""
    op.create_table(
        "entity_version",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("relations", sa.Text(), nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entity_version")),
    )
    op.create_index("ix_entity_version_ref_id", "entity_version", ["ref", "id"], unique=False)
    op.create_index("ix_entity_version_ended_at", "entity_version", ["ended_at"], unique=False)
    op.create_table(
        "catalog_change",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_change")),
    )
    op.create_index("ix_catalog_change_source_id_at", "catalog_change", ["source_id", "at"], unique=False)
    op.create_index("ix_catalog_change_at", "catalog_change", ["at"], unique=False)
    op.add_column("location", sa.Column("entity_ref", sa.Text(), nullable=True))
    op.add_column("catalog_problem", sa.Column("code", sa.Text(), server_default=sa.text("'invalid'"), nullable=False))
    op.add_column("catalog_problem", sa.Column("other_source_id", sa.Text(), nullable=True))
    op.add_column("catalog_problem", sa.Column("document", sa.Text(), nullable=True))
