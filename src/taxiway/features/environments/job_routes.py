"""Operations over scheduled workloads: their schedules, jobs and logs, and a run now."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import Header
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import json_bytes
from taxiway.core.http.sse import After, event_stream, resume_after
from taxiway.core.operations import Operations
from taxiway.features.environments.routes import BASE, Follow, LineLimit, WorkloadLogs, line_view
from taxiway.features.environments.service import jobs as jobs_service
from taxiway.model.workload import JobState

operations = Operations("environments")


class ScheduleView(BaseModel):
    """A scheduled workload. Times are microseconds UTC; `missed`: runs that were due and did not start."""

    name: str
    environment: str
    service: str
    destination: str
    schedule: str
    time_zone: str
    concurrency_policy: Literal["Allow", "Forbid", "Replace"]
    suspended: bool
    next_at: int | None
    last_scheduled_at: int | None
    last_succeeded_at: int | None
    missed: int
    message: str


class ScheduleList(BaseModel):
    """Scheduled workloads, by environment and service."""

    items: list[ScheduleView]


class ScheduledJobView(BaseModel):
    """A run of a scheduled workload. `scheduled_at` null: somebody asked for it. `exit_code` is the last attempt's."""

    id: str
    name: str
    environment: str
    service: str
    destination: str
    schedule: str
    state: JobState
    created_at: int
    scheduled_at: int | None
    requested_by: str | None
    release_id: str | None
    started_at: int | None
    ended_at: int | None
    attempts: int
    exit_code: int | None
    signal: int | None
    message: str


class ScheduledJobList(BaseModel):
    """The jobs that are kept, newest first."""

    items: list[ScheduledJobView]


class JobBody(BaseModel):
    """Which workload to run now."""

    model_config = ConfigDict(extra="forbid")

    service_ref: str
    environment: str


@operations.get(f"{BASE}/schedules", "environments.read", response=ScheduleList)
def list_schedules(ctx: Ctx, service: str | None = None, environment: str | None = None) -> Any:
    """Scheduled workloads, with their next and last run."""
    return json_bytes({"items": [_view(*pair) for pair in jobs_service.schedules(ctx, service, environment)]})


@operations.get(f"{BASE}/jobs", "environments.read", response=ScheduledJobList)
def list_jobs(ctx: Ctx, service: str | None = None, environment: str | None = None) -> Any:
    """Jobs of scheduled workloads, newest first."""
    return json_bytes({"items": [_view(*pair) for pair in jobs_service.jobs(ctx, service, environment)]})


@operations.post(f"{BASE}/jobs", "environments.deploy", status=202, response=ScheduledJobView)
def create_job(ctx: Ctx, body: JobBody) -> Any:
    """Run a scheduled workload now."""
    return json_bytes(_view(*jobs_service.run_job(ctx, body.service_ref, body.environment)), status=202)


@operations.get(f"{BASE}/jobs/{{job_id}}/logs", "environments.read", response=WorkloadLogs)
def list_job_logs(ctx: Ctx, job_id: str, after: After = 0, limit: LineLimit = 1000) -> Any:
    """Log lines of a job behind `after`, all attempts in one."""
    return json_bytes({"items": [line_view(line) for line in jobs_service.job_logs(ctx, job_id, after, limit)]})


@operations.get(f"{BASE}/jobs/{{job_id}}/logs/stream", "environments.read", streams=True)
def follow_job_logs(
    ctx: Ctx,
    job_id: str,
    after: After = 0,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Follow the log of a job (SSE): `log` with a line, its id is the line's seq."""
    start = max(after, resume_after(last_event_id))
    jobs_service.job_logs(ctx, job_id, start, 1)
    return event_stream(ctx.platform, Follow(lambda at: jobs_service.job_logs(ctx, job_id, at, 1000), start).poll)


def _view(destination: str, item: Any) -> dict[str, Any]:
    return {**asdict(item), "destination": destination}
