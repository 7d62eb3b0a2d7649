"""Tables of the scaffolder: plans."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text

from taxiway.core.store.types import JsonText, Time, metadata

plan = Table(
    "scaffolder_plan",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("template_ref", Text, nullable=False),
    Column("template_etag", Text, nullable=False),
    Column("body", JsonText, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Time, nullable=False),
    Index("ix_scaffolder_plan_created_at", "created_at"),
)
