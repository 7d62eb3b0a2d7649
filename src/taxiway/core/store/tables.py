"""The tables of the engine room. Features keep theirs in `features/<name>/tables.py`, on the same metadata."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from taxiway.core.store.types import JsonText, Time, metadata

run = Table(
    "run",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("segment", Integer, nullable=False, server_default=text("1")),
    Column("input", JsonText, nullable=False),
    Column("definition", JsonText, nullable=False),
    Column("subject", Text),
    Column("owner", Text),
    Column("parent_id", Text),
    Column("request_key", Text),
    Column("plan", JsonText),
    Column("output", JsonText),
    Column("error", Text),
    Column("intent", Text),
    Column("waiting_for", Text),
    Column("wake_at", Time),
    Column("executor", Text),
    Column("fence", BigInteger, nullable=False, server_default=text("0")),
    Column("principal", JsonText, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("started_at", Time),
    Column("ended_at", Time),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Index("ix_run_state_wake_at", "state", "wake_at"),
    Index("ix_run_waiting_for", "waiting_for"),
    Index("ix_run_subject", "subject", "id"),
    Index("ix_run_owner", "owner", "id"),
    Index("ux_run_kind_request_key", "kind", "request_key", unique=True),
)

run_step = Table(
    "run_step",
    metadata,
    Column("run_id", Text, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("index", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("recovery", Text, nullable=False),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("definition", JsonText, nullable=False),
    Column("output", JsonText),
    Column("error", Text),
    Column("created", JsonText, nullable=False),
    Column("checkpoints", JsonText, nullable=False),
    Column("started_at", Time),
    Column("ended_at", Time),
)

run_log = Table(
    "run_log",
    metadata,
    Column("run_id", Text, ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("step_id", Text, nullable=False),
    Column("at", Time, nullable=False),
    Column("stream", Text, nullable=False),
    Column("text", Text, nullable=False),
)

approval = Table(
    "approval",
    metadata,
    Column("id", Text, primary_key=True),
    Column("run_id", Text, ForeignKey("run.id", ondelete="CASCADE"), nullable=False),
    Column("step_id", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Time, nullable=False),
    Index("ux_approval_run_step", "run_id", "step_id", unique=True),
)

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("until_at", Time, nullable=False),
    Column("host", Text, nullable=False),
    Column("monotonic_until", BigInteger),
)

event = Table(
    "event",
    metadata,
    Column("id", Text, primary_key=True),
    Column("seq", BigInteger, unique=True),
    Column("hash", Text),
    Column("type", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("subject_uid", Text),
    Column("at", Time, nullable=False),
    Column("data", JsonText, nullable=False),
    Column("personal_digest", Text),
    Column("actor", Text, nullable=False),
    Column("on_behalf_of", Text),
    Column("via", Text, nullable=False),
    Column("token_id", Text),
    Column("owner", Text),
    # Not of unsealed events: sealing rewrites a row there, which would leave its first place in them too.
    Index("ix_event_type_seq", "type", "seq", postgresql_where=text("seq IS NOT NULL")),
    Index("ix_event_subject_seq", "subject", "seq", postgresql_where=text("seq IS NOT NULL")),
)

event_personal = Table(
    "event_personal",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("data", JsonText, nullable=False),
)

event_cursor = Table(
    "event_cursor",
    metadata,
    Column("subscriber", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("error", Text),
)

plugin_record = Table(
    "plugin_record",
    metadata,
    Column("plugin", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", JsonText, nullable=False),
    Column("version", Integer, nullable=False),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("principal", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_digest", Text, nullable=False),
    Column("claimer", Text, nullable=False, server_default=""),
    Column("subject", Text),
    Column("status", Integer),
    Column("headers", JsonText),
    Column("body", Text),
    Column("created_at", Time, nullable=False),
    Index("ix_idempotency_created_at", "created_at"),
)

schedule = Table(
    "schedule",
    metadata,
    Column("name", Text, primary_key=True),
    Column("every_seconds", Integer, nullable=False),
    Column("next_at", Time, nullable=False),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
)
