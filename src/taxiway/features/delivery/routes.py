"""Operations over delivery: pipelines, their logs, repositories, and taking a service out of use."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict

from taxiway.core.cursors import last_seen
from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import json_bytes, json_list
from taxiway.core.http.sse import After
from taxiway.core.operations import Operations
from taxiway.features.delivery.service import views
from taxiway.kit.paging import DEFAULT_LIMIT, MAX_LIMIT

operations = Operations("delivery")
BASE = "/api/delivery/v1"
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]


class JobStepView(BaseModel):
    """A step of a job."""

    name: str
    state: str
    seconds: float | None


class JobView(BaseModel):
    """A job. `reason` says why it failed."""

    id: str
    name: str
    state: str
    reason: str
    started_at: int | None
    ended_at: int | None
    steps: list[JobStepView]


class PipelineView(BaseModel):
    """One workflow of one commit; its id is that of its run."""

    id: str
    repository: str
    commit: str
    branch: str
    workflow: str
    state: str
    reason: str
    jobs: list[JobView]
    digest: str | None
    release_id: str | None
    created_at: int
    started_at: int | None
    ended_at: int | None


class PipelineList(BaseModel):
    """A page of pipelines, newest first."""

    items: list[PipelineView]
    next_cursor: str | None


class PipelineLogs(BaseModel):
    """Lines {seq, at, stream, text, step}, in order."""

    items: list[dict[str, Any]]


class RepositoryView(BaseModel):
    """A repository and the service that names it."""

    name: str
    clone_url: str
    default_branch: str
    service_ref: str | None
    archived: bool


class RepositoryList(BaseModel):
    """A page of repositories, by name."""

    items: list[RepositoryView]
    next_cursor: str | None


class DecommissionBody(BaseModel):
    """The service to take out of use."""

    model_config = ConfigDict(extra="forbid")
    service_ref: str


class DecommissionStarted(BaseModel):
    """The run that does it."""

    run_id: str


@operations.get(f"{BASE}/pipelines", "delivery.read", response=PipelineList)
def list_pipelines(
    ctx: Ctx,
    repository: str | None = None,
    service: str | None = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Any:
    """Pipelines, newest first."""
    page = views.pipelines(ctx, repository, service, cursor, limit)
    return json_list(page.items, page.next_cursor)


@operations.get(f"{BASE}/pipelines/{{pipeline_id}}", "delivery.read", response=PipelineView)
def get_pipeline(ctx: Ctx, pipeline_id: str) -> Any:
    """A pipeline with its jobs and steps."""
    return json_bytes(views.pipeline(ctx, pipeline_id))


@operations.get(f"{BASE}/pipelines/{{pipeline_id}}/logs", "delivery.read", response=PipelineLogs)
def list_pipeline_logs(
    ctx: Ctx,
    pipeline_id: str,
    after: After = 0,
    limit: Annotated[int, Query(ge=1, le=5000)] = 1000,
) -> Any:
    """Log lines of a pipeline behind `after`."""
    views.pipeline(ctx, pipeline_id)
    lines = ctx.platform.runs.logs(pipeline_id, step=None, after=after, limit=limit)
    items = [
        {"seq": line.seq, "at": line.at, "stream": line.stream, "text": line.text, "step": step} for step, line in lines
    ]
    return json_bytes({"items": items})


@operations.get(f"{BASE}/repositories", "delivery.read", response=RepositoryList)
def list_repositories(ctx: Ctx, limit: Limit = DEFAULT_LIMIT, cursor: str | None = None) -> Any:
    """Repositories of the forge."""
    page = views.repositories(ctx, last_seen(cursor, str) or "", limit)
    return json_list(page.items, page.next_cursor)


@operations.post(
    f"{BASE}/decommissions", "environments.destroy", status=202, response=DecommissionStarted, effect="destroy"
)
def create_decommission(ctx: Ctx, body: DecommissionBody) -> Any:
    """Remove a service for good: everywhere it runs, its resources, its repository, its entities."""
    started = views.decommission(ctx, body.service_ref)
    return json_bytes(started, status=202, headers={"location": f"/api/runs/v1/runs/{started['run_id']}"})
