"""What the portal shows of delivery: pipelines, their logs, repositories. Also starts decommissioning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taxiway.core.context import OpContext
from taxiway.core.cursors import position_of
from taxiway.features.delivery import repository
from taxiway.features.delivery.engines import REPOSITORY, forge, owner_of
from taxiway.features.environments import repository as environments
from taxiway.features.environments.model import DESTROY_STEPS
from taxiway.features.environments.service import service_entity
from taxiway.features.environments.service.views import full_ref
from taxiway.features.infrastructure import entities
from taxiway.kit.paging import Page, page_of
from taxiway.kit.pointer import dig
from taxiway.model.entity import ref_of
from taxiway.model.errors import NotFoundError
from taxiway.model.run import RunSpec, StepDefinition

READ = "delivery.read"
DECOMMISSION_STEPS = (
    *DESTROY_STEPS,
    StepDefinition("repository", "Delete the repository", "decommission:repository"),
    StepDefinition("entities", "Remove it from the catalog", "decommission:entities"),
)
COLUMNS = (
    "id",
    "repository",
    "commit",
    "branch",
    "workflow",
    "state",
    "reason",
    "jobs",
    "digest",
    "release_id",
    "created_at",
    "started_at",
    "ended_at",
)


def pipelines(
    ctx: OpContext, repository_name: str | None, service: str | None, cursor: str | None, limit: int
) -> Page[dict[str, Any]]:
    """Newest first, of a repository or of a service's repository."""
    if service and not repository_name:
        repository_name = service_entity(ctx.platform, service).repository
        if repository_name is None:
            return Page([])
    with ctx.platform.store.read() as conn:
        rows = repository.pipelines(conn, ctx.scope(READ), repository_name, position_of(cursor, str), limit + 1)
    page = page_of(rows, limit, lambda row: [row["id"]])
    return Page([_shown(row) for row in page.items], page.next_cursor)


def pipeline(ctx: OpContext, pipeline_id: str) -> dict[str, Any]:
    """One pipeline. NotFoundError when there is none, or none that the caller may see."""
    with ctx.platform.store.read() as conn:
        row = repository.get_pipeline(conn, pipeline_id)
    scope = ctx.scope(READ)
    if row is None or not (scope.everything or row["owner"] in scope.owners):
        raise NotFoundError(f"there is no pipeline {pipeline_id}", code="delivery.no_pipeline")
    return _shown(row)


def repositories(ctx: OpContext, after: str, limit: int) -> Page[dict[str, Any]]:
    """Repositories of the forge, with the service that each belongs to."""
    there = forge(ctx.platform).list_repositories(after, limit + 1)
    links = {
        dig(document, "metadata", "annotations", REPOSITORY): str(ref_of(document))
        for document in entities.list_entities(ctx.platform, "Component")
    }
    items = [
        {
            "name": item.name,
            "clone_url": item.clone_url,
            "default_branch": item.default_branch,
            "service_ref": links.get(item.name),
            "archived": item.archived,
        }
        for item in there
    ]
    return page_of(items, limit, lambda item: [item["name"]])


def decommission(
    ctx: OpContext,
    service_ref: str,
    *,
    archive: bool = False,
    parent_id: str | None = None,
    request_key: str | None = None,
) -> dict[str, str]:
    """Start a run that removes a service for good: deployments, resources, repository, entities. {run_id}.

    With `archive` the repository stays to be read.
    """
    service = service_entity(ctx.platform, service_ref)
    ctx.authorize("environments.destroy", service.owner)
    there = forge(ctx.platform).get_repository(service.repository) if service.repository else None
    if there is not None:
        # The annotation alone proves nothing: whoever deletes a repository must own it too.
        ctx.authorize("environments.destroy", owner_of(there))
    with ctx.platform.store.read() as conn:
        names = environments.environments_of(conn, str(full_ref(service_ref)))
    spec = RunSpec(
        kind="decommission",
        title=f"Decommission {service.key}",
        steps=DECOMMISSION_STEPS,
        input={
            "service_ref": service.ref,
            "service_uid": service.uid,
            "environments": names,
            "repository": service.repository,
            "archive": archive,
        },
        subject=service.ref,
        owner=service.owner,
        parent_id=parent_id,
        request_key=request_key,
    )
    return {"run_id": ctx.platform.store.write(lambda tx: ctx.platform.runs.start(tx, ctx.principal, spec))}


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in COLUMNS}
