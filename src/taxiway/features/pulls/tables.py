"""Tables of pulls: pull requests, their reviews, and checks of commits."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, text

from taxiway.core.store.types import JsonText, Time, metadata

pull = Table(
    "pull",
    metadata,
    Column("id", Text, primary_key=True),
    Column("repository", Text, nullable=False),
    Column("repository_uid", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("owner", Text),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("draft", Boolean, nullable=False),
    Column("base", Text, nullable=False),
    Column("head", Text, nullable=False),
    Column("base_sha", Text, nullable=False),
    Column("head_sha", Text, nullable=False),
    Column("merging", JsonText),
    Column("merge_sha", Text),
    Column("method", Text),
    Column("merged_by", Text),
    Column("created_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    Column("ended_at", Time),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Index("ux_pull_repository_uid_number", "repository_uid", "number", unique=True),
    Index("ix_pull_repository_state", "repository", "state"),
    Index("ix_pull_owner", "owner"),
)

pull_review = Table(
    "pull_review",
    metadata,
    Column("id", Text, primary_key=True),
    Column("pull_id", Text, ForeignKey("pull.id", ondelete="CASCADE"), nullable=False),
    Column("author", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("commit", Text, nullable=False),
    Column("path", Text),
    Column("line", Integer),
    Column("counts", Boolean, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("dismissed_at", Time),
    Column("dismissed_by", Text),
    Column("dismissed_reason", Text),
    Index("ix_pull_review_pull_id", "pull_id", "id"),
)

commit_check = Table(
    "commit_check",
    metadata,
    Column("repository_uid", Text, primary_key=True),
    Column("commit", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("run_id", Text),
    Column("url", Text),
    Column("updated_at", Time, nullable=False),
)
