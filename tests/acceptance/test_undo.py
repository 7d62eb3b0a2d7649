"""Undo after a failure in each step of a golden path: nothing is left, and nothing of others is touched."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from acceptance.conftest import MakeServer, Server, found_below, wait_for
from acceptance.http import fetch
from acceptance.test_main_job import git
from factories.process import wheel
from taxiway.kit.processes import RUN_MARKER, find_marked
from taxiway.model.run import ENDED

DEVELOPER = "user:default/alex.demo"
BASE = "/api/environments/v1"
TEMPLATE = """
apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: {name: tiny, title: Tiny service}
spec:
  type: service
  owner: group:default/platform
  parameters:
    - title: Form
      required: [name, owner, fault]
      properties:
        name: {type: string, title: Name}
        owner: {type: string, title: Owner}
        fault: {type: string, title: What goes wrong}
  steps:
    - id: fetch
      action: fetch:template
      input:
        url: ./skeleton
        values: {name: "${{ parameters.name }}", owner: "${{ parameters.owner }}", fault: "${{ parameters.fault }}"}
    - id: broken
      if: ${{ parameters.fault == "catalog" }}
      action: fetch:plain
      input: {url: ./broken, targetPath: broken}
    - id: publish
      action: publish:git
      input:
        name: ${{ parameters.name }}
        owner: ${{ parameters.owner }}
        sourcePath: ${{ "broken" if parameters.fault == "catalog" else "." }}
    - id: register
      action: catalog:register
      input: {repository: "${{ steps.publish.output.repository }}"}
    - id: deploy
      action: taxiway:deploy
      input:
        entityRef: ${{ steps.register.output.entityRef }}
        environment: development
        repository: ${{ steps.publish.output.repository }}
        commit: ${{ steps.publish.output.commit }}
    - id: last
      if: ${{ parameters.fault == "last" }}
      action: catalog:register
      input: {repository: no-such-repository}
"""
WORKFLOW = """
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - run: |
          {% if values.fault == "workflow" %}echo the tests are red; exit 1{% endif %}
          mkdir release
          cp *.whl requirements.lock.txt score.yaml release/
      - uses: actions/upload-artifact@v4
        with: {name: release, path: release/}
"""
SCORE = """
apiVersion: score.dev/v1b1
metadata: {name: "${{ values.name }}"}
service: {ports: {http: {port: 8080, targetPort: 8080}}}
containers:
  main:
    image: .
    command: [tiny, "${{ values.name }}"]
    variables:
      HOST: 127.0.0.1
      PASSWORD: "${resources.db.password}"
      MODE: "{% if values.fault == "crash" %}crash{% else %}serve{% endif %}"
    readinessProbe: {httpGet: {path: /readyz, port: 8080}}
resources:
  db: {type: "{% if values.fault == "resource" %}no-such-type{% else %}postgres{% endif %}"}
  route: {type: route, params: {path: /, port: 8080}}
"""
INFO = """
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: "${{ values.name }}", annotations: {taxiway.dev/repository: "${{ values.name }}"}}
spec: {type: service, lifecycle: experimental, owner: "${{ values.owner }}"}
"""
FAULTS = {
    "catalog": ("register", "not valid YAML"),
    "workflow": ("deploy", "ended as failed"),
    "resource": ("deploy", "no-such-type"),
    "crash": ("deploy", "did not get healthy"),
    "last": ("last", "no-such-repository"),
}
"""Fault -> (the step that fails, what its reason says)."""


def write_template(root: Path) -> Path:
    """The golden path `tiny`, its wheel made by hand, so that no run needs a network. Returns its file."""
    files = {
        "template.yaml": TEMPLATE,
        "skeleton/.github/workflows/ci.yml": WORKFLOW,
        "skeleton/score.yaml": SCORE,
        "skeleton/catalog-info.yaml": INFO,
        "skeleton/requirements.lock.txt": "",
        "broken/catalog-info.yaml": "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: [no, mapping\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "skeleton" / "tiny-0.1.0-py3-none-any.whl").write_bytes(wheel(name="tiny"))
    return root / "template.yaml"


@pytest.fixture
def server(make_server: MakeServer, open_folder: Path) -> Server:
    """A server whose queue is still: runs are stored, and start when it is started again."""
    template = write_template(open_folder / "paths" / "tiny")
    environ = {"TAXIWAY_CATALOG__FILE_ROOTS": f'["{template.parent.parent}"]'}
    made = make_server("--demo", "--workers", "0", environ=environ, pipelines=True)
    with made.client(made.token()) as admin:
        body = {"type": "file", "target": str(template)}
        answer = admin.post("/api/catalog/locations", json=body)
        assert answer.status_code == 201, answer.text
    return made


def create(client: httpx.Client, name: str, fault: str) -> str:
    values = {"name": name, "owner": "group:default/checkout", "fault": fault}
    body = {"templateRef": "template:default/tiny", "values": values}
    answer = client.post("/api/scaffolder/v2/tasks", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def ended(client: httpx.Client, run_id: str, seconds: float = 120) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        run: dict[str, Any] = client.get(f"/api/runs/v1/runs/{run_id}").json()
        return run if run["state"] in ENDED else None

    run: dict[str, Any] = wait_for(look, seconds, f"run {run_id} ends")
    return run


def undo(client: httpx.Client, run_id: str) -> None:
    answer = client.post(f"/api/runs/v1/runs/{run_id}/undo")
    assert answer.status_code == 202, answer.text
    run = ended(client, run_id)
    assert run["state"] == "undone", run["error"]


def items(client: httpx.Client, path: str, **query: str) -> list[dict[str, Any]]:
    answer = client.get(path, params={"limit": "200", **query})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def failed_step(run: dict[str, Any]) -> tuple[str, str]:
    step = next(step for step in run["steps"] if step["state"] == "failed")
    return step["id"], step["error"]


def commands(server: Server, name: str) -> list[int]:
    """Ids of the processes of a service; its command line ends with its name."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(server.data).encode() in line and name.encode() in line.split(b"\0"):
                found.append(int(entry.name))
    return found


