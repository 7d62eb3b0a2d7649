"""Tables of delivery: pipelines."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text, text

from taxiway.core.store.types import JsonText, Time, metadata

pipeline = Table(
    "pipeline",
    metadata,
    Column("id", Text, primary_key=True),
    Column("repository", Text, nullable=False),
    Column("repository_uid", Text, nullable=False),
    Column("commit", Text, nullable=False),
    Column("branch", Text, nullable=False),
    Column("workflow", Text, nullable=False),
    Column("owner", Text),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("jobs", JsonText, nullable=False),
    Column("digest", Text),
    Column("release_id", Text),
    Column("created_at", Time, nullable=False),
    Column("started_at", Time),
    Column("ended_at", Time),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Index("ix_pipeline_repository_commit", "repository", "commit"),
    Index("ix_pipeline_owner", "owner"),
)
