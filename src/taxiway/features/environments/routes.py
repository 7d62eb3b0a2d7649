"""Operations over environments: what is where, deploy, roll back, remove, look at workloads and resources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import Header, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import json_bytes, json_list
from taxiway.core.http.sse import After, Batch, SseEvent, event_stream, resume_after
from taxiway.core.operations import Operations
from taxiway.features.environments import service
from taxiway.features.environments.service import views
from taxiway.kit.paging import DEFAULT_LIMIT, MAX_LIMIT
from taxiway.model.workload import LogLine, WorkloadStatus

operations = Operations("environments")
BASE = "/api/environments/v1"
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]
LineLimit = Annotated[int, Query(ge=1, le=5000)]


class EnvironmentView(BaseModel):
    """An environment. `repository` holds its desired state."""

    name: str
    title: str
    type: str
    destination: str
    production: bool
    rank: int
    auto_deploy: bool
    repository: str


class EnvironmentList(BaseModel):
    """All environments, by rank."""

    items: list[EnvironmentView]


class DeploymentView(BaseModel):
    """A deployment. `health` is measured for what is live; times are microseconds UTC."""

    id: str
    deployment_id: str
    service_ref: str
    environment: str
    release_id: str
    previous_release_id: str | None
    version: str | None
    commit: str | None
    action: str
    state: str
    health: str
    sync: str | None
    message: str | None
    url: str | None
    created_at: int
    deployed_at: int | None
    run_id: str


class DeploymentList(BaseModel):
    """A page of deployments, newest first."""

    items: list[DeploymentView]
    next_cursor: str | None


class CellView(DeploymentView):
    """A cell of the matrix. `latest_state` is the state of the newest deployment when that is not the one shown."""

    latest_state: str


class ServiceRow(BaseModel):
    """A service in the matrix, with a cell for each environment it is in."""

    ref: str
    title: str
    owner: str | None
    cells: dict[str, CellView]


class Matrix(BaseModel):
    """Services by environments."""

    environments: list[EnvironmentView]
    services: list[ServiceRow]


class ReleaseView(BaseModel):
    """An immutable release."""

    id: str
    service_ref: str
    commit: str
    version: str
    digest: str
    score_hash: str
    repository: str
    created_at: int


class ReleaseList(BaseModel):
    """A page of releases, newest first."""

    items: list[ReleaseView]
    next_cursor: str | None


class DeployBody(BaseModel):
    """What to deploy where."""

    model_config = ConfigDict(extra="forbid")
    service_ref: str
    environment: str
    release_id: str


class RollbackBody(BaseModel):
    """Where to roll back, and to which release; without one, the release that was live before."""

    model_config = ConfigDict(extra="forbid")
    service_ref: str
    environment: str
    release_id: str | None = None


class DeploymentStarted(BaseModel):
    """The run that deploys."""

    run_id: str
    deployment_id: str


class RunStarted(BaseModel):
    """The run that does it."""

    run_id: str


class WorkloadView(BaseModel):
    """A workload instance as measured now."""

    id: str
    name: str
    environment: str
    service: str
    destination: str
    state: str
    ready: bool
    generation: str
    pid: int | None
    port: int | None
    restarts: int
    cpu_percent: float | None
    memory_bytes: int | None
    started_at: int | None
    url: str | None
    message: str


class WorkloadList(BaseModel):
    """Workload instances."""

    items: list[WorkloadView]


class WorkloadLogs(BaseModel):
    """Lines {seq, at, stream, text}, in order; the last seq is the cursor for more."""

    items: list[dict[str, Any]]


class ResourceView(BaseModel):
    """A resource. Secret outputs are masked."""

    model_config = ConfigDict(populate_by_name=True)
    id: str
    key: str
    name: str
    type: str
    environment: str
    service_ref: str
    recipe: str
    driver: str
    state: str
    error: str | None
    outputs: dict[str, Any]
    created_at: int


class ResourceList(BaseModel):
    """A page of resources."""

    items: list[ResourceView]
    next_cursor: str | None


class Explanation(BaseModel):
    """Why a resource gets its recipe."""

    resource: str
    type: str
    key: str
    chosen: str | None
    reason: str
    candidates: list[dict[str, Any]]


@operations.get(f"{BASE}/environments", "environments.read", response=EnvironmentList)
def list_environments(ctx: Ctx) -> Any:
    """Environments, by rank."""
    items = [views.environment_view(item) for item in service.list_environments(ctx.platform)]
    return json_bytes({"items": items})


@operations.get(f"{BASE}/matrix", "environments.read", response=Matrix)
def get_matrix(ctx: Ctx) -> Any:
    """Which release of which service is in which environment, and how it stands."""
    return json_bytes(views.matrix(ctx))


@operations.get(f"{BASE}/releases", "environments.read", response=ReleaseList)
def list_releases(ctx: Ctx, service: str | None = None, limit: Limit = DEFAULT_LIMIT, cursor: str | None = None) -> Any:
    """Releases, newest first."""
    page = views.releases(ctx, service, cursor, limit)
    return json_list(page.items, page.next_cursor)


@operations.get(f"{BASE}/deployments", "environments.read", response=DeploymentList)
def list_deployments(
    ctx: Ctx,
    service: str | None = None,
    environment: str | None = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Any:
    """Deployments, newest first."""
    page = views.deployments(ctx, service, environment, cursor, limit)
    return json_list(page.items, page.next_cursor)


@operations.post(f"{BASE}/deployments", "environments.deploy", status=202, response=DeploymentStarted)
def create_deployment(ctx: Ctx, body: DeployBody) -> Any:
    """Bring a release live in an environment."""
    started = service.deploy(ctx, body.service_ref, body.environment, body.release_id)
    return _accepted(started)


@operations.post(f"{BASE}/rollbacks", "environments.deploy", status=202, response=DeploymentStarted)
def create_rollback(ctx: Ctx, body: RollbackBody) -> Any:
    """Bring an older release live again."""
    return _accepted(service.rollback(ctx, body.service_ref, body.environment, body.release_id))


@operations.delete(
    f"{BASE}/services/{{kind}}/{{namespace}}/{{name}}", "environments.destroy", status=202, response=RunStarted
)
def destroy_service(ctx: Ctx, kind: str, namespace: str, name: str, environment: str | None = None) -> Any:
    """Remove a service, with its resources, from one environment or from all."""
    return _accepted(service.destroy(ctx, f"{kind}:{namespace}/{name}", environment))


@operations.get(f"{BASE}/workloads", "environments.read", response=WorkloadList)
def list_workloads(ctx: Ctx, service: str | None = None, environment: str | None = None) -> Any:
    """Running workload instances, as measured now."""
    items = [_workload(destination, item) for destination, item in views.workloads(ctx, service, environment)]
    return json_bytes({"items": items})


@operations.get(f"{BASE}/workloads/{{workload_id:path}}/logs", "environments.read", response=WorkloadLogs)
def list_workload_logs(ctx: Ctx, workload_id: str, after: After = 0, limit: LineLimit = 1000) -> Any:
    """Log lines of a workload behind `after`."""
    return json_bytes({"items": [line_view(line) for line in views.workload_logs(ctx, workload_id, after, limit)]})


@operations.get(f"{BASE}/workloads/{{workload_id:path}}/logs/stream", "environments.read", streams=True)
def follow_workload_logs(
    ctx: Ctx,
    workload_id: str,
    after: After = 0,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Follow the log of a workload (SSE): `log` with a line, its id is the line's seq."""
    start = max(after, resume_after(last_event_id))
    views.workload_logs(ctx, workload_id, start, 1)
    return event_stream(ctx.platform, Follow(lambda at: views.workload_logs(ctx, workload_id, at, 1000), start).poll)


