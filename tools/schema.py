"""Write `core/store/migrations/schema.sql`: the tables that the revisions make on SQLite."""

from __future__ import annotations

from sqlalchemy import create_engine

from taxiway.core.store.migrate import SCHEMA, run_revisions, schema_of

if __name__ == "__main__":
    with create_engine("sqlite://").connect() as conn:
        run_revisions(conn)
        SCHEMA.write_text(schema_of(conn))
