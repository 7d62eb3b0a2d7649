"""Each shipped golden path, from its form to what it is for: an answer, a job that succeeded, tests that pass.

`python-service` has test_main_job.py. All are made at once on one server: what they cost is their pipelines.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from .conftest import Server
from .http import fetch

pytestmark = pytest.mark.timeout(600)
DEVELOPER = "user:default/alex.demo"
ANSWERS = ("--owner", "group:default/checkout", "--description", 'Made by a test: "quoted" & more')
SECONDS = 400.0
"""Go compiles its whole standard library in the first pipeline: the better part of a minute on two idle cores."""
NPM = (shutil.which("npm"), "npm is missing: install Node.js 20 or newer")
GO = (shutil.which("go", path=f"{os.environ['PATH']}:/usr/local/go/bin"), "go is missing: install Go 1.26 or newer")
TERRAFORM = (shutil.which("terraform"), "terraform is missing: install Terraform 1.11 or newer")
PATHS: dict[str, tuple[tuple[str | None, str] | None, tuple[str, ...]]] = {
    "go-service": (GO, ("--name", "greeter", "--database", "false")),
    "node-service": (NPM, ("--name", "boxes")),
    "static-site": (NPM, ("--name", "handbook")),
    "worker": (None, ("--name", "sweeper", "--schedule", "0 0 1 1 *")),
    "terraform-module": (TERRAFORM, ("--name", "bucket")),
}
Made = Callable[[str], tuple[Server, str, str]]


@pytest.fixture(scope="module")
def made(request: pytest.FixtureRequest) -> Iterator[Made]:
    """(server, what `taxiway create` printed for a path, token). Skips where the path's toolchain is missing."""
    asked = [item.name for item in request.session.items]
    wanted = {path: what for path, what in PATHS.items() if any(path.replace("-", "_") in name for name in asked)}
    folder = Path(tempfile.mkdtemp(prefix="taxiway-test-"))
    folder.chmod(0o711)
    server = Server(folder / "data", ["--demo"], {"TAXIWAY_PLUGINS__ACT__PREFETCH": "false"})
    server.data.mkdir(mode=0o711)
    server.start()
    token = server.token(role="developer", subject=DEVELOPER)
    futures: dict[str, Future[Any]] = {}

    def result(path: str) -> tuple[Server, str, str]:
        needed = PATHS[path][0]
        if needed is not None and needed[0] is None:
            pytest.skip(needed[1])
        return server, futures[path].result().stdout, token

    try:
        with ThreadPoolExecutor(2) as pool:
            for path, (needed, answers) in wanted.items():
                if needed is None or needed[0] is not None:
                    command = ("create", path, *answers, *ANSWERS)
                    futures[path] = pool.submit(server.cli, *command, token=token, seconds=SECONDS)
            yield result
    finally:
        server.down()
        shutil.rmtree(folder, ignore_errors=True)


def test_node_service_goes_live(made: Made) -> None:
    _, output, _ = made("node-service")
    url = output.split("Open the service: ")[1].split()[0]
    status, text = fetch(url, "/items", {"name": "a box"})
    assert (status, '"name":"a box"' in text) == (201, True)
    assert fetch(url, "/items")[0] == 200
    assert "http_requests_total" in fetch(url, "/metrics")[1]


def test_static_site_goes_live(made: Made) -> None:
    _, output, _ = made("static-site")
    url = output.split("Open the site: ")[1].split()[0]
    status, text = fetch(url, "/")
    assert status == 200
    assert "<h1>handbook</h1>" in text
    assert fetch(url, "/nothing-here")[0] == 404


def test_worker_has_run_once_and_runs_when_it_is_asked_to(made: Made) -> None:
    server, output, token = made("worker")
    assert "Run it once and wait for its end: succeeded" in output
    with server.client(token) as client:
        query = {"service": "component:default/sweeper"}
        (schedule,) = client.get("/api/environments/v1/schedules", params=query).json()["items"]
        assert (schedule["schedule"], schedule["environment"]) == ("0 0 1 1 *", "development")
        assert schedule["next_at"] > schedule["last_succeeded_at"]
        assert '"done": 250' in server.cli("jobs", "run", "sweeper", "development", token=token).stdout
        found = client.get("/api/environments/v1/jobs", params=query).json()["items"]
        assert [(job["state"], job["exit_code"], job["requested_by"]) for job in found] == [
            ("succeeded", 0, DEVELOPER)
        ] * 2
        events = client.get("/api/events/v1/events", params={"type": "dev.taxiway.job."}).json()["items"]
        assert sorted(event["type"].split(".")[-2] for event in events) == ["finished"] * 2 + ["requested"] * 2


def test_terraform_module_passes_its_tests(made: Made) -> None:
    server, output, token = made("terraform-module")
    assert "Wait for the green pipeline: succeeded" in output
    with server.client(token) as client:
        pipelines = client.get("/api/delivery/v1/pipelines", params={"repository": "bucket"}).json()["items"]
    steps = {step["name"]: step["state"] for job in pipelines[0]["jobs"] for step in job["steps"]}
    assert (steps["Format"], steps["Validate"], steps["Tests"]) == ("succeeded",) * 3


def test_go_service_goes_live(made: Made) -> None:
    _, output, _ = made("go-service")
    url = output.split("Open the service: ")[1].split()[0]
    assert fetch(url, "/greetings/Ada") == (200, '{"message":"Hello, Ada!"}')
    assert 'route="/greetings/{name}"' in fetch(url, "/metrics")[1]
