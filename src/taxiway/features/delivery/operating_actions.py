"""Actions of golden paths on services that run: `environment:restart`, `environment:scale`, `resource:rotate`.

Each starts the deployment run that brings the release live anew, with the caller's rights, and waits for it without
holding a thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.features.delivery import manifests
from taxiway.features.delivery.engines import op_context
from taxiway.features.delivery.environment_actions import (
    TEXT,
    EnvironmentAction,
    action_schema,
    live_release,
    wait_for,
)
from taxiway.features.delivery.scaling import MOST, replicas_of
from taxiway.features.delivery.service import desired
from taxiway.features.environments.model import Environment
from taxiway.features.environments.service import ServiceEntity, get_environment, service_entity, start_deployment
from taxiway.features.environments.service.deployments import DEPLOY
from taxiway.features.infrastructure import service as infrastructure
from taxiway.model.errors import ConflictError, NotFoundError
from taxiway.model.run import Created
from taxiway.plugin import StepContext

Values = Mapping[str, Any]
PLACE = {"entityRef": TEXT, "environment": TEXT}
STARTED = action_schema([], runId=TEXT, release=TEXT)


def operating_actions(platform: Platform) -> list[EnvironmentAction]:
    """The actions of this module."""
    return [
        EnvironmentAction(
            "environment:restart",
            "Start a service anew in an environment, with the release that is live there",
            partial(_restart, platform),
            action_schema(["entityRef", "environment"], **PLACE),
            STARTED,
        ),
        EnvironmentAction(
            "environment:scale",
            "Set how many copies of a service run in an environment, for later releases too; undo sets it back",
            partial(_scale, platform),
            action_schema(
                ["entityRef", "environment", "replicas"],
                **PLACE,
                replicas={"type": "integer", "minimum": 0, "maximum": MOST},
            ),
            action_schema([], runId=TEXT, release=TEXT, before={"type": "integer"}),
            partial(_scale_back, platform),
        ),
        EnvironmentAction(
            "resource:rotate",
            "Give a resource new credentials, and start the services anew that use it; it cannot be undone",
            partial(_rotate, platform),
            action_schema(["entityRef", "environment", "resource"], **PLACE, resource=TEXT),
            action_schema([], runs={"type": "array", "items": TEXT}),
        ),
    ]


def _subject(platform: Platform, op: OpContext, values: Values) -> tuple[ServiceEntity, Environment, str]:
    """Service, environment and the release that is live there; the caller may deploy it."""
    service = service_entity(platform, values["entityRef"])
    environment = get_environment(platform, values["environment"])
    op.authorize(DEPLOY, service.owner)
    release = live_release(platform, service.ref, environment.name)
    if not release:
        raise NotFoundError(
            f"{service.ref} is not live in {environment.name}: deploy a release first", code="environments.not_deployed"
        )
    return service, environment, release


def _restart(platform: Platform, ctx: StepContext, values: Values) -> Values:
    op = op_context(platform, ctx)
    service, environment, release = _subject(platform, op, values)
    release = ctx.checkpoint("release", lambda: release)
    return {"runId": _again(op, ctx, service, environment, release, "restart"), "release": release}


def _again(
    op: OpContext,
    ctx: StepContext,
    service: ServiceEntity,
    environment: Environment,
    release: str,
    action: str,
    replicas: int | None = None,
) -> str:
    """Bring a release live anew, and wait until it is; the run's id."""
    started = start_deployment(
        op,
        service,
        environment,
        release,
        action=action,
        request_key=f"{ctx.idempotency_key}:{action}:{service.key}",
        parent_id=ctx.run_id,
        replicas=replicas,
    )
    run_id = started["run_id"]
    state, _ = wait_for(op, ctx, run_id)
    if state != "succeeded":
        error = op.platform.runs.get(run_id).error
        raise ConflictError(f"starting {service.key} anew ended as {state}: {error or f'see run {run_id}'}")
    return run_id


def _scale(platform: Platform, ctx: StepContext, values: Values) -> Values:
    op = op_context(platform, ctx)
    service, environment, release = _subject(platform, op, values)
    before = ctx.checkpoint("before", lambda: _replicas(platform, service, environment))
    release = ctx.checkpoint("release", lambda: release)
    data = {"service_ref": service.ref, "environment": environment.name, "before": before}
    ctx.created("scale", f"{environment.name}/{service.key}", data)
    run_id = _again(op, ctx, service, environment, release, "scale", int(values["replicas"]))
    return {"runId": run_id, "release": release, "before": before}


def _replicas(platform: Platform, service: ServiceEntity, environment: Environment) -> int:
    head = desired.head(platform, environment.repository)
    raw = desired.content(platform, environment.repository, head, service.key)
    found = replicas_of(manifests.read(raw, manifests.FILE)) if raw is not None else None
    return 1 if found is None else found


def _scale_back(platform: Platform, ctx: StepContext, created: Sequence[Created]) -> None:
    op = op_context(platform, ctx)
    for item in reversed(created):
        place = {"entityRef": item.data["service_ref"], "environment": item.data["environment"]}
        service, environment, release = _subject(platform, op, place)
        before = int(item.data["before"])
        if _replicas(platform, service, environment) != before:
            _again(op, ctx, service, environment, release, "scale-back", before)
            ctx.log(f"{service.key} has {before} in {environment.name} again")


def _rotate(platform: Platform, ctx: StepContext, values: Values) -> Values:
    op = op_context(platform, ctx)
    service, environment, _ = _subject(platform, op, values)
    row, users = infrastructure.resource_of(platform, service.ref, environment.name, values["resource"])
    services = [service_entity(platform, ref) for ref in users]
    for one in services:
        op.authorize(DEPLOY, one.owner)
    # Once it has new credentials, trying again must not give it others: the services may have started with these.
    ctx.checkpoint("rotated", lambda: infrastructure.rotate_resource(op, ctx, row))
    runs = []
    for one in services:
        release = ctx.checkpoint(f"release:{one.key}", partial(live_release, platform, one.ref, environment.name))
        if release:
            runs.append(_again(op, ctx, one, environment, release, "restart"))
    return {"runs": runs}