def databases(client: httpx.Client, server: Server, service: str) -> set[str]:
    """Databases and roles of resources on the local server, as seen by a service that lives."""
    resource = next(
        r for r in items(client, f"{BASE}/resources", service=f"component:default/{service}") if r["type"] == "postgres"
    )
    out = resource["outputs"]
    pairs = Path(f"/proc/{commands(server, service)[0]}/environ").read_text().split("\0")
    password = next(pair.partition("=")[2] for pair in pairs if pair.startswith("PASSWORD="))
    place = {"host": out["host"], "port": out["port"], "dbname": out["name"], "user": out["username"]}
    with psycopg.connect(**place, password=password) as connection:
        query = "select datname from pg_database union all select rolname from pg_roles"
        return {str(row[0]) for row in connection.execute(query) if row[0].startswith("tw_")} - {out["name"]}


def desired_files(server: Server, admin: httpx.Client) -> list[str]:
    """What the environment's repository holds, seen by an ordinary git client."""
    token = admin.headers["authorization"].removeprefix("Bearer ")
    with tempfile.TemporaryDirectory(prefix="taxiway-test-") as folder:
        git("clone", "-q", f"{server.url}/git/env-development.git", "env", cwd=Path(folder), token=token)
        return git("ls-files", cwd=Path(folder, "env"), token=token).splitlines()


def folders_without_a_repository(server: Server, admin: httpx.Client) -> int:
    folders = list((server.data / "plugins" / "git_local" / "repositories").glob("*.git"))
    return len(folders) - len(items(admin, "/api/delivery/v1/repositories"))


def traces(client: httpx.Client, admin: httpx.Client, server: Server, name: str) -> list[str]:
    """Everything that still tells of a service, in words."""
    ref = f"component:default/{name}"
    found = [f"repository {r['name']}" for r in items(client, "/api/delivery/v1/repositories") if r["name"] == name]
    locations = [item["data"]["target"] for item in admin.get("/api/catalog/locations").json()]
    found += [f"location {target}" for target in locations if f"{name}//" in target]
    if client.get(f"/api/catalog/entities/by-name/component/default/{name}").status_code != 404:
        found.append(f"entity {ref}")
    resources = [r for r in items(client, f"{BASE}/resources", service=ref) if r["state"] != "deleted"]
    found += [f"resource {r['type']} {r['state']}" for r in resources]
    found += [f"workload {w['name']}" for w in items(client, f"{BASE}/workloads", service=ref)]
    found += [f"process {pid}" for pid in commands(server, name)]
    found += [f"desired {line}" for line in desired_files(server, admin) if name in line]
    paths = found_below(server.data, name)
    found += [f"path {path}" for path in paths if not path.startswith(("cache/", "runs/"))]
    states = {d["state"] for d in items(client, f"{BASE}/deployments", service=ref)} - {"removed", "failed"}
    return found + [f"deployment {state}" for state in states]


@pytest.mark.timeout(300)
def test_undo_after_a_failure_in_each_step_leaves_nothing(server: Server) -> None:
    token = server.token("developer", DEVELOPER)
    with server.client(token) as client:
        # Both are planned while the name is free; whoever comes second finds it taken.
        rivals = [create(client, "tiny-keeper", "none") for _ in range(2)]
        runs = {fault: create(client, f"tiny-{fault}", fault) for fault in FAULTS}
    server.stop()
    server.arguments = ["--demo"]
    server.start()
    with server.client(token) as client, server.client(server.token()) as admin:
        keeper = the_name_that_is_taken_stays_with_its_owner(client, server, rivals)
        for fault, run_id in runs.items():
            run = ended(client, run_id)
            step, reason = failed_step(run)
            assert (run["state"], step) == ("failed", FAULTS[fault][0]), (fault, reason)
            assert FAULTS[fault][1] in reason, (fault, reason)
        for fault in ("crash", "last"):
            assert traces(client, admin, server, f"tiny-{fault}") != []
        begun = time.monotonic()
        for fault, run_id in runs.items():
            undo(client, run_id)
            assert traces(client, admin, server, f"tiny-{fault}") == [], fault
            assert list(find_marked(RUN_MARKER, run_id)) == []
        print(f"{len(runs)} runs undone in {time.monotonic() - begun:.1f} s")
        assert databases(client, server, "tiny-keeper") == set()
        deployment = items(client, f"{BASE}/deployments", service="component:default/tiny-keeper")[0]
        assert fetch(deployment["url"], "/readyz")[0] == 200
        undo(client, keeper)
        assert traces(client, admin, server, "tiny-keeper") == []
        assert folders_without_a_repository(server, admin) == 0


def the_name_that_is_taken_stays_with_its_owner(client: httpx.Client, server: Server, rivals: list[str]) -> str:
    """One of two runs for one name succeeds, the other fails at once; its undo takes nothing of the first."""
    by_state = {run["state"]: run for run in (ended(client, run_id) for run_id in rivals)}
    assert set(by_state) == {"succeeded", "failed"}, by_state
    step, reason = failed_step(by_state["failed"])
    assert step == "publish", reason
    undo(client, by_state["failed"]["id"])
    assert commands(server, "tiny-keeper") != []
    assert client.get("/api/catalog/entities/by-name/component/default/tiny-keeper").status_code == 200
    return str(by_state["succeeded"]["id"])
