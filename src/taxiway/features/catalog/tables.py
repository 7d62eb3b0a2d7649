"""Tables of the catalog, shaped for 250,000 entities.

Joins use the small integer `entity.id`; everything outside knows an entity by `uid` (UUIDv7, new for a re-created name)
or `ref`. Documents lie apart from the narrow rows, so that counting and sorting never touch them. Facets are
dictionary-coded. A relation is stored once, by the entity that states it; its reverse is read through the index on
the target. The full-text index, FTS5 without content on SQLite and a tsvector on PostgreSQL, is made by the migrations.
What `info` says is of one dialect alone is not there on the other.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from taxiway.core.store.types import Time, metadata
from taxiway.features.catalog.packed_text import PackedText

RowId = BigInteger().with_variant(Integer(), "sqlite")

entity = Table(
    "entity",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("uid", Text, nullable=False, unique=True),
    Column("ref", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("namespace", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("type", Text),
    Column("lifecycle", Text),
    Column("owner", Text),
    Column("system", Text),
    Column("title", Text),
    Column("etag", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("updated_at", Time, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Index("ix_entity_kind_type_ref", "kind", "type", "ref"),
    Index("ix_entity_owner", "owner"),
    Index("ix_entity_source_id", "source_id"),
)

entity_doc = Table(
    "entity_doc",
    metadata,
    Column("entity_id", RowId, ForeignKey("entity.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("doc", PackedText, nullable=False),
    Column("facets", LargeBinary, nullable=False),
)
"""`doc` is packed, see `packing`; `facets` are the ids of the entity's facets, see `repository/facets`."""

facet_key = Table(
    "facet_key",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False, unique=True),
)
"""Paths in lower case."""

facet = Table(
    "facet",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key_id", Integer, nullable=False),
    Column("digest", BigInteger, nullable=False),
    Column("value", Text, nullable=False),
    Column("folded", Text),
    Column("opaque", Boolean, nullable=False, server_default=false()),
    Index("ix_facet_key_id_digest", "key_id", "digest"),
)
"""`value` is as written; `folded` its lower case where that differs, `digest` 48 bits of the lower case. An opaque row
says that there is a value that cannot be compared: null, or longer than 200 characters. See `repository/facets`."""

entity_facet = Table(
    "entity_facet",
    metadata,
    Column("facet_id", Integer, primary_key=True, autoincrement=False),
    Column("entity_id", Integer, primary_key=True, autoincrement=False),
    info={"dialect": "sqlite"},
    sqlite_with_rowid=False,
)
"""From a facet to its entities. The other way goes through `entity_doc.facets`: no index, and no foreign key either,
which could not do without one. On PostgreSQL it is a view: see `repository/pairs`."""

