"""A golden path of twelve steps with a forge, a deployment and an approval, to be killed in; and its undo."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import yaml

import taxiway
from crash.machine import DyingServer, Job
from crash.verdict import SERVICE, processes

APPROVER = "user:default/bea.demo"
RUNS = "/api/runs/v1/runs"
MODEL = Path(taxiway.__file__).parent / "library" / "golden-paths" / "python-service"
NAME = "killed"
STEP = "      - name: "
QUALITY = ("Lint, format and static security analysis", "Types", "Tests", "Secret scan")
"""Steps of the pipeline that only take time here."""
STEPS: list[dict[str, Any]] = [
    {"id": "write", "action": "roadiehq:utils:fs:write", "input": {"path": "ORIGIN.md", "content": "made here\n"}},
    {"id": "rename", "action": "fs:rename", "input": {"files": [{"from": "ORIGIN.md", "to": "NOTES.md"}]}},
    {"id": "look", "action": "catalog:query", "input": {"filter": ["kind=group"], "limit": 1}},
]
GATE = {
    "id": "gate",
    "action": "debug:log",
    "input": {"message": "approved"},
    "taxiway:approval": {"message": "Go on?"},
}
LATER: list[dict[str, Any]] = [
    {"id": "change", "action": "roadiehq:utils:fs:write", "input": {"path": "extra/next.md", "content": "next\n"}},
    {
        "id": "propose",
        "action": "pull-request:create",
        "input": {
            "repository": "${{ steps.publish.output.repository }}",
            "branchName": "next",
            "title": "What comes next",
            "sourcePath": "extra",
            "targetPath": "extra",
        },
    },
    {"id": "pause", "action": "debug:wait", "input": {"seconds": 1}},
    {
        "id": "fetched",
        "action": "catalog:fetch",
        "input": {"entityRef": "${{ steps.register.output.entityRef }}", "optional": True},
    },
]
ORDER = [
    *("fetch", "write", "rename", "look", "publish", "register"),
    *("gate", "deploy", "change", "propose", "pause", "fetched"),
]
WAITING = ("gate", "deploy", "pause")


def write_template(folder: Path, *, is_twelve: bool = True) -> Path:
    """The golden path for Python services, its pipeline only building, with more steps around its own unless it is not
    to have twelve; returns its file."""
    shutil.copytree(MODEL / "skeleton", folder / "skeleton")
    workflow = folder / "skeleton" / ".github" / "workflows" / "ci.yml"
    workflow.write_text(_without(workflow.read_text(), QUALITY))
    document = yaml.safe_load((MODEL / "template.yaml").read_text())
    document["metadata"] = {"name": NAME}
    if is_twelve:
        fetch, publish, register, deploy = document["spec"]["steps"]
        document["spec"]["steps"] = [fetch, *STEPS, publish, register, GATE, deploy, *LATER]
        assert [step["id"] for step in document["spec"]["steps"]] == ORDER
    target = folder / "template.yaml"
    target.write_text(yaml.safe_dump(document, sort_keys=False))
    return target


def _without(workflow: str, names: Sequence[str]) -> str:
    """A workflow's text without the steps of these names; each begins with its name."""
    start, *steps = workflow.split(STEP)
    assert set(names) <= {step.partition("\n")[0] for step in steps}
    return STEP.join([start, *(step for step in steps if step.partition("\n")[0] not in names)])


def register(server: DyingServer, file: Path) -> str:
    """The reference of the template, once the catalog has it."""
    with server.client(server.token()) as client:
        made = client.post("/api/catalog/locations", json={"type": "file", "target": str(file)})
        assert made.status_code == 201, made.text
        deadline = time.monotonic() + 30
        while client.get(f"/api/catalog/entities/by-name/template/default/{NAME}").status_code != 200:
            assert time.monotonic() < deadline, "the template does not appear"
            time.sleep(0.05)
    return f"template:default/{NAME}"


def moments(rng: Random, count: int) -> list[str]:
    """Moments around commits of steps of this path, of its pipeline and its deployment."""
    states = [(name, state) for name in ORDER for state in ("running", "succeeded")]
    names = [f"scaffold.{name}.{state}" for name, state in [*states, *((name, "waiting") for name in WAITING)]]
    names += ["pipeline.build.running", "deploy.provision.succeeded", "deploy.commit.succeeded"]
    return [f"{name}.{rng.choice(('before', 'after'))}" for name in rng.sample(names, count)]


def settle(job: Job, approver: str, seconds: float = 300) -> list[str]:
    """Wait for the end of the run, and let somebody else approve it; returns what was tried again, and why."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        job.revive()
        row = job.look.run(job.run_id)
        if row is not None and str(row.waiting_for or "").startswith("approval:"):
            _approve(job, approver)
        if row is not None and (row.state == "succeeded" or row.state in ("failed", "needs_attention")):
            return job.settle(deadline - time.monotonic())
        time.sleep(0.05)
    raise AssertionError(f"the run does not end: {job.state()}, {job.look.where(job.run_id)}")


def _approve(job: Job, approver: str) -> None:
    """Once, even when the answer is lost: a run that waits no more has its approval."""
    with job.server.client(approver) as client:
        try:
            answer = client.post(f"{RUNS}/{job.run_id}/approvals", json={"decision": "approved"})
        except Exception:
            return
        assert answer.is_success or answer.status_code in (409, 429, 503), answer.text[:500]


def undo(job: Job, seconds: float = 120) -> list[str]:
    """Take the whole run back; what it left behind, in words."""
    job.ask("POST", f"{RUNS}/{job.run_id}/undo", key="crash-undo")
    deadline = time.monotonic() + seconds
    while job.state() != "undone":
        job.revive()
        assert time.monotonic() < deadline, f"undo does not end: {job.state()}, {job.look.where(job.run_id)}"
        time.sleep(0.1)
    return list(_left(job))


def _left(job: Job) -> Iterator[str]:
    base = "/api/environments/v1"
    if names := [item["name"] for item in _items(job, "/api/delivery/v1/repositories?limit=100") if _is_ours(item)]:
        yield f"repositories: {names}"
    with job.server.client(job.token) as client:
        if client.get("/api/catalog/entities/by-name/component/default/parcels").status_code != 404:
            yield "the entity is in the catalog"
    if there := [item for item in job.ask("GET", "/api/catalog/locations") if "parcels" in item["data"]["target"]]:
        yield f"locations: {there}"
    if live := [item["id"] for item in _items(job, f"{base}/deployments?service={SERVICE}") if item["state"] == "live"]:
        yield f"live deployments: {live}"
    resources = [item for item in _items(job, f"{base}/resources?service={SERVICE}") if item["state"] != "deleted"]
    if resources:
        yield f"resources: {[(item['type'], item['state']) for item in resources]}"
    if running := processes(job.server.data):
        yield f"processes: {running}"


def _is_ours(item: dict[str, Any]) -> bool:
    return item["name"] == "parcels" and not item["archived"]


def _items(job: Job, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = job.ask("GET", path)["items"]
    return found
