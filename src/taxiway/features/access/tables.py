"""Tables of access. Session ids, tokens and links are kept as SHA-256 only: whoever reads the store cannot sign in. The
id token of a provider opens nothing, it names a session there; it goes with the session here."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text, text

from taxiway.core.store.types import JsonText, Time, metadata

account = Table(
    "account",
    metadata,
    Column("username", Text, primary_key=True),
    Column("subject", Text, nullable=False, unique=True),
    Column("display_name", Text, nullable=False),
    Column("password_hash", Text),
    Column("created_at", Time, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
)

session = Table(
    "session",
    metadata,
    Column("id_hash", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("seen_at", Time, nullable=False),
    Column("provider", Text),
    Column("id_token", Text),
    Column("end_session_endpoint", Text),
    Index("ix_session_subject", "subject"),
    Index("ix_session_seen_at", "seen_at"),
)

api_token = Table(
    "api_token",
    metadata,
    Column("id", Text, primary_key=True),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("scopes", JsonText),
    Column("created_at", Time, nullable=False),
    Column("expires_at", Time, nullable=False),
    Column("revoked_at", Time),
    Index("ix_api_token_subject", "subject", "id"),
)

sign_in_link = Table(
    "sign_in_link",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("expires_at", Time, nullable=False),
)

sign_in_failure = Table(
    "sign_in_failure",
    metadata,
    Column("id", Text, primary_key=True),
    Column("address", Text, nullable=False),
    Column("at", Time, nullable=False),
    Index("ix_sign_in_failure_address_at", "address", "at"),
)

role_assignment = Table(
    "role_assignment",
    metadata,
    Column("member", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("created_at", Time, nullable=False),
)
