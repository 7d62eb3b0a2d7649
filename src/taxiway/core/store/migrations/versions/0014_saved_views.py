"""Views of the catalog that people keep, and the one that each person's catalog opens with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "catalog_view",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("filters", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.Column("sort", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_view")),
        sa.UniqueConstraint("owner", "name", name="uq_catalog_view_owner_name"),
    )
    op.create_table(
        "catalog_view_default",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("view_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["view_id"], ["catalog_view.id"], name=op.f("fk_catalog_view_default_view_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_catalog_view_default")),
    )
    op.create_index("ix_catalog_view_default_view_id", "catalog_view_default", ["view_id"])