@operations.get(f"{BASE}/resources", "environments.read", response=ResourceList)
def list_resources(
    ctx: Ctx,
    service: str | None = None,
    environment: str | None = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Any:
    """Resources that exist, secret outputs masked."""
    page = views.resources(ctx, service, environment, cursor, limit)
    return json_list(page.items, page.next_cursor)


@operations.get(f"{BASE}/explain", "environments.read", response=Explanation)
def explain_resource(ctx: Ctx, service: str, environment: str, resource: str) -> Any:
    """Why a resource of a service gets its recipe in an environment."""
    return json_bytes(views.explain(ctx, service, environment, resource))


class Follow:
    """Reads a log again and again, and says what is new. `read(after)` gives the lines behind a place."""

    def __init__(self, read: Callable[[int], Sequence[LogLine]], after: int) -> None:
        self.read, self.after = read, after

    def poll(self) -> Batch:
        lines = self.read(self.after)
        if lines:
            self.after = lines[-1].seq
        return Batch([SseEvent("log", line_view(line), str(line.seq)) for line in lines])


def _accepted(started: dict[str, str]) -> Response:
    return json_bytes(started, status=202, headers={"location": f"/api/runs/v1/runs/{started['run_id']}"})


def line_view(line: LogLine) -> dict[str, Any]:
    """A log line as the API shows it."""
    return {"seq": line.seq, "at": line.at, "stream": line.stream, "text": line.text}


def _workload(destination: str, item: WorkloadStatus) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "environment": item.environment,
        "service": item.service,
        "destination": destination,
        "state": item.state,
        "ready": item.ready,
        "generation": item.generation,
        "pid": item.pid,
        "port": item.port,
        "restarts": item.restarts,
        "cpu_percent": item.cpu_percent,
        "memory_bytes": item.memory_bytes,
        "started_at": item.started_at,
        "url": item.url,
        "message": item.message,
    }
