"""Reactions to events: pushes start pipelines, deleted repositories end theirs, components get the releases that waited
for them, releases follow `autoDeploy`. At least once each, so every reaction starts its work under a key of its own."""

from __future__ import annotations

from collections.abc import Sequence

from taxiway.core.context import OpContext, Platform
from taxiway.features.delivery import repository
from taxiway.features.delivery.engines import REPOSITORY, service_of_repository
from taxiway.features.delivery.reconciler import PREFIX
from taxiway.features.delivery.service.pipelines import ensure_release, start_pipelines, start_pull_pipelines
from taxiway.features.environments import repository as environments
from taxiway.features.environments.service import list_environments, service_entity, start_deployment
from taxiway.features.infrastructure import entities
from taxiway.kit.pointer import dig
from taxiway.model.access import Principal
from taxiway.model.errors import ConflictError, TaxiwayError, UnavailableError
from taxiway.model.event import Event, EventHead
from taxiway.plugin import PipelinePull

ZERO = "0" * 40


def _system(platform: Platform, on_behalf_of: str | None) -> OpContext:
    ctx = platform.system("delivery")
    return ctx.acting_as(
        Principal(ctx.principal.subject, ctx.principal.roles, on_behalf_of=on_behalf_of, via=ctx.principal.via)
    )


class PipelineSubscriber:
    """A push to the default branch starts one pipeline per workflow that it triggers."""

    key = "delivery.pipelines"
    types: Sequence[str] = ("dev.taxiway.repository.pushed.v1",)

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def handle(self, event: Event) -> None:
        data = event.data
        name, ref, after = str(data.get("repository", "")), str(data.get("ref", "")), str(data.get("after", ""))
        if name.startswith(PREFIX) or not ref.startswith("refs/heads/") or not after or after == ZERO:
            return
        branch = ref.removeprefix("refs/heads/")
        pusher = data.get("pusher")
        try:
            start_pipelines(_system(self._platform, str(pusher) if pusher else None), name, after, branch)
        except UnavailableError:
            raise
        except TaxiwayError as error:
            self._platform.log.warning("pipeline_not_started", repository=name, commit=after, reason=error.detail)


class AbandonedSubscriber:
    """No pipeline goes on for a repository that is gone."""

    key = "delivery.abandoned"
    types: Sequence[str] = ("dev.cdevents.repository.deleted.",)

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def handle(self, event: Event) -> None:
        with self._platform.store.read() as conn:
            living = repository.living(conn, event.subject_uid or "")
        for run_id in living:
            try:
                self._platform.runs.cancel(self._platform.system("delivery"), run_id)
            except ConflictError:
                continue  # it has ended meanwhile


ACTIONS = {"head": "synchronize", "reopened": "reopened"}
"""GitHub's word for what happened to a pull request, by ours."""


class PullSubscriber:
    """A pull request that was opened, got new commits, or was opened again starts the workflows `on: pull_request`."""

    key = "delivery.pulls"
    types: Sequence[str] = ("dev.cdevents.change.created.", "dev.cdevents.change.updated.")

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def handle(self, event: Event) -> None:
        data = event.data
        action = ACTIONS.get(str(data.get("what", ""))) if ".updated." in event.type else "opened"
        if action is None:
            return
        name, commit, head = str(data["repository"]), str(data["commit"]), str(data["head"])
        pull = PipelinePull(int(data["number"]), action, str(data["base"]))
        ctx = _system(self._platform, event.on_behalf_of or event.actor)
        try:
            start_pull_pipelines(ctx, name, commit, head, pull)
        except UnavailableError:
            raise
        except TaxiwayError as error:
            self._platform.log.warning("pipeline_not_started", repository=name, commit=commit, reason=error.detail)


class ComponentSubscriber:
    """A component that names a repository gets the release of its newest green pipeline."""

    key = "delivery.components"
    types: Sequence[str] = ("dev.taxiway.entity.created.v1", "dev.taxiway.entity.updated.v1")

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def concerning(self, heads: Sequence[EventHead]) -> Sequence[EventHead]:
        """Those about components, if any release waits for one at all: a pipeline that ends later finds them itself."""
        components = [head for head in heads if head.subject.startswith("component:")]
        if not components:
            return ()
        with self._platform.store.read() as conn:
            return components if repository.any_unreleased(conn) else ()

    def handle(self, event: Event) -> None:
        if not event.subject.startswith("component:"):
            return
        document = entities.get_entity(self._platform, event.subject)
        name = dig(document or {}, "metadata", "annotations", REPOSITORY)
        if not name:
            return
        with self._platform.store.read() as conn:
            row = repository.unreleased(conn, str(name))
        if row is None or service_of_repository(self._platform, str(name)) is None:
            return
        try:
            ensure_release(self._platform.system("delivery"), row)
        except UnavailableError:
            raise
        except TaxiwayError as error:
            self._platform.log.warning("release_not_made", repository=name, reason=error.detail)


class AutoDeploySubscriber:
    """A new release goes to the environments of types with `autoDeploy` in which its service stands."""

    key = "delivery.auto_deploy"
    types: Sequence[str] = ("dev.cdevents.artifact.published.",)

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def handle(self, event: Event) -> None:
        try:
            self._deploy(event)
        except UnavailableError:
            raise
        except TaxiwayError as error:
            self._platform.log.warning("auto_deploy_skipped", service=event.subject, reason=error.detail)

    def _deploy(self, event: Event) -> None:
        platform, wanted = self._platform, str(event.data["release"])
        service = service_entity(platform, event.subject)
        for environment in list_environments(platform):
            if not environment.auto_deploy:
                continue
            with platform.store.read() as conn:
                rows = environments.history(conn, service.ref, environment.name, 50)
                release = environments.get_release(conn, wanted)
                there = {row["release_id"]: environments.get_release(conn, row["release_id"]) for row in rows}
            standing = [row for row in rows if row["state"] not in ("removed", "removing")]
            if not standing or release is None or any(row["release_id"] == wanted for row in rows):
                continue
            # Pipelines may end in another order than their commits came: an older one must not win.
            latest = there[standing[0]["release_id"]]
            if latest and (latest["pipeline_id"] or "") > (release["pipeline_id"] or ""):
                continue
            ctx = _system(platform, event.on_behalf_of or event.actor)
            start_deployment(ctx, service, environment, wanted, request_key=f"auto:{environment.name}:{wanted}")
