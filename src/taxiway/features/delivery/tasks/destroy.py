"""Handlers of runs of kind `destroy` and `decommission`: out of Git, out of the destination, resources, records.

Works from what is stored, so it also removes services whose entity or environment is gone from the catalog.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from taxiway.core.context import Platform
from taxiway.core.runs.handler import BaseHandler, StepResult
from taxiway.core.store.database import Tx
from taxiway.features.catalog import service as catalog
from taxiway.features.delivery.engines import forge, key_of, op_context
from taxiway.features.delivery.reconcile import status_topic
from taxiway.features.delivery.reconciler import Reconciler
from taxiway.features.delivery.service import desired
from taxiway.features.delivery.tasks.waiting import poll
from taxiway.features.environments import repository
from taxiway.features.infrastructure import service as infrastructure
from taxiway.kit.spans import seconds_since, stamp
from taxiway.model.errors import InternalError, TimedOutError
from taxiway.model.event import EventDraft
from taxiway.model.run import Run, Step
from taxiway.plugin import StepContext

TIMEOUT_SECONDS = 120.0


class Remover:
    """Removes one service from one environment, part by part. Every part is safe to repeat."""

    def __init__(self, platform: Platform, reconciler: Reconciler) -> None:
        self._platform, self._reconciler = platform, reconciler

    def remove(self, ctx: StepContext, service_ref: str, environment: str) -> None:
        """Take it out of Git. Deployments that are under way see that they are not wanted any more."""
        self._platform.store.write(
            lambda tx: repository.change_deployments(tx, service_ref, environment, state="removing")
        )
        repo = f"env-{environment}"
        if desired.head(self._platform, repo) is not None:
            desired.write(
                self._platform,
                repo,
                key_of(service_ref),
                service_ref,
                None,
                deployment_id=None,
                message=f"Remove {key_of(service_ref)}",
                author=ctx.principal.subject,
            )
        self._reconciler.nudge()

    def is_pruned(self, service_ref: str, environment: str) -> bool:
        """Whether nothing of it is applied any more."""
        key = key_of(service_ref)
        with self._platform.store.read() as conn:
            status = repository.status(conn, environment, key)
            applied = [row for row in repository.applied(conn, environment) if row["service_key"] == key]
        return status is None and not applied

    def resources(self, ctx: StepContext, service_ref: str, environment: str) -> list[str]:
        """Destroy what only this service uses there."""
        return infrastructure.destroy_for_service(op_context(self._platform, ctx), ctx, service_ref, environment)

    def record(self, ctx: StepContext, service_ref: str, environment: str) -> None:
        """Mark the deployments removed, with one event."""

        def work(tx: Tx) -> None:
            rows = repository.history(tx.conn, service_ref, environment, 1)
            if not repository.change_deployments(
                tx, service_ref, environment, state="removed", health="missing", url=None
            ):
                return
            row = rows[0]
            data = {
                "environment": environment,
                "service": service_ref,
                "release": row["release_id"],
                "deployment_id": row["id"],
            }
            draft = EventDraft("dev.cdevents.service.removed.0.3.0", service_ref, data, subject_uid=row["service_uid"])
            self._platform.events.append(tx, ctx.principal, draft, owner=row["owner"])

        self._platform.store.write(work)

    def everything(self, ctx: StepContext, service_ref: str, environment: str) -> None:
        """All parts at once, waiting in this thread: for undo."""
        self.remove(ctx, service_ref, environment)
        text = f"{service_ref} is still being removed from {environment}"
        poll(lambda: self.is_pruned(service_ref, environment), TIMEOUT_SECONDS, ctx, text)
        self.resources(ctx, service_ref, environment)
        self.record(ctx, service_ref, environment)


class DestroyHandler(BaseHandler):
    """Steps `destroy:*`; those of `decommission:*` delete repository and entities too."""

    def __init__(self, platform: Platform, reconciler: Reconciler) -> None:
        self._platform, self._reconciler = platform, reconciler
        self._remover = Remover(platform, reconciler)
        self._steps: dict[str, Callable[[Run, StepContext], Mapping[str, Any]]] = {
            "destroy:remove": self._remove,
            "destroy:prune": self._prune,
            "destroy:resources": self._resources,
            "destroy:record": self._record,
            "decommission:repository": self._repository,
            "decommission:entities": self._entities,
        }

    def execute(self, run: Run, step: Step, ctx: StepContext) -> StepResult:
        return StepResult(self._steps[step.action](run, ctx))

    def _remove(self, run: Run, ctx: StepContext) -> Mapping[str, Any]:
        for name in run.input["environments"]:
            self._remover.remove(ctx, run.input["service_ref"], name)
        return {}

    def _prune(self, run: Run, ctx: StepContext) -> Mapping[str, Any]:
        ref = run.input["service_ref"]
        since = ctx.checkpoint(f"since:{ctx.attempt}", lambda: stamp(self._platform.clock))
        for name in run.input["environments"]:
            if self._remover.is_pruned(ref, name):
                continue
            if seconds_since(self._platform.clock, since) > TIMEOUT_SECONDS:
                with self._platform.store.read() as conn:
                    status = repository.status(conn, name, key_of(ref))
                said = (status or {}).get("message") or "the reconciler has not come to it"
                raise TimedOutError(f"{ref} is still in {name}: {said}. See the log of the server, then retry")
            self._reconciler.nudge()
            ctx.wait_for(status_topic(name, key_of(ref)), 2.0)
            raise InternalError("waiting for a topic returned")
        return {}

    def _resources(self, run: Run, ctx: StepContext) -> Mapping[str, Any]:
        ref = run.input["service_ref"]
        return {
            "destroyed": [uid for name in run.input["environments"] for uid in self._remover.resources(ctx, ref, name)]
        }

    def _record(self, run: Run, ctx: StepContext) -> Mapping[str, Any]:
        for name in run.input["environments"]:
            self._remover.record(ctx, run.input["service_ref"], name)
        return {}

    def _repository(self, run: Run, ctx: StepContext) -> Mapping[str, Any]:
        name = run.input.get("repository")
        if name:
            archive = bool(run.input.get("archive"))
            forge(self._platform).delete_repository(name, archive=archive)
            ctx.log(f"the repository {name} is {'archived' if archive else 'gone'}", "stdout")
        return {"repository": name}

    def _entities(self, run: Run, ctx: StepContext) -> Mapping[str, Any]:
        """Unregister what was read from the repository, and the service itself however it came into the catalog."""
        operation, ref = op_context(self._platform, ctx), run.input["service_ref"]
        gone: list[str] = []
        if run.input.get("repository"):
            for location in catalog.list_locations(self._platform, repository=run.input["repository"]):
                gone += catalog.unregister_location(operation, location.id)
        document = catalog.get_entity(self._platform, ref)
        # Only the entity that this run is about: one registered anew under its name is another service.
        if document is not None and document["metadata"].get("uid") == run.input["service_uid"]:
            self._platform.store.write(lambda tx: catalog.delete_entity(tx, operation, ref))
            gone.append(ref)
        ctx.log(f"removed from the catalog: {', '.join(gone) or 'nothing was left'}", "stdout")
        return {"entities": gone}
