"""The runs of CronJobs on disk: JOBS/<slot>/runs/<name>/{spec.json, state.json, lock, log}, kept by a job's shim.

The name of a run says what it is for: `job-<minutes>` for the time it was due (as Kubernetes names them),
`manual-<hex>` for a request. A folder comes to be whole and once, so no time and no request is served twice, whoever
asks.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taxiway.model.workload import JobState, JobStatus
from taxiway.plugin import MICROSECONDS
from taxiway.plugins.process import files
from taxiway.plugins.process.bundle import Bundle, labels, problem
from taxiway.plugins.process.place import Places
from taxiway.plugins.process.preparing import prepare
from taxiway.plugins.process.schedule import Schedule
from taxiway.plugins.process.spec import Instance, instance_spec
from taxiway.plugins.process.supervisor import (
    JOB_ENDS,
    adopt,
    ended_job,
    is_retired,
    read_state,
    start_instance,
    stop_instance,
)

RELEASE_LABEL = "taxiway.dev/release"
DEPLOYMENT_LABEL = "taxiway.dev/deployment"
SERVICE_REF = "taxiway.dev/service-ref"
JOB_ID = re.compile(r"([a-z0-9-]+\.[a-z0-9-]+)\.((?:job|manual)-[0-9a-f]+)")


@dataclass(frozen=True)
class Request:
    """Why a run is made: the time it was due, or who asked for it under which key."""

    scheduled_at: int | None = None
    key: str = ""
    by: str | None = None

    @property
    def name(self) -> str:
        if self.scheduled_at is not None:
            return f"job-{self.scheduled_at // (60 * MICROSECONDS)}"
        return "manual-" + hashlib.sha256(self.key.encode()).hexdigest()[:12]


def create(places: Places, bundle: Bundle, schedule: Schedule, request: Request, now: int) -> Instance:
    """The run for the request, made when it is not there. It is not started. Errors say what to do."""
    slot, name = bundle.slot, request.name
    folder = places.jobs(slot) / "runs"
    there = read(folder / name)
    if there is not None:
        return there
    files_ = places.job_files(slot)
    home = places.make_folder(files_ / name)
    ready = prepare(places, bundle, home, files_ / "files")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    metadata = bundle.controller["metadata"]
    spec = instance_spec(ready.workload, f"{slot}/{name}", ready.generation, uuid.uuid4().hex, [])
    spec["job"] = {
        "backoff_limit": schedule.backoff_limit,
        "active_deadline_seconds": schedule.active_deadline_seconds,
        "backoff_seconds": float(places.ctx.settings.job_backoff_seconds),
        "bell": str(places.bell),
        "created_at": now,
        "scheduled_at": request.scheduled_at,
        "by": request.by,
        "artifact": bundle.artifact,
        "service": bundle.service,
        "service_ref": (metadata.get("annotations") or {}).get(SERVICE_REF),
        "release": labels(bundle.controller).get(RELEASE_LABEL),
        "deployment": labels(bundle.controller).get(DEPLOYMENT_LABEL),
    }
    temporary = folder / f".new-{name}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(mode=0o700)
    files.write_json(str(temporary / "spec.json"), spec)
    temporary.rename(folder / name)
    files.sync_folder(str(folder))
    return Instance(folder / name, 0, spec)


def start(places: Places, run: Instance) -> None:
    """Make sure that its shim is at work, unless it has ended. Idempotent."""
    start_instance(run, secret=places.secret)


def read(folder: Path) -> Instance | None:
    """The run in the folder."""
    spec = files.read_json(str(folder / "spec.json"))
    return Instance(folder, 0, spec) if isinstance(spec, dict) and isinstance(spec.get("job"), dict) else None


def runs(places: Places, slot: str) -> list[Instance]:
    """All runs that are kept, newest first."""
    found = [run for folder in (places.jobs(slot) / "runs").glob("[!.]*") if (run := read(folder)) is not None]
    return sorted(found, key=lambda run: (run.spec["job"]["created_at"], run.id), reverse=True)


def slots(places: Places) -> set[str]:
    """CronJobs that have left something on disk."""
    folders = (places.jobs("x").parent, places.job_files("x").parent)
    return {path.name for folder in folders for path in folder.glob("[!.]*") if path.is_dir()}


def unfinished(places: Places) -> list[Instance]:
    """Runs that are not at their end, whether something keeps them or not, and those whose shim still goes."""
    return [run for slot in slots(places) for run in runs(places, slot) if is_open(run) or is_kept(run)]


def is_open(run: Instance) -> bool:
    """Whether it is not at its end."""
    return ended_job(run.folder) is None


def is_kept(run: Instance) -> bool:
    """Whether a shim is at work for it."""
    return adopt(run.folder) is not None


def used(places: Places) -> set[str]:
    """The artefacts that CronJobs and their open runs need."""
    wanted = {one.artifact for one in places.bundles(kind="CronJob").values() if not problem(one)}
    return wanted | {str(run.spec["job"]["artifact"]) for run in unfinished(places)}


def end(run: Instance, why: str) -> None:
    """End a run for good: it failed, for this reason. Idempotent."""
    stop_instance(run)
    state = read_state(run.folder) or {}
    if state.get("phase") not in JOB_ENDS:
        ended = {"phase": "failed", "reason": why, "ended_at": time.time_ns() // 1000, "pid": None, "shim_pid": None}
        files.write_json(str(run.folder / "state.json"), {**state, **ended})


def forget(places: Places, slot: str, run: Instance) -> None:
    """Remove what is kept of a run that has ended."""
    shutil.rmtree(places.job_files(slot) / run.id, ignore_errors=True)
    shutil.rmtree(run.folder, ignore_errors=True)


def remove(places: Places, slot: str) -> None:
    """End all runs of a CronJob and forget it. Idempotent."""
    for run in runs(places, slot):
        if is_open(run):
            end(run, "the workload was removed")
    for folder in (places.jobs(slot), places.job_files(slot)):
        shutil.rmtree(folder, ignore_errors=True)


def tidy(places: Places, slot: str, schedule: Schedule) -> None:
    """Keep the newest ended runs, as many of each sort as the limits say, and no working folder of an ended one."""
    for phase, limit in (("succeeded", schedule.successful_limit), ("failed", schedule.failed_limit)):
        of_phase = [run for run in runs(places, slot) if (ended_job(run.folder) or {}).get("phase") == phase]
        for number, run in enumerate(of_phase):
            shutil.rmtree(places.job_files(slot) / run.id, ignore_errors=True)
            if number >= limit:
                forget(places, slot, run)


def status_of(slot: str, run: Instance) -> JobStatus:
    """The run as others see it."""
    state, job = read_state(run.folder) or {}, run.spec["job"]
    attempts: Sequence[Mapping[str, Any]] = state.get("attempts") or ()
    last = attempts[-1] if attempts else {}
    name, _, environment = slot.rpartition(".")
    found = _state(run, state)
    is_over = found in JOB_ENDS
    return JobStatus(
        id=f"{slot}.{run.id}",
        name=run.id,
        environment=environment,
        service=str(job["service"]),
        schedule=name,
        state=found,
        created_at=int(job["created_at"]),
        scheduled_at=job["scheduled_at"],
        requested_by=job["by"],
        release_id=job["release"],
        started_at=state.get("begun_at"),
        ended_at=state.get("ended_at") if is_over else None,
        attempts=len(attempts) + (1 if state.get("is_running") and not is_over else 0),
        exit_code=last.get("exit_code"),
        signal=last.get("signal"),
        message=_message(found, state, int(job["backoff_limit"])),
    )


def _state(run: Instance, state: Mapping[str, Any]) -> JobState:
    phase = state.get("phase")
    if phase in JOB_ENDS:
        return "succeeded" if phase == "succeeded" else "failed"
    if not state and not is_retired(run):
        return "pending"
    return "running" if is_kept(run) else "interrupted"


def _message(found: JobState, state: Mapping[str, Any], limit: int) -> str:
    if found == "failed":
        return str(state.get("reason") or "")
    if found == "running" and state.get("phase") == "backoff":
        return f"attempt {len(state['attempts'])} of {limit + 1} failed ({state['reason']}); the next one comes soon"
    if found == "interrupted":
        return "its keeper was killed or the machine went down: the running Taxiway takes it up again or ends it"
    return ""
