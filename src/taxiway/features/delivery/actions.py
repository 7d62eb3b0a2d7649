"""The scaffolder action `taxiway:deploy`: from a commit's green pipeline to a live service, holding no thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.features.delivery import repository
from taxiway.features.delivery.engines import forge, op_context
from taxiway.features.delivery.service.pipelines import ensure_release, failure_of, start_asked
from taxiway.features.delivery.tasks.destroy import Remover
from taxiway.features.environments.service import ServiceEntity, get_environment, service_entity, start_deployment
from taxiway.features.environments.service.deployments import DEPLOY
from taxiway.features.infrastructure import service as infrastructure
from taxiway.model.errors import Changed, ConflictError, InputError, refuse_changed
from taxiway.model.run import Created, Recovery
from taxiway.plugin import StepContext


class DeployAction:
    """`taxiway:deploy` {entityRef, environment, repository, commit} -> {url, release, environment, deployment}."""

    key = "taxiway:deploy"
    description = "Wait for the green pipeline of a commit, then deploy its release to an environment"
    recovery: Recovery = "idempotent"
    supports_dry_run = False
    input_schema: Mapping[str, Any] = {
        "type": "object",
        "required": ["entityRef", "environment", "repository"],
        "properties": {
            "entityRef": {"type": "string", "title": "The service's entity reference"},
            "environment": {"type": "string", "title": "Name of the environment"},
            "repository": {"type": "string", "title": "Name of the repository on the forge"},
            "commit": {"type": "string", "title": "Full SHA; default is the head of the default branch"},
        },
    }
    output_schema: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "url": {"type": ["string", "null"]},
            "release": {"type": "string"},
            "environment": {"type": "string"},
            "deployment": {"type": "string"},
        },
    }

    def __init__(self, platform: Platform, remover: Remover) -> None:
        self._platform, self._remover = platform, remover

    def run(self, ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any]:
        operation = op_context(self._platform, ctx)
        service = service_entity(self._platform, values["entityRef"])
        environment = get_environment(self._platform, values["environment"])
        operation.authorize(DEPLOY, service.owner)
        commit, branch = ctx.checkpoint("commit", lambda: list(self._commit(values)))
        release = self._release(operation, ctx, service, values["repository"], commit, branch)
        place = {"service_ref": service.ref, "environment": environment.name}
        ctx.created("deployment", f"{environment.name}/{service.key}", place)
        key = f"{ctx.idempotency_key}:deploy"
        started = start_deployment(operation, service, environment, release, request_key=key, parent_id=ctx.run_id)
        self._again(operation, ctx, started["run_id"])
        state, output = ctx.wait_for_run(started["run_id"])
        if state != "succeeded":
            error = self._platform.runs.get(started["run_id"]).error
            raise ConflictError(f"the deployment ended as {state}: {error or 'see its run'}")
        return {
            "url": output.get("url"),
            "release": release,
            "environment": environment.name,
            "deployment": started["deployment_id"],
        }

    def probe(self, ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return None

    def check_undo(self, created: Sequence[Created]) -> None:
        refuse_changed(self._held(created))

    def _held(self, created: Sequence[Created]) -> list[Changed]:
        places = [item.data for item in created if item.kind == "deployment"]
        held = infrastructure.held_for_service
        return [one for at in places for one in held(self._platform, at["service_ref"], at["environment"])]

    def undo(self, ctx: StepContext, created: Sequence[Created]) -> None:
        refuse_changed(self._held(created), ctx.confirmed)
        for item in reversed(created):
            if item.kind == "deployment":
                self._remover.everything(ctx, item.data["service_ref"], item.data["environment"])

    def _again(self, operation: OpContext, ctx: StepContext, run_id: str) -> None:
        """When this step is tried again, so is the run that it waits for: once for each attempt."""

        def retry() -> bool:
            if self._platform.runs.get(run_id).state not in ("failed", "cancelled"):
                return False
            self._platform.runs.retry(operation, run_id)
            return True

        if ctx.attempt > 1:
            ctx.checkpoint(f"again-{run_id}-{ctx.attempt}", retry)

    def _commit(self, values: Mapping[str, Any]) -> tuple[str, str]:
        name = values["repository"]
        there = forge(self._platform).get_repository(name)
        if there is None:
            raise InputError(f"there is no repository '{name}': publish it before this step")
        commit = values.get("commit") or forge(self._platform).resolve(name, there.default_branch)
        if not commit:
            raise InputError(f"the repository '{name}' has no commit yet: publish files before this step")
        return str(commit), there.default_branch

    def _release(
        self, operation: OpContext, ctx: StepContext, service: ServiceEntity, name: str, commit: str, branch: str
    ) -> str:
        """The release of the commit, once its pipelines are green. ConflictError with the failing job's reason."""
        runs = start_asked(operation, name, commit, branch)
        if not runs:
            raise InputError(
                f"no workflow of '{name}' starts on a push to {branch}: add one below .github/workflows that uploads "
                "an artifact named 'release'"
            )
        found = None
        for run_id in runs:
            self._again(operation, ctx, run_id)
            state, _ = ctx.wait_for_run(run_id)
            with self._platform.store.read() as conn:
                row = repository.get_pipeline(conn, run_id)
            if row is None or state != "succeeded":
                reason = failure_of(row) if row is not None else self._platform.runs.get(run_id).error
                raise ConflictError(f"the pipeline of {commit[:7]} ended as {state}: {reason}")
            found = ensure_release(operation, row, service) or found
        if found is None:
            raise InputError(
                f"the pipeline of {commit[:7]} is green but uploaded no artifact named 'release': add that step to it"
            )
        return str(found["id"])
