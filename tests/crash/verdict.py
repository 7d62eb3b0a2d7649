"""What must be true when a main job was killed and came to its end: nothing lost, nothing doubled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import func, select

from acceptance.conftest import wait_for
from acceptance.http import fetch
from crash.machine import Job
from taxiway.core.store import tables
from taxiway.kit.processes import RUN_MARKER, find_marked
from taxiway.model.run import ENDED

BASE = "/api/environments/v1"
SERVICE = "component:default/parcels"
COMMAND = b"/bin/parcels"


def violations(job: Job) -> list[str]:
    """Everything that is wrong, in words; empty when all is well. The job has succeeded, its server answers."""
    found = [f"a run is still open: {text}" for text in job.quiet()]
    for check in (_runs, _catalog, _delivery, _database, _processes, _audit):
        try:
            found += check(job)
        except AssertionError as error:
            found.append(str(error))
    return found


def _runs(job: Job) -> Iterator[str]:
    run, step, event = tables.run, tables.run_step, tables.event
    ended = select(event.c.subject, func.count()).where(event.c.type == "dev.taxiway.run.ended.v1")
    counts = {row[0]: row[1] for row in job.look.rows(ended.group_by(event.c.subject))}
    for row in job.look.rows(select(run)):
        name = f"run {row.kind} {row.id}"
        if row.state == "failed" and not row.error:
            yield f"{name} failed without a reason"
        if row.state in ENDED and (row.executor or not row.ended_at):
            yield f"{name} ended as {row.state} but has executor {row.executor}, end {row.ended_at}"
        # Each retry ends the run once more; without one there is exactly one end.
        if counts.get(f"run:{row.id}", 0) > row.segment or (row.state in ENDED and not counts.get(f"run:{row.id}")):
            yield f"{name} has {counts.get(f'run:{row.id}', 0)} events of its end"
        if left := list(find_marked(RUN_MARKER, row.id)):
            yield f"{name} left processes: {left}"
    for row in job.look.rows(select(step)):
        things = [(item["kind"], item["name"]) for item in row.created]
        if twice := [thing for thing, number in Counter(things).items() if number > 1]:
            yield f"step {row.id} of {row.run_id} lists twice: {twice}"


def _catalog(job: Job) -> Iterator[str]:
    locations = [item["data"]["target"] for item in job.ask("GET", "/api/catalog/locations")]
    if (number := sum("parcels" in target for target in locations)) != 1:
        yield f"{number} locations of parcels: {locations}"
    job.ask("GET", "/api/catalog/entities/by-name/component/default/parcels")


def _items(job: Job, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = job.ask("GET", path)["items"]
    return found


def _delivery(job: Job) -> Iterator[str]:
    repositories = [r["name"] for r in _items(job, "/api/delivery/v1/repositories?limit=100")]
    if repositories.count("parcels") != 1:
        yield f"repositories: {repositories}"
    record = tables.plugin_record
    query = select(record.c.value).where(record.c.plugin == "git_local", record.c.key.like("repository/%"))
    known = {f"{row.value['uid']}.git" for row in job.look.rows(query)}
    folders = {path.name for path in (job.server.data / "plugins" / "git_local" / "repositories").glob("*.git")}
    if folders != known:
        yield f"folders of repositories on disk {folders}, known {known}"
    commits = Counter(item["commit"] for item in _items(job, f"{BASE}/releases?service={SERVICE}"))
    if list(commits.values()) != [1]:
        yield f"releases by commit: {dict(commits)}"
    found = _items(job, f"/api/delivery/v1/pipelines?service={SERVICE}")
    pipelines = [item for item in found if item["commit"] in commits]  # A pull request has one of its own.
    if len(pipelines) != 1 or pipelines[0]["state"] != "succeeded":
        yield f"pipelines: {[(item['id'], item['state']) for item in pipelines]}"
    deployments = _items(job, f"{BASE}/deployments?service={SERVICE}")
    if [item["state"] for item in deployments] != ["live"]:
        yield f"deployments: {[(item['id'], item['state']) for item in deployments]}"
    events = _items(job, "/api/events/v1/events?type=dev.cdevents.service.deployed")
    if len(events) != 1:
        yield f"{len(events)} events of a deployment"
    url = deployments[0]["url"]
    wait_for(lambda: fetch(url, "/readyz")[0] == 200, 30, f"{url}/readyz answers 200")


def _database(job: Job) -> Iterator[str]:
    resources = [r for r in _items(job, f"{BASE}/resources?service={SERVICE}") if r["state"] != "deleted"]
    if twice := [t for t, number in Counter((r["type"], r["name"]) for r in resources).items() if number > 1]:
        yield f"resources twice: {twice}"
    if other := [(r["type"], r["state"]) for r in resources if r["state"] != "ready"]:
        yield f"resources that are not ready: {other}"
    outputs = next(r for r in resources if r["type"] == "postgres")["outputs"]
    pid = wait_for(lambda: next(iter(processes(job.server.data)), None), 30, "a process of parcels")
    environ = dict(
        pair.split("=", 1) for pair in Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0") if "=" in pair
    )
    place = {"host": outputs["host"], "port": outputs["port"], "dbname": outputs["name"], "user": outputs["username"]}
    with psycopg.connect(**place, password=environ["DATABASE_PASSWORD"]) as connection:
        names = connection.execute("select datname from pg_database where datname like 'tw\\_%'").fetchall()
        roles = connection.execute("select rolname from pg_roles where rolname like 'tw\\_%'").fetchall()
        tables_there = connection.execute("select count(*) from item").fetchall()
    if (len(names), len(roles), len(tables_there)) != (1, 1, 1):
        yield f"databases {names}, roles {roles}"


def processes(data: Path) -> list[int]:
    """Ids of the processes that run the service's command from `data`; shims are not among them."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if any(word.endswith(COMMAND) and word.startswith(str(data).encode()) for word in words[:2]):
                found.append(int(entry.name))
    return found


def _processes(job: Job) -> Iterator[str]:
    def one() -> bool:
        return len(processes(job.server.data)) == 1

    try:
        wait_for(one, 30, "exactly one process of parcels")
    except AssertionError:
        yield f"processes of parcels: {processes(job.server.data)}"
    running = [item for item in _items(job, f"{BASE}/workloads?service={SERVICE}") if item["pid"]]
    if len(running) != 1:
        yield f"workloads: {running}"


def _audit(job: Job) -> Iterator[str]:
    done = job.server.cli("audit", "verify", "--data", str(job.server.data), check=False)
    if done.returncode or "the chain is whole" not in done.stderr:
        yield f"audit verify: {done.stdout}{done.stderr}"
