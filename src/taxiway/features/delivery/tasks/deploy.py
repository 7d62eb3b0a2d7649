"""Handler of runs of kind `deploy`: resolve, provision, render, commit, reconcile, record.

Each step is safe to repeat. It never touches a destination: it writes Git and waits for the reconciler's status. A
deployment that does not get healthy puts the desired state of the one before back, so that the old release stays live.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from taxiway.core.context import Platform
from taxiway.core.runs.handler import BaseHandler, StepResult
from taxiway.core.store.database import Tx
from taxiway.features.delivery import manifests
from taxiway.features.delivery.engines import forge, op_context
from taxiway.features.delivery.reconcile import status_topic
from taxiway.features.delivery.reconciler import Reconciler
from taxiway.features.delivery.render import Rendering, outputs_of, render
from taxiway.features.delivery.scaling import replicas_of, scaled
from taxiway.features.delivery.service import desired
from taxiway.features.delivery.tasks.facts import needed_of, provisioned_of, service_facts
from taxiway.features.delivery.tasks.waiting import poll
from taxiway.features.environments import repository
from taxiway.features.environments.model import Environment
from taxiway.features.environments.score import Workload, parse_score
from taxiway.features.environments.service import ServiceEntity, get_environment, get_release, service_entity
from taxiway.features.environments.service.deployments import SAME_RELEASE
from taxiway.features.environments.substitution import expand_tree, resolver
from taxiway.features.infrastructure import service as infrastructure
from taxiway.kit.spans import seconds_since, stamp
from taxiway.model.access import Principal, system_principal
from taxiway.model.errors import ConflictError, InputError, InternalError, TimedOutError, refuse_changed
from taxiway.model.event import EventDraft
from taxiway.model.run import Run, RunState, Step
from taxiway.plugin import StepContext

TIMEOUT_SECONDS = 180.0
GRACE_SECONDS = 20.0
"""How long a new deployment may show as degraded before it counts as failed: processes restart while they start."""
UNDO_SECONDS = 60.0
OPEN = ("queued", "failed", "cancelled")
HEALTHY = ("healthy", "suspended")


class DeployHandler(BaseHandler):
    """Steps `deploy:*`."""

    def __init__(self, platform: Platform, reconciler: Reconciler, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._platform, self._reconciler, self._timeout = platform, reconciler, timeout_seconds
        self._steps = {
            "deploy:resolve": self._resolve,
            "deploy:provision": self._provision,
            "deploy:render": self._render,
            "deploy:commit": self._commit,
            "deploy:reconcile": self._reconcile,
            "deploy:record": self._record,
        }

    def execute(self, run: Run, step: Step, ctx: StepContext) -> StepResult:
        self._refuse_removed(run)
        output = self._steps[step.action](run, ctx)
        if step.action == "deploy:provision":
            self._refuse_removed(run, lambda: self._destroy_made(run, ctx))
        return StepResult(output)

    def check_undo(self, run: Run, step: Step) -> None:
        if step.action == "deploy:provision":
            refuse_changed(infrastructure.held_by_run(self._platform, run.id))

    def undo(self, run: Run, step: Step, ctx: StepContext) -> None:
        if step.action == "deploy:provision":
            refuse_changed(infrastructure.held_by_run(self._platform, run.id), ctx.confirmed)
            self._destroy_made(run, ctx)
        elif step.action == "deploy:commit":
            self._restore(run, ctx)
            key = self._row(run)["service_key"]
            name = run.input["environment"]
            poll(lambda: self._is_gone_from(name, key, run), UNDO_SECONDS, ctx, f"{key} is still being put back")

    def finish(self, tx: Tx, run: Run, state: RunState) -> Mapping[str, Any]:
        row = repository.deployment_of_run(tx.conn, run.id)
        if row is None:
            return {}
        if state in ("failed", "cancelled"):
            repository.change_deployment(tx, row["id"], OPEN, state=state)
        elif state == "undone":
            self._take_back(tx, run, row)
        row = repository.deployment_of_run(tx.conn, run.id) or row
        self._platform.runs.wake(tx, f"deployment:{row['id']}")
        shown = {key: row[key] for key in ("service_ref", "environment", "release_id", "url", "state")}
        return {**shown, "deployment_id": row["id"]}

    def _resolve(self, run: Run, ctx: StepContext) -> Mapping[str, Any]:
        service, environment, workload, _ = self._subject(run)
        found = []
        for spec in workload.resources:
            needed = needed_of(spec, service, environment, workload, {}, {})
            recipe = infrastructure.match(self._platform, needed)
            self._platform.registry.get("resource_driver", recipe.driver)
            found.append({"name": spec.name, "key": spec.key, "recipe": recipe.ref, "driver": recipe.driver})
            ctx.log(f"{spec.name} ({spec.type}): {recipe.ref}", "stdout")
        self._platform.registry.get("destination", environment.destination)
        return {"workload": workload.name, "resources": found}

    def _provision(self, run: Run, ctx: StepContext) -> Mapping[str, Any]:
        service, environment, workload, _ = self._subject(run)
        operation, services = op_context(self._platform, ctx), service_facts(self._platform, environment)
        ready: dict[str, Any] = {}
        outputs: dict[str, Mapping[str, Any]] = {}
        for spec in workload.resources:
            resolve = resolver(workload.document["metadata"], outputs)
            needed = needed_of(spec, service, environment, workload, expand_tree(spec.params, resolve), services)
            made = infrastructure.provision_resource(operation, ctx, needed)
            ctx.log(f"{spec.name} ({spec.type}) is ready", "stdout")
            outputs[spec.name] = outputs_of(made)
            ready[spec.name] = {
                "uid": made.uid,
                "type": made.type,
                "driver": made.driver,
                "outputs": dict(made.outputs),
                "secret_references": dict(made.secrets),
                "manifests": [dict(item) for item in made.manifests],
            }
        return {"resources": ready}

    def _render(self, run: Run, ctx: StepContext) -> Mapping[str, Any]:
        service, environment, workload, release = self._subject(run)
        host = forge(self._platform)
        rendering = Rendering(
            service_key=service.key,
            service_ref=service.ref,
            namespace=environment.namespace,
            release_id=release["id"],
            deployment_id=self._row(run)["id"],
            artifact=release["digest"],
            resources=provisioned_of(_output(run, "provision")["resources"]),
            read_source=lambda path: host.read_file(release["repository"], release["commit"], _inside(path)),
        )
        objects = scaled(render(workload, rendering), self._replicas(run, environment, service))
        ctx.log(f"{len(objects)} objects: {', '.join(item['kind'] for item in objects)}", "stdout")
        return {"manifests": objects}

    def _replicas(self, run: Run, environment: Environment, service: ServiceEntity) -> int | None:
        """How many copies shall run: what this run was told, else what stands in Git."""
        if "replicas" in run.input:
            return int(run.input["replicas"])
        head = desired.head(self._platform, environment.repository)
        raw = desired.content(self._platform, environment.repository, head, service.key)
        try:
            return None if raw is None else replicas_of(manifests.read(raw, manifests.FILE))
        except InputError:  # a hand broke the file, which is written anew
            return None

    def _commit(self, run: Run, ctx: StepContext) -> Mapping[str, Any]:
        environment = get_environment(self._platform, run.input["environment"])
        row = self._row(run)
        desired.ensure_repository(self._platform, environment)
        before = ctx.checkpoint("before", lambda: desired.head(self._platform, environment.repository))
        path = manifests.path_of(row["service_key"])
        ctx.created("manifests", f"{environment.repository}/{path}", {"before": before})
        revision = self._write(run, row, ctx)
        return {"repository": environment.repository, "revision": revision, "before": before}

    def _reconcile(self, run: Run, ctx: StepContext) -> Mapping[str, Any]:
        row, name = self._row(run), run.input["environment"]
        since = ctx.checkpoint(f"since:{ctx.attempt}", lambda: stamp(self._platform.clock))
        self._write(run, row, ctx)
        with self._platform.store.read() as conn:
            status = repository.status(conn, name, row["service_key"])
        is_ours = status is not None and status["deployment_id"] == row["id"]
        if status is not None and is_ours and status["sync"] == "synced" and status["health"] in HEALTHY:
            ctx.log(f"healthy at {status['url'] or name}", "stdout")
            return {"revision": status["revision"], "health": status["health"], "url": status["url"]}
        waited = seconds_since(self._platform.clock, since)
        is_bad = is_ours and status is not None and status["health"] == "degraded" and waited > GRACE_SECONDS
        if is_bad or waited > self._timeout:
            self._give_up(run, ctx, status if is_ours else None, waited)
        self._reconciler.nudge()
        ctx.wait_for(status_topic(name, row["service_key"]), 2.0)
        raise InternalError("waiting for a topic returned")

    def _record(self, run: Run, ctx: StepContext) -> Mapping[str, Any]:
        row, result = self._row(run), _output(run, "reconcile")

        def work(tx: Tx) -> str | None:
            before = repository.live_deployments(tx.conn, row["service_ref"], row["environment"])
            values = {key: result[key] for key in ("health", "url", "revision")}
            if not repository.change_deployment(tx, row["id"], OPEN, state="live", deployed_at=tx.now, **values):
                return None
            for other in before:
                repository.change_deployment(tx, other["id"], ("live",), state="superseded")
            if row["action"] in SAME_RELEASE:
                return str(row["action"])
            verb = "rolledback" if row["action"] == "rollback" else "upgraded" if before else "deployed"
            self._emit(tx, ctx.principal, verb, row)
            return verb

        verb = self._platform.store.write(work)
        ctx.log(f"recorded: {verb or 'was recorded before'}", "stdout")
        return {"url": result["url"], "deployment_id": row["id"], "release_id": row["release_id"]}

    def _write(self, run: Run, row: Mapping[str, Any], ctx: StepContext) -> str | None:
        """Commit our objects unless this deployment holds the file already (a hand may have changed it since)."""
        repo, key = f"env-{row['environment']}", row["service_key"]
        head = desired.head(self._platform, repo)
        if desired.owner_deployment(desired.content(self._platform, repo, head, key))[0] == row["id"]:
            return head
        revision = desired.write(
            self._platform,
            repo,
            key,
            row["service_ref"],
            manifests.write(_output(run, "render")["manifests"]),
            deployment_id=row["id"],
            message=f"Deploy {key} {row['release_id'][:12]}",
            author=ctx.principal.subject,
        )
        self._reconciler.nudge()
        return revision

    def _give_up(self, run: Run, ctx: StepContext, status: Mapping[str, Any] | None, waited: float) -> None:
        row = self._row(run)
        said = (status or {}).get("message") or "the reconciler has not come to it: see the log of the server"
        if row["previous_id"]:
            self._restore(run, ctx)
            said += "; the release that was live before is put back"
        raise TimedOutError(
            f"{row['service_key']} did not get healthy in {row['environment']} within {waited:.0f} s: {said}. "
            "See its log, correct the service, and push again",
            code="delivery.not_healthy",
        )

    def _restore(self, run: Run, ctx: StepContext) -> None:
        """Put back what stood in Git before this deployment, unless something newer stands there."""
        row = self._row(run)
        step = next(s for s in run.steps if s.id == "commit")
        noted = [item.data.get("before") for item in step.created if item.kind == "manifests"]
        repo, key = f"env-{row['environment']}", row["service_key"]
        head = desired.head(self._platform, repo)
        if desired.owner_deployment(desired.content(self._platform, repo, head, key))[0] != row["id"]:
            return
        before = noted[0] if noted else (step.output or {}).get("before")
        desired.write(
            self._platform,
            repo,
            key,
            row["service_ref"],
            desired.content(self._platform, repo, before, key),
            deployment_id=None,
            message=f"Take back {key} {row['release_id'][:12]}",
            author=ctx.principal.subject,
        )
        self._reconciler.nudge()

    def _is_gone_from(self, name: str, key: str, run: Run) -> bool:
        """Whether the reconciler followed the undo: nothing of this deployment stands, what was before is healthy."""
        self._reconciler.nudge()
        with self._platform.store.read() as conn:
            status = repository.status(conn, name, key)
            applied = [row for row in repository.applied(conn, name) if row["service_key"] == key]
        if status is None:
            return not applied
        return bool(status["deployment_id"] != self._row(run)["id"] and status["sync"] == "synced")

    def _take_back(self, tx: Tx, run: Run, row: Mapping[str, Any]) -> None:
        was_live = row["state"] == "live"
        repository.change_deployment(tx, row["id"], state="removed", health="missing", url=None)
        if not was_live:
            return
        previous = row["previous_id"]
        if previous and repository.change_deployment(tx, previous, ("superseded",), state="live"):
            self._emit(tx, system_principal("delivery"), "rolledback", row, row["previous_release_id"])
        else:
            self._emit(tx, system_principal("delivery"), "removed", row)

    def _emit(
        self, tx: Tx, principal: Principal, verb: str, row: Mapping[str, Any], release: str | None = None
    ) -> None:
        data = {
            "environment": row["environment"],
            "service": row["service_ref"],
            "release": release or row["release_id"],
            "deployment_id": row["id"],
        }
        draft = EventDraft(
            f"dev.cdevents.service.{verb}.0.3.0", row["service_ref"], data, subject_uid=row["service_uid"]
        )
        self._platform.events.append(tx, principal, draft, owner=row["owner"])

    def _destroy_made(self, run: Run, ctx: StepContext) -> None:
        infrastructure.destroy_made_by_run(op_context(self._platform, ctx), ctx, run.id)

    def _refuse_removed(self, run: Run, clean: Callable[[], None] = lambda: None) -> None:
        """Nothing may come back that was removed while the run was on its way."""
        row = self._row(run)
        if row["state"] in ("removing", "removed"):
            clean()
            raise ConflictError(f"{row['service_ref']} was removed from {row['environment']} meanwhile")

    def _row(self, run: Run) -> Mapping[str, Any]:
        with self._platform.store.read() as conn:
            row = repository.deployment_of_run(conn, run.id)
        if row is None:
            raise InternalError(f"the run {run.id} has no deployment")
        return row

    def _subject(self, run: Run) -> tuple[ServiceEntity, Environment, Workload, Mapping[str, Any]]:
        release = get_release(self._platform, run.input["release_id"])
        service = service_entity(self._platform, run.input["service_ref"])
        if service.uid != release["service_uid"]:
            raise ConflictError(f"{service.ref} is not the service that this release was made for")
        environment = get_environment(self._platform, run.input["environment"])
        return service, environment, parse_score(release["score"]), release


def _output(run: Run, step_id: str) -> Mapping[str, Any]:
    return next((step.output or {} for step in run.steps if step.id == step_id), {})


def _inside(path: str) -> str:
    """A path of the repository; what points out of it is simply not there."""
    return path.removeprefix("./")
