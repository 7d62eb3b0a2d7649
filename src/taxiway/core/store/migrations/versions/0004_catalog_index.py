"""The fourth revision: the feed that the catalog's indexes follow, and a narrower dictionary of facets."""

from __future__ import annotations

import hashlib
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BATCH = 5000


def upgrade() -> None:
    """Make the tables anew and fill them with what the old ones held."""
    op.create_table(
        "index_change",
        sa.Column("seq", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("entity_id", ROW_ID, nullable=False),
        sa.Column("op", sa.Integer(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("added", sa.LargeBinary(), nullable=True),
        sa.Column("removed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_index_change")),
        sqlite_autoincrement=True,
    )
    op.execute("CREATE TABLE facet_old AS SELECT id, key, value, folded, opaque FROM facet")
    op.execute("CREATE TABLE entity_facet_old AS SELECT facet_id, entity_id FROM entity_facet")
    op.drop_table("entity_facet")
    op.drop_table("facet")
    _create()
    op.execute(
        "INSERT INTO facet_key (id, key) "
        "SELECT row_number() OVER (ORDER BY key), key FROM (SELECT DISTINCT key FROM facet_old) AS keys"
    )
    _fill(op.get_bind())
    op.execute("INSERT INTO entity_facet (facet_id, entity_id) SELECT facet_id, entity_id FROM entity_facet_old")
    op.execute("DROP TABLE entity_facet_old")
    op.execute("DROP TABLE facet_old")


def _create() -> None:
    op.create_table(
        "facet_key",
        sa.Column("id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facet_key")),
        sa.UniqueConstraint("key", name=op.f("uq_facet_key_key")),
    )
    op.create_table(
        "facet",
        sa.Column("id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("key_id", ROW_ID, nullable=False),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=True),
        sa.Column("opaque", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facet")),
    )
    op.create_index("ix_facet_key_id_digest", "facet", ["key_id", "digest"], unique=False)
    op.create_table(
        "entity_facet",
        sa.Column("facet_id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("entity_id", ROW_ID, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["entity_id"], ["entity.id"], name=op.f("fk_entity_facet_entity_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("facet_id", "entity_id", name=op.f("pk_entity_facet")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_entity_facet_entity_id", "entity_facet", ["entity_id"], unique=False)


def _fill(conn: Any) -> None:
    last = 0
    query = sa.text(
        "SELECT o.id, k.id, o.value, o.folded, o.opaque FROM facet_old o JOIN facet_key k ON k.key = o.key "
        "WHERE o.id > :last ORDER BY o.id LIMIT :batch"
    )
    insert = sa.text("INSERT INTO facet (id, key_id, digest, value, folded, opaque) VALUES (:i, :k, :d, :v, :f, :o)")
    while rows := conn.execute(query, {"last": last, "batch": BATCH}).all():
        conn.execute(insert, [_row(row) for row in rows])
        last = rows[-1][0]


def _row(row: Any) -> dict[str, Any]:
    number, key_id, value, folded, opaque = row
    digest = int.from_bytes(hashlib.blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=6).digest(), "big")
    lower = None if folded == value else folded
    return {"i": number, "k": key_id, "d": digest, "v": value, "f": lower, "o": bool(opaque)}
