"""The tenth revision: configured sources of the catalog, what they hold, what left them, and what waits for review."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the column."""
    op.create_table(
        "catalog_source",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("complete_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_source")),
    )
    op.create_table(
        "catalog_source_part",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("refs", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "part", name=op.f("pk_catalog_source_part")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "catalog_orphan",
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("since_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_catalog_orphan")),
    )
    op.create_index("ix_catalog_orphan_source_id", "catalog_orphan", ["source_id"], unique=False)
    op.create_table(
        "catalog_held",
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("since_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "ref", name=op.f("pk_catalog_held")),
    )
    op.add_column("catalog_problem", sa.Column("part", sa.Text(), nullable=True))
