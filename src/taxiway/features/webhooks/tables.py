"""Tables of webhooks. `secret` is a reference into the secret store; `cursor` is the place of the last event that is
done with."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text

from taxiway.core.store.types import JsonText, Time, metadata

webhook = Table(
    "webhook",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("types", JsonText, nullable=False),
    Column("filters", JsonText, nullable=False),
    Column("secret", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("reason", Text),
    Column("cursor", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Time),
    Column("failing_since", Time),
    Column("created_by", Text, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    UniqueConstraint("name", name="uq_webhook_name"),
)

webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    Column("id", Text, primary_key=True),
    Column("webhook_id", Text, ForeignKey("webhook.id", ondelete="CASCADE"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("status", Integer),
    Column("error", Text),
    Column("resend", Boolean, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("attempted_at", Time, nullable=False),
    UniqueConstraint("webhook_id", "seq", name="uq_webhook_delivery_webhook_id_seq"),
    Index("ix_webhook_delivery_attempted_at", "attempted_at"),
)
