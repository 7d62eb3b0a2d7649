"""The main job as a developer does it: from the form to a live service, through its life, until nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from acceptance.conftest import MakeServer, Server, found_below, wait_for
from acceptance.http import Stream, fetch

DEVELOPER = "user:default/alex.demo"
SERVICE = "component:default/parcels"
CREATE = ("--name", "parcels", "--owner", "group:default/checkout", "--description", "Tracks parcels")
BASE = "/api/environments/v1"


def git(*arguments: str, cwd: Path, token: str) -> str:
    """The ordinary git client; the token is the password, given by the environment."""
    environ = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "credential.helper",
        "GIT_CONFIG_VALUE_0": f'!f() {{ echo username=dev; echo "password={token}"; }}; f',
    }
    identity = ["-c", "user.name=Alex", "-c", "user.email=alex@example.com"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=cwd, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def items(client: httpx.Client, path: str, **query: str) -> list[dict[str, Any]]:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def workload(client: httpx.Client, environment: str = "development") -> dict[str, Any] | None:
    running = items(client, f"{BASE}/workloads", service=SERVICE, environment=environment)
    return next((item for item in running if item["ready"] and item["pid"]), None)


def environ_of(pid: int) -> dict[str, str]:
    pairs = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def leftovers(server: Server) -> list[str]:
    """Command lines of processes that name the data folder, but the server itself and its engines."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(server.data) in line:
                found.append(line)
    return found


@pytest.mark.timeout(300)
def test_the_main_job_from_form_to_nothing_left(make_server: MakeServer, tmp_path: Path) -> None:
    server = make_server("--demo", pipelines=True)
    token = server.token("developer", DEVELOPER)
    client = server.client(token)
    url = create(server, client, token)
    row_is_in_its_own_database(server, client, url)
    push_to_the_environment_repository_is_live(client, server, tmp_path)
    killed_workload_is_back(client, url)
    new_commit_goes_live_without_a_failed_request(client, server, token, url, tmp_path)
    promote_and_roll_back(server, client, token, url)
    destroy_leaves_nothing(server, client, token)
    done = server.cli("audit", "verify", "--data", str(server.data))
    assert "the chain is whole" in done.stderr


def create(server: Server, client: httpx.Client, token: str) -> str:
    started = time.monotonic()
    done = server.cli("create", "python-service", *CREATE, token=token)
    print(f"form to live: {time.monotonic() - started:.1f} s")
    assert "Open the service: http" in done.stdout
    deployment = items(client, f"{BASE}/deployments", service=SERVICE)[0]
    assert (deployment["state"], deployment["health"]) == ("live", "healthy")
    pipeline = items(client, "/api/delivery/v1/pipelines", service=SERVICE)[0]
    assert pipeline["state"] == "succeeded"
    assert client.get("/api/catalog/entities/by-name/component/default/parcels").status_code == 200
    docs = client.get("/api/docs/v1/sites/component/default/parcels").json()
    assert docs["nav"]
    events = items(client, "/api/events/v1/events", type="dev.cdevents.service.deployed")
    assert len(events) == 1
    assert events[0]["data"]["subject"]["content"]["environment"] == {"id": "development"}
    url = str(deployment["url"])
    assert fetch(url, "/readyz")[0] == 200
    return url


def row_is_in_its_own_database(server: Server, client: httpx.Client, url: str) -> None:
    import psycopg

    status, body = fetch(url, "/items", {"name": "Box 1"})
    assert status == 201, body
    resource = next(r for r in items(client, f"{BASE}/resources", service=SERVICE) if r["type"] == "postgres")
    outputs = resource["outputs"]
    running = workload(client)
    assert running
    environ = environ_of(running["pid"])
    password = next(value for key, value in environ.items() if key.endswith("PASSWORD"))
    assert password not in str(resource)
    place = {"host": outputs["host"], "port": outputs["port"], "dbname": outputs["name"], "user": outputs["username"]}
    with psycopg.connect(**place, password=password) as connection:
        found = connection.execute("select name from item").fetchall()
    assert ("Box 1",) in found


