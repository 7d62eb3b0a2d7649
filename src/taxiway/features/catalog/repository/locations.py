"""Rows of registered locations, and of the shipped data's state."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from taxiway.features.catalog.model import Location
from taxiway.features.catalog.tables import location, shipped


def find(conn: Connection, kind: str, target: str) -> Location | None:
    """The location of this type and target, or None."""
    row = conn.execute(select(location).where(location.c.type == kind, location.c.target == target)).first()
    return None if row is None else _location(row)


def get(conn: Connection, location_id: str) -> Location | None:
    """The location of an id, or None."""
    row = conn.execute(select(location).where(location.c.id == location_id)).first()
    return None if row is None else _location(row)


def listed(conn: Connection, repository: str | None, limit: int) -> list[Location]:
    """Locations by id, those of a repository when one is given."""
    statement = select(location).order_by(location.c.id).limit(limit)
    if repository is not None:
        statement = statement.where(location.c.repository == repository)
    return [_location(row) for row in conn.execute(statement)]


def add(conn: Connection, now: int, new: Location, state: str) -> None:
    """Insert a location that was read at `state`."""
    row = {
        "id": new.id,
        "type": new.type,
        "target": new.target,
        "repository": new.repository,
        "owner": new.owner,
        "registered_by": new.registered_by,
        "trusted": new.trusted,
        "state": state,
        "created_at": now,
        "refreshed_at": now,
    }
    conn.execute(insert(location), row)


def touch(conn: Connection, now: int, current: Location, state: str, *, any_version: bool = False) -> bool:
    """Note that it was read at `state`; False when somebody else did so since `current` was read."""
    statement = update(location).where(location.c.id == current.id)
    if not any_version:
        statement = statement.where(location.c.version == current.version)
    values = {"state": state, "refreshed_at": now, "version": location.c.version + 1}
    return conn.execute(statement.values(**values)).rowcount > 0


def retarget(conn: Connection, now: int, current: Location, new: Location, state: str) -> bool:
    """Let it point to `new`'s target, read at `state`; False when somebody else changed it since `current` was read."""
    statement = update(location).where(location.c.id == current.id, location.c.version == current.version)
    values = {
        "type": new.type,
        "target": new.target,
        "repository": new.repository,
        "owner": new.owner,
        "trusted": new.trusted,
        "entity_ref": current.entity_ref,
        "state": state,
        "refreshed_at": now,
        "version": location.c.version + 1,
    }
    return conn.execute(statement.values(**values)).rowcount > 0


def remove(conn: Connection, location_id: str) -> None:
    """Forget a location."""
    conn.execute(delete(location).where(location.c.id == location_id))


def shipped_digest(conn: Connection, source_id: str) -> str:
    """The digest of the shipped data that the catalog holds; empty when it holds none."""
    return conn.scalar(select(shipped.c.digest).where(shipped.c.source_id == source_id)) or ""


def set_shipped_digest(conn: Connection, source_id: str, digest: str) -> None:
    """Note which shipped data the catalog holds; empty: none."""
    conn.execute(delete(shipped).where(shipped.c.source_id == source_id))
    if digest:
        conn.execute(insert(shipped), {"source_id": source_id, "digest": digest})


def _location(row: Any) -> Location:
    return Location(
        row.id,
        row.type,
        row.target,
        row.repository,
        row.owner,
        row.registered_by,
        row.trusted,
        row.version,
        row.state,
        row.entity_ref,
    )
