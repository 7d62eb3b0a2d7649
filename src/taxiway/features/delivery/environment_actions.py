"""Actions of golden paths around environments: `pipeline:wait`, `environment:deploy`, `…:rollback`, `…:destroy`.

Each starts the run that the API would start, with the caller's rights, and waits for it without holding a thread. The
started run is found again by its key, so that a step that is done again starts nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.features.delivery import repository
from taxiway.features.delivery.engines import forge, op_context
from taxiway.features.delivery.service.pipelines import failure_of, start_asked
from taxiway.features.delivery.tasks.destroy import Remover
from taxiway.features.environments import repository as deployments
from taxiway.features.environments.service import get_environment, service_entity, start_deployment
from taxiway.features.environments.service.deployments import DEPLOY, DESTROY, release_before, start_destroy
from taxiway.features.infrastructure import service as infrastructure
from taxiway.model.errors import Changed, ConflictError, InputError, refuse_changed
from taxiway.model.run import Created, Recovery
from taxiway.plugin import StepContext

Values = Mapping[str, Any]
TEXT = {"type": "string"}


@dataclass(frozen=True)
class EnvironmentAction:
    """An action made of functions. `take_back` None: undo has nothing to do."""

    key: str
    description: str
    function: Callable[[StepContext, Values], Values]
    input_schema: Values
    output_schema: Values = field(default_factory=lambda: {"type": "object", "properties": {}})
    take_back: Callable[[StepContext, Sequence[Created]], None] | None = None
    recovery: Recovery = "idempotent"
    supports_dry_run: bool = False
    changes: Callable[[Sequence[Created]], Sequence[Changed]] | None = None
    """What others changed since, which `take_back` would lose."""

    def run(self, ctx: StepContext, values: Values) -> Values:
        return self.function(ctx, values)

    def probe(self, ctx: StepContext, values: Values) -> Values | None:
        return None

    def check_undo(self, created: Sequence[Created]) -> None:
        refuse_changed(self.changes(created) if self.changes is not None else ())

    def undo(self, ctx: StepContext, created: Sequence[Created]) -> None:
        refuse_changed(self.changes(created) if self.changes is not None else (), ctx.confirmed)
        if self.take_back is not None:
            self.take_back(ctx, created)


def environment_actions(platform: Platform, remover: Remover) -> list[EnvironmentAction]:
    """The actions of this module."""
    place = {"entityRef": TEXT, "environment": TEXT}
    deployment = action_schema([], runId=TEXT, deployment=TEXT, release=TEXT, url={"type": ["string", "null"]})
    take_back = partial(_take_back, platform, remover)
    return [
        EnvironmentAction(
            "pipeline:wait",
            "Wait for the pipelines of a commit on the default branch; one that fails fails the step",
            partial(_pipelines, platform),
            action_schema(["repository"], repository=TEXT, commit=TEXT),
            action_schema([], commit=TEXT, runs={"type": "array", "items": TEXT}),
        ),
        EnvironmentAction(
            "environment:deploy",
            "Deploy a release; undo deploys the one that was live before, or removes the service",
            lambda ctx, values: _deploy(platform, ctx, values, "deploy"),
            action_schema(["entityRef", "environment", "release"], **place, release=TEXT),
            deployment,
            take_back,
            changes=partial(_held, platform),
        ),
        EnvironmentAction(
            "environment:rollback",
            "Deploy the release that was live before, or a named one; undo deploys what was live",
            lambda ctx, values: _deploy(platform, ctx, values, "rollback"),
            action_schema(["entityRef", "environment"], **place, release=TEXT),
            deployment,
            take_back,
            changes=partial(_held, platform),
        ),
        EnvironmentAction(
            "environment:destroy",
            "Remove a service from an environment, with its resources and their data; it cannot be undone",
            partial(_destroy, platform),
            action_schema(["entityRef", "environment"], **place),
            action_schema([], runId=TEXT),
        ),
    ]


def action_schema(required: Sequence[str], **properties: Any) -> dict[str, Any]:
    """A JSON Schema of an object with these properties."""
    return {"type": "object", "required": list(required), "properties": properties}


def _pipelines(platform: Platform, ctx: StepContext, values: Values) -> Values:
    op, name = op_context(platform, ctx), values["repository"]
    there = forge(platform).get_repository(name)
    if there is None:
        raise InputError(f"there is no repository '{name}': publish it before this step")
    commit = ctx.checkpoint(
        "commit", lambda: values.get("commit") or forge(platform).resolve(name, there.default_branch) or ""
    )
    if not commit:
        raise InputError(f"the repository '{name}' has no commit yet: publish files before this step")
    runs = start_asked(op, name, commit, there.default_branch)
    for run_id in runs:
        state, _ = wait_for(op, ctx, run_id)
        if state != "succeeded":
            with platform.store.read() as conn:
                row = repository.get_pipeline(conn, run_id)
            reason = failure_of(row) if row is not None else platform.runs.get(run_id).error
            raise ConflictError(f"the pipeline of {commit[:7]} ended as {state}: {reason}")
    return {"commit": commit, "runs": runs}


def wait_for(op: OpContext, ctx: StepContext, run_id: str) -> tuple[str, Values]:
    """The end of a run; when this step is tried again, so is that run, once for each attempt."""

    def retry() -> bool:
        if op.platform.runs.get(run_id).state not in ("failed", "cancelled"):
            return False
        op.platform.runs.retry(op, run_id)
        return True

    if ctx.attempt > 1:
        ctx.checkpoint(f"again-{run_id}-{ctx.attempt}", retry)
    return ctx.wait_for_run(run_id)


def _deploy(platform: Platform, ctx: StepContext, values: Values, action: str) -> Values:
    op = op_context(platform, ctx)
    service = service_entity(platform, values["entityRef"])
    environment = get_environment(platform, values["environment"])
    op.authorize(DEPLOY, service.owner)
    release = values.get("release") or ctx.checkpoint("release", lambda: release_before(op, service, environment))
    before = ctx.checkpoint("before", lambda: live_release(platform, service.ref, environment.name))
    data = {"service_ref": service.ref, "environment": environment.name, "before": before}
    ctx.created("deployment", f"{environment.name}/{service.key}", data)
    key = f"{ctx.idempotency_key}:{action}"
    started = start_deployment(op, service, environment, release, action=action, request_key=key, parent_id=ctx.run_id)
    state, output = wait_for(op, ctx, started["run_id"])
    if state != "succeeded":
        error = platform.runs.get(started["run_id"]).error
        raise ConflictError(f"the deployment ended as {state}: {error or 'see its run'}")
    return {
        "runId": started["run_id"],
        "deployment": started["deployment_id"],
        "release": release,
        "url": output.get("url"),
    }


def live_release(platform: Platform, service_ref: str, environment: str) -> str:
    """The release that is live, or nothing."""
    with platform.store.read() as conn:
        rows = deployments.live_deployments(conn, service_ref, environment)
    return str(rows[0]["release_id"]) if rows else ""


def _held(platform: Platform, created: Sequence[Created]) -> list[Changed]:
    """What goes with the resources of services that `_take_back` removes."""
    places = [item.data for item in created if not item.data["before"]]
    held = infrastructure.held_for_service
    return [one for at in places for one in held(platform, at["service_ref"], at["environment"])]


def _take_back(platform: Platform, remover: Remover, ctx: StepContext, created: Sequence[Created]) -> None:
    op = op_context(platform, ctx)
    for item in reversed(created):
        ref, name, before = item.data["service_ref"], item.data["environment"], item.data["before"]
        if not before:
            remover.everything(ctx, ref, name)
            continue
        service, environment = service_entity(platform, ref), get_environment(platform, name)
        if live_release(platform, ref, name) == before:
            continue
        key = f"{ctx.idempotency_key}:undo"
        started = start_deployment(op, service, environment, before, action="rollback", request_key=key)
        state, _ = ctx.wait_for_run(started["run_id"])
        if state != "succeeded":
            raise ConflictError(f"bringing {before} back ended as {state}: see run {started['run_id']}")


def _destroy(platform: Platform, ctx: StepContext, values: Values) -> Values:
    op = op_context(platform, ctx)
    service = service_entity(platform, values["entityRef"])
    environment = get_environment(platform, values["environment"])
    op.authorize(DESTROY, service.owner)
    key = f"{ctx.idempotency_key}:destroy"
    started = start_destroy(op, service.ref, service.uid, service.owner, [environment.name], request_key=key)
    state, _ = wait_for(op, ctx, started["run_id"])
    if state != "succeeded":
        raise ConflictError(f"the removal ended as {state}: see run {started['run_id']}")
    return {"runId": started["run_id"]}
