"""Keeps the jobs of a run as the host shows them, from the records that the runner yields. Pure.

Jobs are there from the start as `pending`, in the order of the workflow; a job with a matrix is replaced by its parts
when the first of them starts. Ids stay: the key in the workflow, or for a part of a matrix `act`'s name for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from taxiway.plugin import PipelineJob, PipelineStep
from taxiway.plugins.act.records import Conclusion, JobFinished, JobStarted, Record, StepFinished, StepStarted
from taxiway.plugins.act.workflow import MAX_STEPS, Workflow

STATES: Mapping[Conclusion, str] = {
    "success": "succeeded",
    "failure": "failed",
    "cancelled": "cancelled",
    "skipped": "skipped",
}


@dataclass
class _Job:
    id: str
    key: str
    name: str
    steps: dict[str, PipelineStep] = field(default_factory=dict)
    state: str = "pending"
    reason: str = ""
    started_at: int | None = None
    ended_at: int | None = None


class Jobs:
    """The jobs of one run."""

    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow
        self._jobs: dict[str, _Job] = {key: self._new(key, key) for key in workflow.jobs}

    def add(self, record: Record) -> bool:
        """Take a record in; whether a job changed by it."""
        if isinstance(record, StepStarted | StepFinished) and record.stage != "Main" and not _failed(record):
            return False  # `act` sets every action up and takes it down, also where that does nothing
        if isinstance(record, JobStarted):
            job = self._job(record.job, record.job_id)
            job.state, job.started_at = "running", record.at
        elif isinstance(record, StepStarted):
            job, key = self._job(record.job, record.job), _step_key(record)
            job.steps[key] = PipelineStep(_step_name(record), "running", record.at)
        elif isinstance(record, StepFinished):
            job, key = self._job(record.job, record.job), _step_key(record)
            step = job.steps.get(key, PipelineStep(_step_name(record), "running"))
            start = step.started_at or record.at - int(record.duration_seconds * 1_000_000)
            state = STATES[record.status]
            skipped = state == "skipped"
            job.steps[key] = replace(
                step, state=state, started_at=None if skipped else start, ended_at=None if skipped else record.at
            )
        elif isinstance(record, JobFinished):
            waiting = self._jobs.get(record.job_id)
            never_started = record.conclusion in ("skipped", "cancelled") and waiting and waiting.state == "pending"
            self._finish(waiting if waiting and never_started else self._job(record.job, record.job_id), record)
        else:
            return False
        return True

    def all(self) -> list[PipelineJob]:
        """All jobs as they stand."""
        return [
            PipelineJob(
                job.id, job.name, job.state, tuple(job.steps.values()), job.reason, job.started_at, job.ended_at
            )
            for job in self._jobs.values()
        ]

    def _job(self, name: str, key: str) -> _Job:
        """The job of a record: a started one by `act`'s name for it, else the one that waits under its key."""
        known = [job for job in self._jobs.values() if job.state != "pending" and job.name == name]
        if known:
            return known[0]
        waiting = self._jobs.get(key)
        if waiting is not None and waiting.state == "pending" and not self._has_matrix(key):
            waiting.name = name
            return waiting
        return self._add_part(name, key)

    def _add_part(self, name: str, key: str) -> _Job:
        """A part of a matrix, or a job of a called workflow: in the place of the whole, behind the parts before it."""
        part, jobs = self._new(name, key), list(self._jobs.values())
        last = max((number for number, job in enumerate(jobs) if job.key == key), default=len(jobs) - 1)
        jobs.insert(last + 1, part)
        whole = self._jobs.get(key)
        self._jobs = {job.id: job for job in jobs if job is not whole or whole.state != "pending"}
        return part

    def _has_matrix(self, key: str) -> bool:
        strategy = self._workflow.jobs.get(key, {}).get("strategy")
        return isinstance(strategy, dict) and "matrix" in strategy

    def _new(self, id_: str, key: str) -> _Job:
        job = self._workflow.jobs.get(key, {})
        name = str(job.get("name") or key) if id_ == key else id_
        return _Job(id_, key, name, dict(_planned(job.get("steps"))))

    def _finish(self, job: _Job, record: JobFinished) -> None:
        job.state, job.reason = STATES[record.conclusion], record.reason
        if job.started_at is not None:
            job.ended_at = record.at
        for key, step in job.steps.items():
            if step.state == "pending":
                job.steps[key] = replace(step, state="skipped")
            elif step.state == "running":
                ended = job.state if job.state in ("failed", "cancelled") else "failed"
                job.steps[key] = replace(step, state=ended, ended_at=record.at)


def _planned(steps: Any) -> Sequence[tuple[str, PipelineStep]]:
    found = []
    for number, step in enumerate(steps[:MAX_STEPS] if isinstance(steps, list) else []):
        if isinstance(step, dict):
            command = str(step.get("uses") or step.get("run") or "").strip().partition("\n")[0]
            found.append(
                (str(step.get("id") or number), PipelineStep(str(step.get("name") or command)[:200], "pending"))
            )
    return found


def _failed(record: StepStarted | StepFinished) -> bool:
    return isinstance(record, StepFinished) and record.status == "failure"


def _step_key(record: StepStarted | StepFinished) -> str:
    return record.step if record.stage == "Main" else f"{record.stage}/{record.step}"


def _step_name(record: StepStarted | StepFinished) -> str:
    return record.name if record.stage == "Main" else f"{record.stage} {record.name}"
