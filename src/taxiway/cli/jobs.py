"""`taxiway jobs`: scheduled workloads, their jobs, and a run now."""

from __future__ import annotations

import time
from typing import Any

from cyclopts import App

from taxiway.cli.client import Client, find_session, full_ref
from taxiway.cli.output import Output, note, show

app = App(name="jobs", help="Scheduled workloads and their jobs.")
BASE = "/api/environments/v1"
LOOK_SECONDS = 0.5


def _query(service: str | None, environment: str | None) -> dict[str, Any]:
    return {"service": full_ref(service) if service else None, "environment": environment}


@app.command(name="list")
def list_jobs(*, service: str | None = None, environment: str | None = None, output: Output = "table") -> None:
    """List the jobs that are kept, newest first."""
    columns = ["id", "state", "scheduled_at", "started_at", "ended_at", "attempts", "exit_code", "message"]
    show(
        Client(find_session()).call("GET", f"{BASE}/jobs", query=_query(service, environment))["items"], output, columns
    )


@app.command
def schedules(*, service: str | None = None, environment: str | None = None, output: Output = "table") -> None:
    """List scheduled workloads with their next and last run."""
    columns = [
        "service",
        "environment",
        "schedule",
        "time_zone",
        "next_at",
        "last_scheduled_at",
        "suspended",
        "message",
    ]
    found = Client(find_session()).call("GET", f"{BASE}/schedules", query=_query(service, environment))
    show(found["items"], output, columns)


@app.command
def run(service: str, environment: str, *, wait: bool = True) -> int:
    """Run the scheduled workload of SERVICE in ENVIRONMENT now, and print its output."""
    client = Client(find_session())
    body = {"service_ref": full_ref(service), "environment": environment}
    job = client.call("POST", f"{BASE}/jobs", body=body)
    note(f"job {job['id']}")
    after = 0
    while wait and job["state"] not in ("succeeded", "failed"):
        time.sleep(LOOK_SECONDS)
        # The job first: what it wrote before its end is then in the log.
        kept = client.call("GET", f"{BASE}/jobs", query=_query(service, environment))["items"]
        there = next((one for one in kept if one["id"] == job["id"]), None)
        job = there or _forgotten(job)
        after = _print(client, job["id"], after) if there else after
    if job["state"] == "failed":
        note(f"failed: {job['message']}")
    return 1 if job["state"] == "failed" else 0


@app.command
def logs(job_id: str, *, follow: bool = False) -> None:
    """Print the log of a job, all of its attempts in one."""
    client = Client(find_session())
    after = _print(client, job_id, 0)
    if follow:
        for event, line in client.stream(f"{BASE}/jobs/{job_id}/logs/stream", {"after": after}):
            if event == "log":
                print(line["text"], flush=True)


def _print(client: Client, job_id: str, after: int) -> int:
    """Print what is new, and return where it ends."""
    while lines := client.call("GET", f"{BASE}/jobs/{job_id}/logs", query={"after": after, "limit": 1000})["items"]:
        for line in lines:
            print(line["text"], flush=True)
        after = lines[-1]["seq"]
    return after


def _forgotten(job: dict[str, Any]) -> dict[str, Any]:
    """A job that ended, and that the history limits of its workload have not kept."""
    return {
        **job,
        "state": "failed",
        "message": "the job is not kept any more: raise the history limits of its workload",
    }
