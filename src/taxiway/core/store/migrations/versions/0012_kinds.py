"""Relations that declared kinds bring, and properties that they compute."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "relation_type",
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("inverse", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("type", name=op.f("pk_relation_type")),
        sqlite_with_rowid=False,
    )
    _entity_table(
        "entity_property",
        sa.Column("entity_id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("facets", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        key=("entity_id", "name"),
    )
    _entity_table(
        "property_input",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("entity_id", ROW_ID, autoincrement=False, nullable=False),
        key=("key", "entity_id"),
    )
    op.create_index("ix_property_input_entity_id", "property_input", ["entity_id"])
    _entity_table(
        "property_pending",
        sa.Column("entity_id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        key=("entity_id",),
        rowid=True,
    )


def _entity_table(name: str, *columns: sa.Column[Any], key: tuple[str, ...], rowid: bool = False) -> None:
    options = {} if rowid else {"sqlite_with_rowid": False}
    op.create_table(
        name,
        *columns,
        sa.ForeignKeyConstraint(
            ["entity_id"], ["entity.id"], name=op.f(f"fk_{name}_entity_id_entity"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{name}")),
        **options,
    )
