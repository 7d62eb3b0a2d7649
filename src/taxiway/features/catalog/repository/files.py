"""Which files of a source were read without a fault, and what was in them, by digest."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete, select

from taxiway.core.store.bulk import insert_rows
from taxiway.features.catalog.tables import catalog_file


def known(conn: Connection, source_id: str) -> dict[str, str]:
    """Digests of a source's files, by location."""
    rows = select(catalog_file.c.location, catalog_file.c.digest).where(catalog_file.c.source_id == source_id)
    return {row[0]: row[1] for row in conn.execute(rows)}


def replace(conn: Connection, source_id: str, digests: Mapping[str, str]) -> None:
    """These are a source's files now."""
    forget(conn, source_id)
    rows = [(source_id, location, digest) for location, digest in sorted(digests.items())]
    insert_rows(conn, catalog_file, ("source_id", "location", "digest"), rows)


def forget(conn: Connection, source_id: str) -> None:
    """Read every file of a source the next time."""
    conn.execute(delete(catalog_file).where(catalog_file.c.source_id == source_id))
