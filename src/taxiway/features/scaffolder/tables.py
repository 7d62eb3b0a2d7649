"""Tables of the scaffolder: plans, the services that golden paths made, drafts, and forms that were opened."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text, text

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
service = Table(
    "scaffolder_service",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("repository", Text, nullable=False),
    Column("owner", Text),
    Column("template_ref", Text, nullable=False),
    Column("document", JsonText, nullable=False),
    Column("snapshot", Text, nullable=False),
    Column("answers", JsonText, nullable=False),
    Column("outputs", JsonText, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("upgraded_at", Time),
    Column("pending", JsonText),
    Column("declined", JsonText, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Index("ix_scaffolder_service_repository", "repository"),
    Index("ix_scaffolder_service_template_ref", "template_ref"),
)
draft = Table(
    "scaffolder_draft",
    metadata,
    Column("id", Text, primary_key=True),
    Column("template_ref", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("answers", JsonText, nullable=False),
    Column("reached", Integer, nullable=False),
    Column("holder", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("handed_by", Text),
    Column("note", Text, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Index("ix_scaffolder_draft_holder", "holder"),
    Index("ix_scaffolder_draft_updated_at", "updated_at"),
)
wizard = Table(
    "scaffolder_wizard",
    metadata,
    Column("id", Text, primary_key=True),
    Column("template_ref", Text, nullable=False),
    Column("reached", Integer, nullable=False),
    Column("outcome", Text),
    Column("updated_at", Time, nullable=False),
    Index("ix_scaffolder_wizard_updated_at", "updated_at"),
)
