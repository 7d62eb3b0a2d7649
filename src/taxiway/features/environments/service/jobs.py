"""Scheduled workloads and their jobs: what there is, the log of one, and a run now. Their destination does the work."""

from __future__ import annotations

from collections.abc import Sequence

from taxiway.core.context import OpContext
from taxiway.features.environments.model import Environment, service_key
from taxiway.features.environments.service.catalogue import ServiceEntity, get_environment, service_entity
from taxiway.features.environments.service.deployments import DEPLOY
from taxiway.model.entity import parse_ref
from taxiway.model.errors import ConflictError, NotFoundError
from taxiway.model.event import EventDraft
from taxiway.model.workload import JobStatus, LogLine, ScheduleStatus
from taxiway.plugin import JobRunner

REQUESTED = "dev.taxiway.job.requested.v1"


def schedules(ctx: OpContext, service: str | None, environment: str | None) -> list[tuple[str, ScheduleStatus]]:
    """(destination, scheduled workload), by environment and service."""
    key = _key(service)
    found = [(one.key, item) for one in _runners(ctx) for item in one.schedules(environment, key)]
    return sorted(found, key=lambda pair: (pair[1].environment, pair[1].service, pair[1].name))


def jobs(ctx: OpContext, service: str | None, environment: str | None) -> list[tuple[str, JobStatus]]:
    """(destination, job), newest first: those that the destinations keep."""
    key = _key(service)
    found = [(one.key, item) for one in _runners(ctx) for item in one.jobs(environment, key)]
    return sorted(found, key=lambda pair: (pair[1].created_at, pair[1].id), reverse=True)


def get_job(ctx: OpContext, job_id: str) -> tuple[JobRunner, JobStatus]:
    """A job with who runs it. NotFoundError when none of them keeps it."""
    for runner in _runners(ctx):
        for item in runner.jobs():
            if item.id == job_id:
                return runner, item
    raise NotFoundError(
        f"there is no job {job_id}: list the jobs to see its id; the oldest are not kept", code="environments.no_job"
    )


def job_logs(ctx: OpContext, job_id: str, after: int, limit: int) -> Sequence[LogLine]:
    """Lines behind `after` of all attempts of a job."""
    return get_job(ctx, job_id)[0].logs(job_id, after, limit)


def run_job(ctx: OpContext, service_ref: str, environment: str, request: str | None = None) -> tuple[str, JobStatus]:
    """Start the service's scheduled workload now: (destination, job). The caller must own the service.

    With a `request` used before, the job that was started then is returned.
    """
    service = service_entity(ctx.platform, service_ref)
    ctx.authorize(DEPLOY, service.owner)
    place = get_environment(ctx.platform, environment)
    runner = _runner_of(ctx, service, place)
    job = runner.run_job(place.name, service.key, request or ctx.platform.new_id(), ctx.principal.subject)
    data = {"service": service.ref, "environment": place.name, "job": job.id}
    draft = EventDraft(REQUESTED, service.ref, data, subject_uid=service.uid)
    ctx.platform.store.write(lambda tx: ctx.emit(tx, draft, owner=service.owner))
    return runner.key, job


def _runner_of(ctx: OpContext, service: ServiceEntity, place: Environment) -> JobRunner:
    if not ctx.platform.registry.has("job_runner", place.destination):
        raise ConflictError(
            f"{place.name} is on {place.destination}, which starts no jobs on request: start it there, or name "
            f"another environment of {service.ref}",
            code="environments.no_runner",
        )
    runner: JobRunner = ctx.platform.registry.get("job_runner", place.destination)
    return runner


def _runners(ctx: OpContext) -> Sequence[JobRunner]:
    found: list[JobRunner] = ctx.platform.registry.all("job_runner")
    return found


def _key(service: str | None) -> str | None:
    return service_key(parse_ref(service, default_kind="component")) if service else None
