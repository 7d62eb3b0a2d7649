"""The numbers of facets on SQLite, which does all of it: it does so without the interpreter's lock, and meanwhile
documents are read. Called by `facets.numbers` alone.

Each leaf is looked up once, and those that are new once more, when they are there.
"""

from __future__ import annotations

import orjson
from sqlalchemy import Connection, text


def numbers(conn: Connection, table: bytes) -> list[int]:
    """The numbers of the leaves of a table, in their order; new ones get theirs."""
    conn.execute(_GIVEN)
    conn.execute(_FILL, {"rows": table.decode()})
    if conn.scalar(_IS_NEW):
        conn.execute(_NEW_PATHS)
        conn.execute(_KEYS)
        conn.execute(_NEW)
    found: list[int] = orjson.loads(conn.scalar(_NUMBERS))
    conn.execute(_EMPTY)
    return found


_PLACE = "f.key_id = {0} AND f.digest = {1}.digest AND f.value = {1}.value AND f.opaque = {1}.opaque"
_GIVEN = text("CREATE TEMP TABLE IF NOT EXISTS given (path, key_id, digest, value, folded, opaque, id)")
_FILL = text(f"""
    WITH leaf AS MATERIALIZED (
        SELECT value->>0 AS path, value->>1 AS digest, value->>2 AS value, value->>3 AS folded, value->>4 AS opaque
        FROM json_each(:rows)
    )
    INSERT INTO given
    SELECT path, k.id, digest, value, folded, opaque,
        (SELECT f.id FROM facet AS f WHERE {_PLACE.format("k.id", "leaf")})
    FROM leaf LEFT JOIN facet_key AS k ON k.key = path""")  # noqa: S608
_IS_NEW = text("SELECT EXISTS (SELECT 1 FROM given WHERE id IS NULL)")
_NEW_PATHS = text("""
    INSERT INTO facet_key (id, key)
    SELECT (SELECT coalesce(max(id), 0) FROM facet_key) + row_number() OVER (ORDER BY path), path
    FROM (SELECT DISTINCT path FROM given WHERE key_id IS NULL) AS found""")
_KEYS = text("UPDATE given SET key_id = (SELECT id FROM facet_key WHERE key = path) WHERE key_id IS NULL")
_NEW = text("""
    INSERT INTO facet (key_id, digest, value, folded, opaque)
    SELECT DISTINCT key_id, digest, value, folded, opaque FROM given WHERE id IS NULL ORDER BY key_id, digest""")
_NUMBERS = text(f"""
    SELECT json_group_array(coalesce(id, (SELECT f.id FROM facet AS f WHERE {_PLACE.format("given.key_id", "given")})))
    FROM given""")  # noqa: S608
_EMPTY = text("DELETE FROM given")
