"""All SQL of infrastructure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from taxiway.core.store.database import Tx
from taxiway.core.store.scoped import visible
from taxiway.features.infrastructure.model import Needed, Recipe
from taxiway.features.infrastructure.tables import resource, resource_use
from taxiway.model.access import Scope

Row = Mapping[str, Any]


def claim(tx: Tx, new_id: str, needed: Needed, recipe: Recipe, request: Mapping[str, Any], run_id: str) -> Row:
    """The row of the resource that exists for this need, made when there is none, in state applying."""
    found = tx.conn.execute(select(resource).where(resource.c.live_key == needed.live_key)).mappings().first()
    if found is None:
        values = {
            "uid": new_id,
            "live_key": needed.live_key,
            "key": needed.key,
            "name": needed.name,
            "type": needed.type,
            "class": needed.resource_class,
            "environment": needed.environment["name"],
            "service_ref": needed.service_ref,
            "service_uid": needed.service_uid,
            "owner": needed.owner,
            "recipe": recipe.ref,
            "driver": recipe.driver,
            "state": "applying",
            "request": dict(request),
            "outputs": {},
            "secrets": {},
            "inventory": [],
            "created_by_run": run_id,
            "created_at": tx.now,
            "updated_at": tx.now,
        }
        tx.conn.execute(insert(resource).values(**values))
        found = tx.conn.execute(select(resource).where(resource.c.uid == new_id)).mappings().one()
    elif found["driver"] == recipe.driver:
        change(tx, found["uid"], state="applying", request=dict(request), recipe=recipe.ref, error=None)
    use = {"resource_uid": found["uid"], "service_ref": needed.service_ref, "name": needed.name}
    if tx.conn.execute(select(resource_use).filter_by(**use)).first() is None:
        tx.conn.execute(insert(resource_use).values(**use))
    return dict(found)


def change(tx: Tx, uid: str, **values: Any) -> None:
    """Set columns of one resource."""
    statement = update(resource).where(resource.c.uid == uid)
    tx.conn.execute(statement.values(**values, updated_at=tx.now, version=resource.c.version + 1))


def append_inventory(tx: Tx, uid: str, item: Mapping[str, Any]) -> None:
    """Add one entry to the inventory, once."""
    there = tx.conn.execute(select(resource.c.inventory).where(resource.c.uid == uid)).scalar_one()
    if item not in there:
        change(tx, uid, inventory=[*there, dict(item)])


def get(conn: Connection, uid: str) -> Row | None:
    """One resource."""
    row = conn.execute(select(resource).where(resource.c.uid == uid)).mappings().first()
    return None if row is None else dict(row)


def uses(conn: Connection, uid: str) -> set[str]:
    """References of the services that use a resource."""
    return set(conn.execute(select(resource_use.c.service_ref).where(resource_use.c.resource_uid == uid)).scalars())


def begin_destroy(tx: Tx, uid: str, service_ref: str) -> set[str]:
    """Withdraw a resource that only `service_ref` uses; who else uses it otherwise, and then nothing changes."""
    others = uses(tx.conn, uid) - {service_ref}
    if not others:
        change(tx, uid, state="deleting", live_key=None)
    return others


def release_uses(tx: Tx, uid: str, service_ref: str) -> set[str]:
    """A service lets go of a resource; who still uses it."""
    mine = and_(resource_use.c.resource_uid == uid, resource_use.c.service_ref == service_ref)
    tx.conn.execute(delete(resource_use).where(mine))
    return uses(tx.conn, uid)


def used_by(conn: Connection, service_ref: str, environment: str | None) -> list[Row]:
    """Resources that exist and that a service uses, newest first."""
    statement = (
        select(resource)
        .join(resource_use, resource_use.c.resource_uid == resource.c.uid)
        .where(resource_use.c.service_ref == service_ref, resource.c.state != "deleted")
        .distinct()
        .order_by(resource.c.uid.desc())
    )
    if environment is not None:
        statement = statement.where(resource.c.environment == environment)
    return [dict(row) for row in conn.execute(statement).mappings()]


def made_by_run(conn: Connection, run_id: str) -> list[Row]:
    """Resources that exist and were first made by a run, newest first."""
    statement = select(resource).where(resource.c.created_by_run == run_id, resource.c.state != "deleted")
    return [dict(row) for row in conn.execute(statement.order_by(resource.c.uid.desc())).mappings()]


def page(
    conn: Connection, scope: Scope, service_ref: str | None, environment: str | None, after: Sequence[Any], limit: int
) -> list[Row]:
    """Resources that exist, by uid."""
    statement = select(resource).where(visible(scope, resource.c.owner), resource.c.state != "deleted")
    if environment:
        statement = statement.where(resource.c.environment == environment)
    if service_ref:
        shared = select(resource_use.c.resource_uid).where(resource_use.c.service_ref == service_ref)
        statement = statement.where(or_(resource.c.service_ref == service_ref, resource.c.uid.in_(shared)))
    if after:
        statement = statement.where(resource.c.uid > after[0])
    return [dict(row) for row in conn.execute(statement.order_by(resource.c.uid).limit(limit)).mappings()]
