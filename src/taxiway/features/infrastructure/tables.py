"""Tables of infrastructure: resources, and which services use each."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, text

from taxiway.core.store.types import JsonText, Time, metadata

resource = Table(
    "resource",
    metadata,
    Column("uid", Text, primary_key=True),
    # Null once deleted, so that the same need gets a new resource and inherits nothing.
    Column("live_key", Text, unique=True),
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("class", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("service_ref", Text, nullable=False),
    Column("service_uid", Text, nullable=False),
    Column("owner", Text),
    Column("recipe", Text, nullable=False),
    Column("driver", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("error", Text),
    Column("request", JsonText, nullable=False),
    Column("outputs", JsonText, nullable=False),
    Column("secrets", JsonText, nullable=False),
    Column("inventory", JsonText, nullable=False),
    Column("created_by_run", Text),
    Column("created_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Index("ix_resource_environment_service_ref", "environment", "service_ref"),
    Index("ix_resource_service_ref", "service_ref"),
    Index("ix_resource_created_by_run", "created_by_run"),
)

resource_use = Table(
    "resource_use",
    metadata,
    Column("resource_uid", Text, ForeignKey("resource.uid", ondelete="CASCADE"), primary_key=True),
    Column("service_ref", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Index("ix_resource_use_service_ref", "service_ref"),
)
