"""What the browser specs operate on: a service with two releases; runs that fail once, need an approval, or hang; and
one whose repository has a commit of somebody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from acceptance.conftest import Server, wait_for
from acceptance.test_main_job import git
from acceptance.test_undo import DEVELOPER, WORKFLOW, create, ended, write_template

SERVICE = "tiny-box"
GATE = """
apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: {name: gate, title: Ask the desk}
spec:
  type: service
  owner: group:default/platform
  parameters: {properties: {name: {type: string}, owner: {type: string}, fault: {type: string}}}
  steps:
    - {id: call, name: Call the desk, action: "desk:call"}
    - {id: sign, name: Wait for a signature, action: "desk:sign"}
"""
PLUGIN = '''
"""A desk that is closed at the first call, and signs nothing by itself."""
from taxiway.model.errors import ConflictError
from taxiway.plugin import Plugin


class Action:
    description = "The desk"
    input_schema = {"type": "object"}
    output_schema = {"type": "object"}
    recovery = "idempotent"
    supports_dry_run = False

    def __init__(self, key):
        self.key = key

    def run(self, ctx, values):
        if self.key == "desk:sign":
            ctx.wait_for("approval", None)
        elif ctx.attempt < 2:
            raise ConflictError("the desk is closed: call again", code="desk.closed")
        return {}

    def probe(self, ctx, values):
        return None

    def undo(self, ctx, created):
        return None


PLUGIN = Plugin("desk", "0.1.0", lambda ctx: [("action", Action("desk:call")), ("action", Action("desk:sign"))])
'''
SLOW = '{% if values.fault == "slow" %}sleep 600{% endif %}'


def install(site: Path) -> dict[str, str]:
    """Put the plugin onto the import path of a server; the variables that do it."""
    info = site / "taxiway_desk-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: taxiway-desk\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[taxiway.plugins]\ndesk = taxiway_desk:PLUGIN\n")
    (site / "taxiway_desk.py").write_text(PLUGIN)
    return {"PYTHONPATH": str(site)}


def write_templates(root: Path) -> list[Path]:
    """The golden paths `tiny` (its fault `slow` hangs in the pipeline) and `gate`."""
    tiny = write_template(root / "tiny")
    workflow = tiny.parent / "skeleton" / ".github" / "workflows" / "ci.yml"
    workflow.write_text(WORKFLOW.replace("mkdir release", SLOW + "\n          mkdir release"))
    gate = root / "gate" / "template.yaml"
    gate.parent.mkdir()
    gate.write_text(GATE)
    return [tiny, gate]


def prepare(server: Server, templates: list[Path], work: Path) -> None:
    """Register the templates, make the service with two releases, and start the runs that need a person."""
    token = server.token("developer", DEVELOPER)
    with server.client(server.token()) as admin:
        for template in templates:
            answer = admin.post("/api/catalog/locations", json={"type": "file", "target": str(template)})
            assert answer.status_code == 201, answer.text
    with server.client(token) as client:
        made = create(client, SERVICE, "none")
        for _ in range(2):
            ask(client)
        red = create(client, "tiny-red", "workflow")
        create(client, "tiny-slow", "slow")
        run = ended(client, made)
        assert run["state"] == "succeeded", run["error"]
        push(server, token, work, SERVICE)
        assert ended(client, red)["state"] == "failed"
        push(server, token, work, "tiny-red")
        wait_for(lambda: two_releases(client), 60, "the second release is live")


def ask(client: httpx.Client) -> None:
    body = {"templateRef": "template:default/gate", "values": {"owner": "group:default/checkout"}}
    answer = client.post("/api/scaffolder/v2/tasks", json=body)
    assert answer.status_code == 201, answer.text


def push(server: Server, token: str, work: Path, name: str) -> None:
    git("clone", "-q", f"{server.url}/git/{name}.git", name, cwd=work, token=token)
    (work / name / "README.md").write_text("# Tiny\n")
    git("add", "README.md", cwd=work / name, token=token)
    git("commit", "-qm", "Say what it is", cwd=work / name, token=token)
    git("push", "-q", cwd=work / name, token=token)


def two_releases(client: httpx.Client) -> bool:
    query = {"service": f"component:default/{SERVICE}", "environment": "development"}
    found: list[dict[str, Any]] = client.get("/api/environments/v1/deployments", params=query).json()["items"]
    return len({item["release_id"] for item in found}) == 2 and found[0]["state"] == "live"
