"""By which provider a session was opened, so that it can be ended there too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("session", sa.Column("provider", sa.Text(), nullable=True))
    op.add_column("session", sa.Column("id_token", sa.Text(), nullable=True))