relation = Table(
    "relation",
    metadata,
    Column("source_id", RowId, ForeignKey("entity.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("type", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Index("ix_relation_target_type_source_id", "target", "type", "source_id", info={"dialect": "sqlite"}),
    Index("ix_relation_source_id", "source_id", info={"dialect": "postgresql"}),
    Index("ix_relation_target", "target", info={"dialect": "postgresql"}),
    sqlite_with_rowid=False,
)
"""PostgreSQL keeps equal keys of an index once, and has two such indexes instead of the primary key and the other one,
which would hold every row again: together they are a sixth as large."""

relation_type = Table(
    "relation_type",
    metadata,
    Column("type", Text, primary_key=True),
    Column("inverse", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""Relations that declared kinds brought, both ends. Backstage's own are in the code."""

entity_property = Table(
    "entity_property",
    metadata,
    Column("entity_id", RowId, ForeignKey("entity.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("value", Text),
    Column("error", Text),
    Column("inputs", Text, nullable=False),
    Column("facets", Text, nullable=False),
    Column("at", Time, nullable=False),
    sqlite_with_rowid=False,
)
"""Properties that a kind computes, one row each: `value` as JSON or why there is none, what was read for it, and the
facets by which it is found."""

property_input = Table(
    "property_input",
    metadata,
    Column("key", Text, primary_key=True),
    Column("entity_id", RowId, ForeignKey("entity.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Index("ix_property_input_entity_id", "entity_id"),
    sqlite_with_rowid=False,
)
"""Whose properties must be computed anew when something changes. A key is a reference (its document or properties), or
`<reference>|<relation type>` (which entities it is related to)."""

property_pending = Table(
    "property_pending",
    metadata,
    Column("entity_id", RowId, ForeignKey("entity.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("depth", Integer, nullable=False),
)
"""Entities whose properties are out of date; `depth` is how many computed values lie between them and the change."""

location = Table(
    "location",
    metadata,
    Column("id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("repository", Text),
    Column("owner", Text),
    Column("registered_by", Text, nullable=False),
    Column("trusted", Boolean, nullable=False, server_default=false()),
    Column("state", Text),
    Column("created_at", Time, nullable=False),
    Column("refreshed_at", Time),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("entity_ref", Text),
    UniqueConstraint("type", "target", name="uq_location_type_target"),
    Index("ix_location_repository", "repository"),
)
"""`trusted` locations may bring people, teams, templates and the platform's own kinds: the platform team said so.
`state` is the commit at which a repository was last read; empty for folders. `entity_ref` is set when the target was
changed: the Location entity keeps the name that it had."""

catalog_problem = Table(
    "catalog_problem",
    metadata,
    Column("id", Text, primary_key=True),
    Column("source_id", Text, nullable=False),
    Column("ref", Text),
    Column("location", Text, nullable=False),
    Column("line", Integer),
    Column("detail", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("at", Time, nullable=False),
    Column("code", Text, nullable=False, server_default=text("'invalid'")),
    Column("other_source_id", Text),
    Column("document", Text),
    Column("part", Text),
    Index("ix_catalog_problem_source_id", "source_id"),
    Index("ix_catalog_problem_ref", "ref"),
)
"""`code` is one of `model.PROBLEM_CODES`; `other_source_id` is who keeps a reference that two sources claim; `document`
is what was refused, as JSON text, where it could be parsed and is not too large; `part` the part of a configured
source that it was found in."""

entity_version = Table(
    "entity_version",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("ref", Text, nullable=False),
    Column("uid", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("owner", Text),
    Column("source_id", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("started_at", Time, nullable=False),
    Column("ended_at", Time, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("relations", Text, nullable=False),
    Column("doc", LargeBinary, nullable=False),
    Index("ix_entity_version_ref_id", "ref", "id"),
    Index("ix_entity_version_ended_at", "ended_at"),
)
"""Superseded versions only; the current one is in `entity`. `doc` is packed against the version that replaced it, see
`history_packing`. `deleted` says that nothing replaced it. `relations` are those that it stated, as JSON."""

catalog_change = Table(
    "catalog_change",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("at", Time, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("state", Text),
    Index("ix_catalog_change_source_id_at", "source_id", "at"),
    Index("ix_catalog_change_at", "at"),
)
"""Who changed entities of a source, one row a transaction. A version knows its change by its source and time."""

catalog_file = Table(
    "catalog_file",
    metadata,
    Column("source_id", Text, primary_key=True),
    Column("location", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""Files of large sources that were read without a fault, and what was in them: see `sources/memory`."""

catalog_source = Table(
    "catalog_source",
    metadata,
    Column("id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("settings", Text, nullable=False),
    Column("cursor", Text),
    Column("state", Text, nullable=False),
    Column("detail", Text),
    Column("counts", Text, nullable=False),
    Column("run_id", Text),
    Column("started_at", Time),
    Column("ended_at", Time),
    Column("complete_at", Time),
)
"""Configured sources as they were read last, by `source:<name>`. `settings` is a digest: with others it is read anew.
`state` is one of `model.SOURCE_STATES`; `counts` and `cursor` are JSON."""

catalog_source_part = Table(
    "catalog_source_part",
    metadata,
    Column("source_id", Text, primary_key=True),
    Column("part", Text, primary_key=True),
    Column("state", Text),
    Column("refs", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""What each part of a configured source described when it was read last: references, one a line. `state` is the
plugin's own, kept only of parts without a problem."""

catalog_orphan = Table(
    "catalog_orphan",
    metadata,
    Column("ref", Text, primary_key=True),
    Column("source_id", Text, nullable=False),
    Column("since_at", Time, nullable=False),
    Index("ix_catalog_orphan_source_id", "source_id"),
)
"""Entities that their source does not name any more, until they go."""

catalog_held = Table(
    "catalog_held",
    metadata,
    Column("source_id", Text, primary_key=True),
    Column("ref", Text, primary_key=True),
    Column("since_at", Time, nullable=False),
)
"""Removals that are too many at once: they wait until somebody has looked at them."""

entity_layer = Table(
    "entity_layer",
    metadata,
    Column("ref", Text, primary_key=True),
    Column("source_id", Text, primary_key=True),
    Column("doc", PackedText, nullable=False),
    Column("hash", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("precedence", Integer, nullable=False),
    Column("lists", Text, nullable=False),
    Column("refused", Text),
    Column("at", Time, nullable=False),
    Index("ix_entity_layer_source_id", "source_id"),
)
"""What overlays say of references, whether they are entities or not, and beside it, with the source `model.OWN`, the
document of the entity's own source before they were laid over it. An entity without overlays has no rows here.
`refused` says why a layer is left out; `at` is when it was delivered as it is."""

index_change = Table(
    "index_change",
    metadata,
    Column("seq", RowId, primary_key=True, autoincrement=True),
    Column("entity_id", RowId, nullable=False),
    Column("op", Integer, nullable=False),
    Column("ref", Text, nullable=False),
    Column("added", LargeBinary),
    Column("removed", LargeBinary),
    sqlite_autoincrement=True,
)
"""What every process's index in memory follows, newest rows only: see `repository/index/feed`. `added` and `removed`
are ids of facets, packed as 64-bit integers. A `seq` is never given twice."""

shipped = Table(
    "catalog_shipped",
    metadata,
    Column("source_id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
)
"""Which state of the data that ships with Taxiway the catalog holds."""

catalog_word = Table(
    "catalog_word",
    metadata,
    Column("word", Text, primary_key=True),
    Column("uses", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""Names and the words in them, in lower case, and how many names have each: see `repository/names`."""

catalog_repository = Table(
    "catalog_repository",
    metadata,
    Column("source", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("owner", Text),
    Column("url", Text, nullable=False),
    Column("proposal", Text, nullable=False),
    Column("pull", Text),
    Column("looked_at", Time, nullable=False),
    sqlite_with_rowid=False,
)
"""Repositories that were looked at for a descriptor. `state` is what they were at then; `status` is has, missing or
proposed; `proposal` is JSON: text, what was guessed and why. `owner` is the repository's, by whom it is seen."""