def push_to_the_environment_repository_is_live(client: httpx.Client, server: Server, tmp_path: Path) -> None:
    # Whoever may push to an environment's repository is the platform's people.
    token = server.token("platform", "user:default/dara.demo")
    git("clone", "-q", f"{server.url}/git/env-development.git", "env", cwd=tmp_path, token=token)
    manifest = next((tmp_path / "env").rglob("manifests.yaml"))
    objects = list(yaml.safe_load_all(manifest.read_text()))
    deployment = next(item for item in objects if item["kind"] == "Deployment")
    variables = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    level = next(item for item in variables if item["name"] == "LOG_LEVEL")
    level["value"] = "DEBUG" if level.get("value") != "DEBUG" else "WARNING"
    manifest.write_text(yaml.safe_dump_all(objects, sort_keys=False))
    git("commit", "-qam", "More logs", cwd=tmp_path / "env", token=token)
    git("push", "-q", cwd=tmp_path / "env", token=token)
    started = time.monotonic()

    def changed() -> bool:
        running = workload(client)
        return running is not None and environ_of(running["pid"]).get("LOG_LEVEL") == level["value"]

    wait_for(changed, 15, "the variable of the environment repository is live")
    print(f"push to live variable: {time.monotonic() - started:.1f} s")


def killed_workload_is_back(client: httpx.Client, url: str) -> None:
    running = workload(client)
    assert running
    os.kill(running["pid"], signal.SIGKILL)
    started = time.monotonic()

    def back() -> bool:
        found = workload(client)
        return found is not None and found["pid"] != running["pid"] and fetch(url, "/readyz")[0] == 200

    wait_for(back, 15, "the killed workload is back")
    print(f"killed workload back: {time.monotonic() - started:.1f} s")


def new_commit_goes_live_without_a_failed_request(
    client: httpx.Client, server: Server, token: str, url: str, tmp_path: Path
) -> None:
    git("clone", "-q", f"{server.url}/git/parcels.git", "work", cwd=tmp_path, token=token)
    readme = tmp_path / "work" / "README.md"
    readme.write_text(readme.read_text() + "\nOne more line.\n")
    git("commit", "-qam", "Say more", cwd=tmp_path / "work", token=token)
    git("push", "-q", cwd=tmp_path / "work", token=token)
    commit = git("rev-parse", "HEAD", cwd=tmp_path / "work", token=token).strip()
    stream = Stream(url, "/readyz", 0.05)

    def live() -> bool:
        newest = items(client, f"{BASE}/deployments", service=SERVICE, environment="development")[0]
        return newest["commit"] == commit and newest["state"] == "live"

    wait_for(live, 90, "the pushed commit is live")
    while len(stream.statuses) < 200:
        time.sleep(0.1)
    outcomes = stream.stop()
    print(f"{len(outcomes)} requests during the switch")
    assert [outcome for outcome in outcomes if outcome[0] != 200] == []


def promote_and_roll_back(server: Server, client: httpx.Client, token: str, url: str) -> None:
    server.cli("deploy", "parcels", "staging", token=token)
    staging = items(client, f"{BASE}/deployments", service=SERVICE, environment="staging")[0]
    assert fetch(staging["url"], "/readyz")[0] == 200
    before, _ = items(client, f"{BASE}/releases", service=SERVICE)[:2]
    server.cli("rollback", "parcels", "development", token=token)
    now = items(client, f"{BASE}/deployments", service=SERVICE, environment="development")[0]
    assert now["state"] == "live"
    assert now["release_id"] != before["id"]
    assert fetch(url, "/readyz")[0] == 200
    assert len(items(client, "/api/events/v1/events", type="dev.cdevents.service.rolledback")) == 1


def destroy_leaves_nothing(server: Server, client: httpx.Client, token: str) -> None:
    port = next(r for r in items(client, f"{BASE}/resources", service=SERVICE) if r["type"] == "postgres")["outputs"]
    server.cli("env", "destroy", "parcels", token=token)
    assert items(client, f"{BASE}/workloads", service=SERVICE) == []
    assert [r for r in items(client, f"{BASE}/resources", service=SERVICE) if r["state"] != "deleted"] == []
    assert [r for r in items(client, "/api/delivery/v1/repositories") if r["name"] == "parcels"] == []
    assert client.get("/api/catalog/entities/by-name/component/default/parcels").status_code == 404
    assert [line for line in leftovers(server) if "parcels" in line] == []
    names = found_below(server.data, "parcels")
    assert [name for name in names if not name.startswith(("cache/", "runs/"))] == []
    assert port
