"""Tables of environments: releases, deployments, how services stand, and what was applied where."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, text

from taxiway.core.store.types import JsonText, Time, metadata

release = Table(
    "release",
    metadata,
    Column("id", Text, primary_key=True),
    Column("service_ref", Text, nullable=False),
    Column("service_uid", Text, nullable=False),
    Column("owner", Text),
    Column("repository", Text, nullable=False),
    Column("commit", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("score_hash", Text, nullable=False),
    Column("score", Text, nullable=False),
    Column("pipeline_id", Text),
    Column("created_at", Time, nullable=False),
    Index("ix_release_service_ref", "service_ref", "created_at"),
)

deployment = Table(
    "deployment",
    metadata,
    Column("id", Text, primary_key=True),
    Column("run_id", Text, nullable=False, unique=True),
    Column("service_ref", Text, nullable=False),
    Column("service_uid", Text, nullable=False),
    Column("service_key", Text, nullable=False),
    Column("owner", Text),
    Column("environment", Text, nullable=False),
    Column("release_id", Text, nullable=False),
    Column("previous_release_id", Text),
    Column("previous_id", Text),
    Column("action", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("health", Text, nullable=False),
    Column("url", Text),
    Column("revision", Text),
    Column("created_at", Time, nullable=False),
    Column("deployed_at", Time),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Index("ix_deployment_environment_service_ref", "environment", "service_ref"),
    Index("ix_deployment_service_ref", "service_ref"),
    Index("ix_deployment_owner", "owner"),
)

service_status = Table(
    "service_status",
    metadata,
    Column("environment", Text, primary_key=True),
    Column("service_key", Text, primary_key=True),
    Column("service_ref", Text),
    Column("deployment_id", Text),
    Column("revision", Text),
    Column("content", Text),
    Column("sync", Text, nullable=False),
    Column("health", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("objects", JsonText, nullable=False),
    Column("url", Text),
    Column("updated_at", Time, nullable=False),
    Index("ix_service_status_service_ref", "service_ref"),
)

applied_object = Table(
    "applied_object",
    metadata,
    Column("environment", Text, primary_key=True),
    Column("service_key", Text, primary_key=True),
    Column("api_version", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("namespace", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("target", JsonText, nullable=False),
)
