"""A key's row commits with the operation: who claimed it, and what the operation is about.

Rows without an answer are of requests that were being worked on, under the old rules: they go.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, and an index for the sweep of old rows."""
    op.execute("DELETE FROM idempotency WHERE status IS NULL")
    op.add_column("idempotency", sa.Column("claimer", sa.Text(), server_default="", nullable=False))
    op.add_column("idempotency", sa.Column("subject", sa.Text(), nullable=True))
    op.create_index("ix_idempotency_created_at", "idempotency", ["created_at"], unique=False)
