"""Starting deployments, rollbacks and removals. The work itself is done by delivery's run handlers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.core.store.database import Tx
from taxiway.features.environments import repository
from taxiway.features.environments.model import DEPLOY_STEPS, DESTROY_STEPS, Environment
from taxiway.features.environments.service.catalogue import ServiceEntity, get_environment, service_entity
from taxiway.features.environments.service.releases import get_release
from taxiway.features.infrastructure.writes import write_or_find
from taxiway.kit.pointer import dig
from taxiway.model.entity import parse_ref
from taxiway.model.errors import ConflictError, InputError, NotFoundError
from taxiway.model.run import RunSpec

DEPLOY = "environments.deploy"
DESTROY = "environments.destroy"
ACTIONS = {
    "deploy": ("Deploy", "to"),
    "rollback": ("Roll back", "in"),
    "restart": ("Restart", "in"),
    "scale": ("Scale", "in"),
    "scale-back": ("Scale back", "in"),
}
"""Why a release is brought live, and how its run says so."""
SAME_RELEASE = frozenset({"restart", "scale", "scale-back"})
"""Those that change no release."""


def deploy(
    ctx: OpContext, service_ref: str, environment: str, release: str, request_key: str | None = None
) -> dict[str, str]:
    """Start a run that brings the release live: {run_id, deployment_id}. The caller must own the service."""
    service = service_entity(ctx.platform, service_ref)
    ctx.authorize(DEPLOY, service.owner)
    return start_deployment(ctx, service, get_environment(ctx.platform, environment), release, request_key=request_key)


def first_deployments(platform: Platform, service_refs: Sequence[str]) -> dict[str, int]:
    """When each of some services was first live anywhere (microseconds UTC); those that never were are left out."""
    with platform.store.read() as conn:
        return repository.first_deployments(conn, service_refs)


def rollback(ctx: OpContext, service_ref: str, environment: str, release: str | None) -> dict[str, str]:
    """Deploy an older release: the given one, or the one that was live before."""
    service = service_entity(ctx.platform, service_ref)
    ctx.authorize(DEPLOY, service.owner)
    chosen = get_environment(ctx.platform, environment)
    target = release or release_before(ctx, service, chosen)
    return start_deployment(ctx, service, chosen, target, action="rollback")


def start_deployment(
    ctx: OpContext,
    service: ServiceEntity,
    environment: Environment,
    release: str,
    *,
    action: str = "deploy",
    request_key: str | None = None,
    parent_id: str | None = None,
    replicas: int | None = None,
) -> dict[str, str]:
    """Run and deployment row in one commit. With a `request_key` used before, what was started then is returned.

    `action` is a key of ACTIONS. `replicas` is how many copies shall run from now on; None: as many as before.
    """
    row = get_release(ctx.platform, release)
    if row["service_ref"] != service.ref:
        raise InputError(f"the release {release} belongs to {row['service_ref']}, not to {service.ref}")
    if row["service_uid"] != service.uid:
        raise ConflictError(
            f"the release {release} was made for an earlier {service.ref}: push a commit to make a new one",
            code="environments.other_service",
        )
    new_id = ctx.platform.new_id()

    def work(tx: Tx) -> dict[str, str]:
        live = repository.live_deployments(tx.conn, service.ref, environment.name)
        spec = RunSpec(
            kind="deploy",
            title=f"{ACTIONS[action][0]} {service.key} {row['version']} {ACTIONS[action][1]} {environment.name}",
            steps=DEPLOY_STEPS,
            input={
                "service_ref": service.ref,
                "environment": environment.name,
                "release_id": release,
                "deployment_id": new_id,
                **({} if replicas is None else {"replicas": replicas}),
            },
            subject=service.ref,
            owner=service.owner,
            parent_id=parent_id,
            request_key=request_key,
        )
        run_id = ctx.platform.runs.start(tx, ctx.principal, spec)
        values = {
            "id": new_id,
            "run_id": run_id,
            "service_ref": service.ref,
            "service_uid": service.uid,
            "service_key": service.key,
            "owner": service.owner,
            "environment": environment.name,
            "release_id": release,
            "previous_release_id": live[0]["release_id"] if live else None,
            "previous_id": live[0]["id"] if live else None,
            "action": action,
            "state": "queued",
            "health": "unknown",
            "created_at": tx.now,
        }
        return {"run_id": run_id, "deployment_id": repository.add_deployment(tx, values)}

    return write_or_find(ctx.platform, work)


def destroy(ctx: OpContext, service_ref: str, environment: str | None) -> dict[str, str]:
    """Start a run that removes the service from one environment, or from all: {run_id}."""
    full = str(parse_ref(service_ref, default_kind="component"))
    owner, uid = _owner_for_destroy(ctx, full)
    ctx.authorize(DESTROY, owner)
    if environment is not None:
        names = [parse_ref(environment, default_kind="environment").name]
    else:
        with ctx.platform.store.read() as conn:
            names = repository.environments_of(conn, full)
    if not names:
        raise NotFoundError(f"{full} is deployed nowhere", code="environments.not_deployed")
    return start_destroy(ctx, full, uid, owner, names)


def start_destroy(
    ctx: OpContext,
    service_ref: str,
    service_uid: str | None,
    owner: str | None,
    environments: Sequence[str],
    request_key: str | None = None,
) -> dict[str, str]:
    """Start the removal from the named environments."""
    spec = RunSpec(
        kind="destroy",
        title=f"Remove {parse_ref(service_ref).name} from {', '.join(environments)}",
        steps=DESTROY_STEPS,
        input={"service_ref": service_ref, "service_uid": service_uid, "environments": list(environments)},
        subject=service_ref,
        owner=owner,
        request_key=request_key,
    )
    return {"run_id": ctx.platform.store.write(lambda tx: ctx.platform.runs.start(tx, ctx.principal, spec))}


def mark(tx: Tx, deployment_id: str, state: str) -> None:
    """A deployment that did not become live ends in `state`."""
    repository.change_deployment(tx, deployment_id, ("queued", "failed", "cancelled"), state=state)


def _owner_for_destroy(ctx: OpContext, ref: str) -> tuple[str | None, str | None]:
    """The owner by the catalog; when the entity is gone, the one that was recorded with its deployments."""
    try:
        service = service_entity(ctx.platform, ref)
        return service.owner, service.uid
    except NotFoundError:
        with ctx.platform.store.read() as conn:
            for name in repository.environments_of(conn, ref):
                rows = repository.history(conn, ref, name, 1)
                return dig(rows, 0, "owner"), dig(rows, 0, "service_uid")
        raise


def release_before(ctx: OpContext, service: ServiceEntity, environment: Environment) -> str:
    """The release that was live before the one that is. NotFoundError where there is none."""
    with ctx.platform.store.read() as conn:
        rows: list[Mapping[str, Any]] = repository.history(conn, service.ref, environment.name)
    live = next((row for row in rows if row["state"] == "live"), None)
    if live is None:
        raise NotFoundError(
            f"{service.ref} is not live in {environment.name}: deploy a release first", code="environments.not_deployed"
        )
    for row in rows:
        if row["state"] == "superseded" and row["id"] < live["id"] and row["release_id"] != live["release_id"]:
            return str(row["release_id"])
    raise NotFoundError(
        f"no other release was live in {environment.name} before: name one with release_id",
        code="environments.no_previous",
    )
