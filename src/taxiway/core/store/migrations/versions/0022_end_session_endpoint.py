"""Where a session at a provider is ended, so that nobody waits for the provider when they sign out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. Sessions that were opened before end here alone."""
    op.add_column("session", sa.Column("end_session_endpoint", sa.Text(), nullable=True))
