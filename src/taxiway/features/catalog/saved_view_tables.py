"""Tables of saved views: ways to look at the catalog that people keep under a name.

Rows, not entities of a kind of their own: a view is mostly one person's, and a catalog document is read by whoever may
read the catalog, comes from a source, is found by search and counted in facets. Hiding some documents from all of that
would be a second way to say who sees what. What a view *shows* is entities, judged for each reader anew.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, false, text

from taxiway.core.store.types import JsonText, Time, metadata

catalog_view = Table(
    "catalog_view",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("shared", Boolean, nullable=False, server_default=false()),
    Column("kind", Text),
    Column("filters", JsonText, nullable=False),
    Column("query", JsonText),
    Column("text", Text, nullable=False),
    Column("columns", JsonText, nullable=False),
    Column("sort", Text),
    Column("created_by", Text, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    UniqueConstraint("owner", "name", name="uq_catalog_view_owner_name"),
)
"""`owner` is a person or a group; `shared` says that everybody may see it. `sort` is written `path,asc`."""

catalog_view_default = Table(
    "catalog_view_default",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("view_id", Text, ForeignKey("catalog_view.id", ondelete="CASCADE"), nullable=False),
    Index("ix_catalog_view_default_view_id", "view_id"),
)
"""The view that the catalog opens with, by person."""
