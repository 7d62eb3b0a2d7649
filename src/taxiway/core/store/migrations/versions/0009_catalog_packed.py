"""A smaller catalog. Documents are packed, each with the ids of its facets beside it instead of an index over all of
them; the full-text index knows columns instead of places and has no index of prefixes; three orders are gone that the
index in memory has."""

from __future__ import annotations

import json
import re
import zlib
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BATCH = 1000
FULL_TEXT = (
    "CREATE VIRTUAL TABLE entity_fts USING fts5"
    "(name, title, tags, body, content='', tokenize='unicode61 remove_diacritics 2', detail=column)"
)


def upgrade() -> None:
    """Change the tables and fill them with what the old ones held."""
    conn = op.get_bind()
    for name in ("ix_entity_kind_ref", "ix_entity_owner_kind_ref", "ix_entity_system"):
        op.drop_index(name, "entity")
    op.create_index("ix_entity_owner", "entity", ["owner"])
    op.execute("CREATE TABLE entity_doc_old AS SELECT entity_id, doc FROM entity_doc")
    op.execute("CREATE INDEX ix_entity_doc_old ON entity_doc_old (entity_id)")
    op.drop_table("entity_doc")
    op.create_table(
        "entity_doc",
        sa.Column("entity_id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("doc", sa.LargeBinary(), nullable=False),
        sa.Column("facets", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["entity_id"], ["entity.id"], name=op.f("fk_entity_doc_entity_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("entity_id", name=op.f("pk_entity_doc")),
    )
    if conn.dialect.name == "sqlite":
        op.execute("DROP TABLE entity_fts")
        op.execute(FULL_TEXT)
    _fill(conn)
    op.execute("DROP TABLE entity_doc_old")
    _free_facets(conn)


def _free_facets(conn: Any) -> None:
    if conn.dialect.name == "postgresql":
        op.drop_index("ix_entity_facet_entity_id", "entity_facet")
        op.drop_constraint("fk_entity_facet_entity_id", "entity_facet")
        return
    op.execute("CREATE TABLE entity_facet_old AS SELECT facet_id, entity_id FROM entity_facet")
    op.drop_table("entity_facet")
    op.create_table(
        "entity_facet",
        sa.Column("facet_id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("entity_id", ROW_ID, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("facet_id", "entity_id", name=op.f("pk_entity_facet")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO entity_facet (facet_id, entity_id) "
        "SELECT facet_id, entity_id FROM entity_facet_old ORDER BY facet_id, entity_id"
    )
    op.execute("DROP TABLE entity_facet_old")


def _fill(conn: Any) -> None:
    query = sa.text("SELECT entity_id, doc FROM entity_doc_old WHERE entity_id > :last ORDER BY entity_id LIMIT :batch")
    pairs = sa.text("SELECT entity_id, facet_id FROM entity_facet WHERE entity_id BETWEEN :first AND :last")
    insert = sa.text("INSERT INTO entity_doc (entity_id, doc, facets) VALUES (:id, :doc, :facets)")
    last = -1
    while rows := conn.execute(query, {"last": last, "batch": BATCH}).all():
        facets: dict[int, list[int]] = {}
        for pair in conn.execute(pairs, {"first": rows[0][0], "last": rows[-1][0]}):
            facets.setdefault(pair[0], []).append(pair[1])
        last = rows[-1][0]
        packed = [(row[0], _packed(row[1]), array("I", sorted(facets.get(row[0], ()))).tobytes()) for row in rows]
        conn.execute(insert, [{"id": one[0], "doc": one[1], "facets": one[2]} for one in packed])
        if conn.dialect.name == "sqlite":
            _index(conn, [(row[0], *_words(json.loads(row[1]))) for row in rows])


def _packed(text: str) -> bytes:
    # Without a dictionary, whose number is the first byte.
    packer = zlib.compressobj(wbits=-15)
    return b"\0" + packer.compress(text.encode()) + packer.flush()


def _index(conn: Any, rows: Sequence[tuple[Any, ...]]) -> None:
    statement = "INSERT INTO entity_fts(rowid, name, title, tags, body) VALUES (?, ?, ?, ?, ?)"
    conn.exec_driver_sql(statement, list(rows))


def _words(document: Mapping[str, Any]) -> tuple[str, str, str, str]:
    # As the catalog makes them: an entry is removed by the words that it was made of.
    metadata, spec = document["metadata"], document.get("spec", {})
    profile = spec.get("profile") if isinstance(spec.get("profile"), Mapping) else {}
    labels = [f"{k} {v}" for part in ("labels", "annotations") for k, v in sorted((metadata.get(part) or {}).items())]
    links = [f"{link.get('title', '')} {link['url']}" for link in metadata.get("links", [])]
    body = [
        metadata.get("description", ""),
        *(str(profile.get(key, "")) for key in ("displayName", "email")),
        *(str(spec.get(key, "")) for key in ("type", "lifecycle", "owner", "system")),
        *labels,
        *links,
        spec.get("definition", "") if isinstance(spec.get("definition"), str) else "",
    ]
    texts = (
        metadata["name"],
        metadata.get("title") or str(profile.get("displayName", "")),
        " ".join(metadata.get("tags", [])),
        " ".join(part for part in body if part)[:20_000],
    )
    name, title, tags, joined = (re.sub(r"[\0\s]+", " ", text) for text in texts)
    return name, title, tags, joined
