"""Tables of approvals: who was told of one, and the mail to them. They go with their run."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text

from taxiway.core.store.types import Time, metadata

notice = Table(
    "approval_notice",
    metadata,
    Column("id", Text, primary_key=True),
    Column("run_id", Text, ForeignKey("run.id", ondelete="CASCADE"), nullable=False),
    Column("wait", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", Time, nullable=False),
    Index("ux_approval_notice_run_wait", "run_id", "wait", "stage", "number", unique=True),
)
mail = Table(
    "approval_mail",
    metadata,
    Column("id", Text, primary_key=True),
    Column("notice_id", Text, ForeignKey("approval_notice.id", ondelete="CASCADE"), nullable=False),
    Column("recipient", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Time, nullable=False),
    Column("error", Text),
    Index("ix_approval_mail_state_next_at", "state", "next_at"),
    Index("ix_approval_mail_notice_id", "notice_id"),
)
