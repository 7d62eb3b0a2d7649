"""All SQL of environments: releases, deployments, status, applied objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from taxiway.core.store.database import Tx
from taxiway.core.store.scoped import visible
from taxiway.features.environments.tables import applied_object, deployment, release, service_status
from taxiway.model.access import Scope
from taxiway.model.workload import ObjectKey

Row = Mapping[str, Any]
MOST_NAMES = 500
"""How many names one statement may hold."""


def add_release(tx: Tx, values: Row) -> bool:
    """Insert unless its id is there; whether it is new."""
    if get_release(tx.conn, values["id"]) is not None:
        return False
    tx.conn.execute(insert(release).values(**values))
    return True


def get_release(conn: Connection, release_id: str) -> Row | None:
    """One release."""
    row = conn.execute(select(release).where(release.c.id == release_id)).mappings().first()
    return None if row is None else dict(row)


def releases(conn: Connection, scope: Scope, service_ref: str | None, after: Sequence[Any], limit: int) -> list[Row]:
    """Newest first."""
    statement = select(release).where(visible(scope, release.c.owner))
    if service_ref:
        statement = statement.where(release.c.service_ref == service_ref)
    if after:
        earlier = (release.c.created_at < after[0]) | ((release.c.created_at == after[0]) & (release.c.id < after[1]))
        statement = statement.where(earlier)
    statement = statement.order_by(release.c.created_at.desc(), release.c.id.desc()).limit(limit)
    return [dict(row) for row in conn.execute(statement).mappings()]


def add_deployment(tx: Tx, values: Row) -> str:
    """Insert unless its run has one; the id of the run's deployment."""
    statement = select(deployment.c.id).where(deployment.c.run_id == values["run_id"])
    there = tx.conn.execute(statement).scalar()
    if there is not None:
        return str(there)
    tx.conn.execute(insert(deployment).values(**values))
    return str(values["id"])


def change_deployment(tx: Tx, deployment_id: str, states: Sequence[str] | None = None, **values: Any) -> bool:
    """Set columns, only from one of `states` when given; whether a row changed."""
    statement = update(deployment).where(deployment.c.id == deployment_id)
    if states is not None:
        statement = statement.where(deployment.c.state.in_(states))
    return tx.conn.execute(statement.values(**values, version=deployment.c.version + 1)).rowcount > 0


def deployment_of_run(conn: Connection, run_id: str) -> Row | None:
    """The deployment that a run makes."""
    row = conn.execute(select(deployment).where(deployment.c.run_id == run_id)).mappings().first()
    return None if row is None else dict(row)


def first_deployments(conn: Connection, service_refs: Sequence[str]) -> dict[str, int]:
    """When each of some services was first live anywhere, by reference; those that never were are left out."""
    found: dict[str, int] = {}
    for start in range(0, len(service_refs), MOST_NAMES):
        names = service_refs[start : start + MOST_NAMES]
        query = select(deployment.c.service_ref, func.min(deployment.c.deployed_at).label("at"))
        query = query.where(deployment.c.service_ref.in_(names), deployment.c.deployed_at.is_not(None))
        found |= {row.service_ref: row.at for row in conn.execute(query.group_by(deployment.c.service_ref))}
    return found


def live_deployments(conn: Connection, service_ref: str, environment: str | None = None) -> list[Row]:
    """What is live of a service, newest first."""
    statement = select(deployment).where(deployment.c.service_ref == service_ref, deployment.c.state == "live")
    if environment:
        statement = statement.where(deployment.c.environment == environment)
    return [dict(row) for row in conn.execute(statement.order_by(deployment.c.id.desc())).mappings()]


def history(conn: Connection, service_ref: str, environment: str, limit: int = 200) -> list[Row]:
    """Deployments of a service in an environment, newest first."""
    statement = (
        select(deployment)
        .where(deployment.c.service_ref == service_ref, deployment.c.environment == environment)
        .order_by(deployment.c.id.desc())
        .limit(limit)
    )
    return [dict(row) for row in conn.execute(statement).mappings()]


def environments_of(conn: Connection, service_ref: str) -> list[str]:
    """Environments where the service was deployed and not removed since."""
    states = ("queued", "live", "failed", "cancelled", "removing")
    statement = select(deployment.c.environment).where(
        deployment.c.service_ref == service_ref, deployment.c.state.in_(states)
    )
    return sorted(set(conn.execute(statement).scalars()))


def change_deployments(tx: Tx, service_ref: str, environment: str, **values: Any) -> int:
    """Set columns of every deployment of a service in an environment that is not removed; how many there were."""
    statement = update(deployment).where(
        deployment.c.service_ref == service_ref,
        deployment.c.environment == environment,
        deployment.c.state != "removed",
    )
    return tx.conn.execute(statement.values(**values, version=deployment.c.version + 1)).rowcount


