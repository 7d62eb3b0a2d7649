"""How a catalog is stored: after the revision that packed its documents, and as arrays on PostgreSQL."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

import orjson
import pytest
from sqlalchemy import create_engine, not_, select, text

from taxiway.core.store import migrate as migrations
from taxiway.core.store.migrate import REVISIONS, migrate
from taxiway.features.catalog import packing
from taxiway.features.catalog.packing import pack, unpack
from taxiway.features.catalog.repository import facets, fts, pairs, parts
from taxiway.features.catalog.repository.filters import Sql
from taxiway.features.catalog.tables import entity, entity_doc, entity_facet

DOCUMENT = {
    "apiVersion": "backstage.io/v1alpha1",
    "kind": "Component",
    "metadata": {"name": "pay", "tags": ["ändern"], "labels": {"a": "b"}, "links": [{"url": "https://x.example"}]},
    "spec": {"type": "service", "lifecycle": "production", "owner": "shop"},
}
ENTITY = """
    INSERT INTO entity (uid, ref, kind, namespace, name, etag, hash, source_id, location, line, updated_at)
    VALUES ('u', 'component:default/pay', 'component', 'default', 'pay', 'e', 'h', 's', 'file:/x', 1, 1)
"""


@pytest.mark.parametrize("document", ["", "{}", '{"größe":"' + "ä" * 100_000 + '"}'])
def test_a_packed_document_is_what_it_was(document: str) -> None:
    assert unpack(pack(document.encode())) == document
    for number, dictionary in enumerate((b"", packing._FIRST)):
        options = (4, zlib.DEFLATED, packing.RAW, zlib.DEF_MEM_LEVEL, zlib.Z_DEFAULT_STRATEGY)
        earlier = zlib.compressobj(*options, *([dictionary] if dictionary else []))
        assert unpack(bytes((number,)) + earlier.compress(document.encode()) + earlier.flush()) == document


def test_the_dictionary_that_stored_documents_need_stays_as_it_is() -> None:
    assert hashlib.sha256(packing._FIRST).hexdigest() == (
        "a7f8d039ba7a63fe9ea60c909cee8f398dabfb1f859a714125342fae020b7dda"
    ), "a better dictionary gets a new number"


def test_documents_facets_and_words_survive_the_packing(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = create_engine(empty_database_url.replace("postgresql://", "postgresql+psycopg://"))
    with monkeypatch.context() as older, engine.begin() as conn:
        older.setattr(migrations, "REVISIONS", REVISIONS[: REVISIONS.index("0009_catalog_packed")])
        migrations.run_revisions(conn)
        migrations._stamp(conn, "0008")
        conn.execute(text(ENTITY))
        one = conn.execute(text("SELECT id FROM entity")).scalar_one()
        conn.execute(
            text("INSERT INTO entity_doc VALUES (:id, :doc)"), {"id": one, "doc": orjson.dumps(DOCUMENT).decode()}
        )
        for facet in (7, 3, 70_000):
            conn.execute(text("INSERT INTO entity_facet VALUES (:facet, :id)"), {"facet": facet, "id": one})
        if conn.dialect.name == "sqlite":
            parts._insert_words(conn, [(one, parts.words(DOCUMENT))])
        else:
            conn.execute(text("INSERT INTO entity_fts VALUES (:id, 'pay:1A andern:2B,9D a:3D')"), {"id": one})
    migrate(empty_database_url, tmp_path)
    with engine.begin() as conn:
        row = conn.execute(select(entity_doc)).one()
        assert orjson.loads(row.doc) == DOCUMENT
        assert list(facets.unpacked(row.facets)) == [3, 7, 70_000]
        assert conn.execute(select(entity_facet.c.facet_id).order_by(entity_facet.c.facet_id)).scalars().all() == [
            *(3, 7, 70_000)
        ]
        one_word = [fts.Term("andern")]
        assert fts.matching(conn, fts.ENTITIES, [one_word]) == fts.matching(conn, fts.ENTITIES, [one_word], ["tags"])
        assert one in fts.matching(conn, fts.ENTITIES, [one_word])
        assert one not in fts.matching(conn, fts.ENTITIES, [one_word], ["name", "title"])
        assert one in fts.matching(conn, fts.ENTITIES, [[fts.Term("pa")]], ["name", "title"])
        parts.remove(conn, {one: "component:default/pay"})
        assert conn.execute(select(entity_facet)).all() == []
        assert not fts.matching(conn, fts.ENTITIES, [one_word])
        if conn.dialect.name == "sqlite":
            conn.execute(text("INSERT INTO entity_fts(entity_fts) VALUES ('integrity-check')"))
    engine.dispose()


def test_one_of_many_facets_is_found_in_whichever_way_postgresql_looks(postgres_url: str) -> None:
    engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as conn:
        for number in range(4):
            conn.execute(text(ENTITY.replace("pay", f"e{number}").replace("'u'", f"'u{number}'")))
        ids = conn.scalars(select(entity.c.id).order_by(entity.c.id)).all()
        lists = zip(ids, ("{7}", "{7,599}", "{9000}", "{}"), strict=True)
        conn.execute(
            text("INSERT INTO entity_facet_list VALUES (:id, :facets)"), [{"id": a, "facets": b} for a, b in lists]
        )
        conn.execute(text("INSERT INTO facet_key VALUES (1, 'metadata.title')"))
        conn.execute(
            text(
                "INSERT INTO facet (id, key_id, digest, value, opaque)"
                " SELECT n, 1, n, 't' || n, false FROM generate_series(1, :values) AS n"
            ),
            {"values": 2 * pairs.FEW},
        )
        titled = Sql().exists_at("metadata.title")
        for entities in (0, pairs.MANY):
            conn.execute(
                text("UPDATE pg_class SET reltuples = :n WHERE relname = 'entity_facet_list'"), {"n": entities}
            )
            for clause, found in (
                (titled, ids[:2]),
                (not_(titled), ids[2:]),
                (Sql().prefixed("metadata.title", "t59"), ids[1:2]),
            ):
                assert conn.scalars(select(entity.c.id).where(clause).order_by(entity.c.id)).all() == found
    engine.dispose()
