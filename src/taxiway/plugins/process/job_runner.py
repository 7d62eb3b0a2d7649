"""The scheduled workloads of the destination `process` as others see them, and the request for a run now."""

from __future__ import annotations

from collections.abc import Sequence

from taxiway.model.errors import NotFoundError, TaxiwayError
from taxiway.model.workload import JobStatus, LogLine, ObjectKey, ObjectStatus, ScheduleStatus
from taxiway.plugins.process import jobs, logs
from taxiway.plugins.process.bundle import Bundle, labels, problem
from taxiway.plugins.process.job_keeper import JobKeeper, read_cron, read_status
from taxiway.plugins.process.schedule import schedule_of


class ProcessJobs:
    """Implements `JobRunner`."""

    key = "process"

    def __init__(self, keeper: JobKeeper) -> None:
        self._keeper, self._places = keeper, keeper.places

    def schedules(self, environment: str | None = None, service: str | None = None) -> Sequence[ScheduleStatus]:
        wanted = self._places.bundles(environment, "CronJob")
        found = (self._schedule(bundle) for bundle in wanted.values() if service in (None, bundle.service))
        return [one for one in found if one is not None]

    def jobs(self, environment: str | None = None, service: str | None = None) -> Sequence[JobStatus]:
        found = [
            status
            for slot in jobs.slots(self._places)
            if environment in (None, slot.rpartition(".")[2])
            for run in jobs.runs(self._places, slot)
            if service in (None, (status := jobs.status_of(slot, run)).service)
        ]
        return sorted(found, key=lambda job: (job.created_at, job.id), reverse=True)

    def run_job(self, environment: str, name: str, request: str, by: str) -> JobStatus:
        return self._keeper.request(environment, name, request, by)

    def logs(self, job_id: str, after: int, limit: int) -> Sequence[LogLine]:
        matched = jobs.JOB_ID.fullmatch(job_id)
        run = jobs.read(self._places.jobs(matched[1]) / "runs" / matched[2]) if matched else None
        if run is None:
            raise NotFoundError(f"no job {job_id} is here: it is older than what is kept; list the jobs again")
        lines = logs.read(run.folder, after, limit, is_over=not jobs.is_open(run))
        return [LogLine(line.seq, None, "stdout", line.text) for line in lines]

    def health(self, key: ObjectKey, bundle: Bundle) -> ObjectStatus:
        """How the CronJob stands: what it needs is there, and its newest run of this version did not fail."""
        status = read_status(self._places, bundle.slot)
        try:
            schedule = schedule_of(bundle.controller)
        except TaxiwayError as error:
            return ObjectStatus(key, True, "degraded", error.detail)
        refused = problem(bundle)
        if refused:
            return ObjectStatus(key, True, "degraded", refused)
        if status.get("digest") != bundle.digest:
            return ObjectStatus(key, True, "progressing", "the new version is being prepared")
        if status["state"] != "ready":
            return ObjectStatus(key, True, "degraded", str(status["message"]))
        if schedule.suspend:
            return ObjectStatus(key, True, "suspended", "its schedule is suspended")
        failed = self._failed(bundle)
        if failed is not None:
            code = "" if failed.exit_code is None else f" (exit code {failed.exit_code})"
            return ObjectStatus(key, True, "degraded", f"its last job failed{code}: {failed.message}; see its log")
        return ObjectStatus(key, True, "healthy")

    def _failed(self, bundle: Bundle) -> JobStatus | None:
        """The newest ended run, when it is of this deployment and failed."""
        ended = [run for run in jobs.runs(self._places, bundle.slot) if not jobs.is_open(run)]
        deployment = labels(bundle.controller).get(jobs.DEPLOYMENT_LABEL)
        if not ended or ended[0].spec["job"]["deployment"] != deployment:
            return None
        status = jobs.status_of(bundle.slot, ended[0])
        return status if status.state == "failed" else None

    def _schedule(self, bundle: Bundle) -> ScheduleStatus | None:
        try:
            schedule = schedule_of(bundle.controller)
        except TaxiwayError:
            # The status of the object says what is wrong with it.
            return None
        cron = read_cron(self._places, bundle.slot)
        is_known = cron.get("schedule") == schedule.text
        return ScheduleStatus(
            name=bundle.name,
            environment=bundle.environment,
            service=bundle.service,
            schedule=schedule.expression,
            time_zone=schedule.time_zone,
            concurrency_policy=schedule.concurrency_policy,
            suspended=schedule.suspend,
            next_at=cron.get("next_at") if is_known and not schedule.suspend else None,
            last_scheduled_at=cron.get("last"),
            last_succeeded_at=cron.get("succeeded"),
            missed=int(cron.get("missed") or 0),
            message=str(cron.get("reason") or "") or self._trouble(bundle),
        )

    def _trouble(self, bundle: Bundle) -> str:
        status = read_status(self._places, bundle.slot)
        return str(status["message"]) if status.get("state") == "failed" else ""