DEPLOYMENT_VIEW = (
    select(
        deployment,
        release.c.version.label("release_version"),
        release.c.commit.label("release_commit"),
        service_status.c.health.label("status_health"),
        service_status.c.sync.label("status_sync"),
        service_status.c.message.label("status_message"),
        service_status.c.url.label("status_url"),
        service_status.c.deployment_id.label("status_deployment_id"),
    )
    .join(release, release.c.id == deployment.c.release_id, isouter=True)
    .join(
        service_status,
        (service_status.c.environment == deployment.c.environment)
        & (service_status.c.service_key == deployment.c.service_key),
        isouter=True,
    )
)


def deployments(
    conn: Connection,
    scope: Scope,
    service_ref: str | None,
    environment: str | None,
    after: Sequence[Any],
    limit: int,
) -> list[Row]:
    """Deployments with release and status, newest first."""
    statement = DEPLOYMENT_VIEW.where(visible(scope, deployment.c.owner))
    if service_ref:
        statement = statement.where(deployment.c.service_ref == service_ref)
    if environment:
        statement = statement.where(deployment.c.environment == environment)
    if after:
        statement = statement.where(deployment.c.id < after[0])
    return [dict(row) for row in conn.execute(statement.order_by(deployment.c.id.desc()).limit(limit)).mappings()]


def current(conn: Connection, scope: Scope, limit: int = 5000) -> list[Row]:
    """For the matrix: what is live, queued or failed, newest first."""
    statement = DEPLOYMENT_VIEW.where(
        visible(scope, deployment.c.owner), deployment.c.state.in_(("live", "queued", "failed"))
    )
    return [dict(row) for row in conn.execute(statement.order_by(deployment.c.id.desc()).limit(limit)).mappings()]


def status(conn: Connection, environment: str, service_key: str) -> Row | None:
    """How a service stands."""
    where = (service_status.c.environment == environment, service_status.c.service_key == service_key)
    row = conn.execute(select(service_status).where(*where)).mappings().first()
    return None if row is None else dict(row)


def statuses(conn: Connection, environment: str) -> dict[str, Row]:
    """How every service of an environment stands, by service key."""
    statement = select(service_status).where(service_status.c.environment == environment)
    return {row["service_key"]: dict(row) for row in conn.execute(statement).mappings()}


def put_status(tx: Tx, environment: str, service_key: str, values: Mapping[str, Any]) -> None:
    """Replace the status of a service."""
    where = (service_status.c.environment == environment, service_status.c.service_key == service_key)
    if tx.conn.execute(update(service_status).where(*where).values(**values, updated_at=tx.now)).rowcount == 0:
        identity = {"environment": environment, "service_key": service_key, "updated_at": tx.now}
        tx.conn.execute(insert(service_status).values(**identity, **values))


def drop_status(tx: Tx, environment: str, service_key: str) -> None:
    """Forget the status of a service that is gone."""
    where = (service_status.c.environment == environment, service_status.c.service_key == service_key)
    tx.conn.execute(delete(service_status).where(*where))


def applied(conn: Connection, environment: str) -> list[Row]:
    """What was applied in an environment, in the order of applying."""
    statement = select(applied_object).where(applied_object.c.environment == environment)
    return [dict(row) for row in conn.execute(statement.order_by(applied_object.c.position)).mappings()]


def applied_environments(conn: Connection) -> list[str]:
    """Environments in which anything was applied."""
    return sorted(conn.execute(select(applied_object.c.environment).distinct()).scalars())


def put_applied(tx: Tx, environment: str, service_key: str, key: ObjectKey, position: int, target: Row) -> None:
    """Note an object before it is applied."""
    identity = _identity(environment, service_key, key)
    where = [applied_object.c[column] == value for column, value in identity.items()]
    values = {"position": position, "target": dict(target)}
    if tx.conn.execute(update(applied_object).where(*where).values(**values)).rowcount == 0:
        tx.conn.execute(insert(applied_object).values(**identity, **values))


def drop_applied(tx: Tx, environment: str, service_key: str, key: ObjectKey) -> None:
    """Forget an object after it was pruned."""
    identity = _identity(environment, service_key, key)
    tx.conn.execute(delete(applied_object).where(*[applied_object.c[c] == v for c, v in identity.items()]))


def _identity(environment: str, service_key: str, key: ObjectKey) -> dict[str, str]:
    return {
        "environment": environment,
        "service_key": service_key,
        "api_version": key.api_version,
        "kind": key.kind,
        "namespace": key.namespace,
        "name": key.name,
    }
