"""Outside engines as `make engines` brings them: each is there for real, or the test says what would bring it."""

from __future__ import annotations

import base64
import subprocess
import sys
import time
from pathlib import Path

from factories.engines import Gitea, program
from factories.served import served
from taxiway.api.system import FEATURE as SYSTEM
from taxiway.features.access.contrib import FEATURE as ACCESS

ENGINES = Path(__file__).parents[3] / "tools" / "engines.py"


def test_a_forge_takes_a_push_of_the_ordinary_client_and_answers_with_the_file(forge: Gitea, tmp_path: Path) -> None:
    with forge.client() as api:
        assert api.post("/user/repos", json={"name": "shop", "default_branch": "main"}).status_code == 201
        work = tmp_path / "work"
        work.mkdir()
        (work / "catalog-info.yaml").write_text("kind: Component\n")
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        for command in (
            ["init", "--quiet", "--initial-branch=main"],
            ["add", "."],
            [*who, "commit", "--quiet", "-m", "First"],
            ["push", "--quiet", forge.clone_url("shop"), "main"],
        ):
            subprocess.run(["git", *command], cwd=work, check=True, capture_output=True)
        # It takes a push in a queue, and its API knows nothing of the repository until then.
        deadline = time.monotonic() + 20
        while api.get(f"/repos/{forge.user}/shop").json()["empty"]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        found = api.get(f"/repos/{forge.user}/shop/contents/catalog-info.yaml").json()
        assert base64.b64decode(found["content"]) == b"kind: Component\n"
        raw = api.get(f"/repos/{forge.user}/shop/raw/catalog-info.yaml?ref=main")
        assert raw.text == "kind: Component\n"


def test_prometheus_finds_nothing_wrong_with_our_own_metrics(tmp_path: Path) -> None:
    promtool = program("prometheus", beside="promtool")
    with served(tmp_path / "data", features=[ACCESS, SYSTEM]) as server, server.client(server.token()) as client:
        client.get("/api/access/v1/me")
        page = client.get("/metrics")
    assert page.status_code == 200
    assert "taxiway_" in page.text
    done = subprocess.run([promtool, "check", "metrics"], input=page.text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tool_lists_engines_and_refuses_names_that_it_does_not_know(tmp_path: Path) -> None:
    environ = {"PATH": "/nowhere", "TAXIWAY_ENGINES": str(tmp_path), "HOME": str(tmp_path)}
    listed = subprocess.run(
        [sys.executable, ENGINES, "--list"], env=environ, capture_output=True, text=True, check=False
    )
    assert listed.returncode == 0
    assert "gitea        absent: not there: make engines" in listed.stdout
    asked = subprocess.run([sys.executable, ENGINES, "gitea"], env=environ, capture_output=True, text=True, check=False)
    assert (asked.returncode, "Go is missing" in asked.stdout) == (1, True)
    unknown = subprocess.run(
        [sys.executable, ENGINES, "vault"], env=environ, capture_output=True, text=True, check=False
    )
    assert unknown.returncode == 2
    assert "there are etcd, gitea, keycloak" in unknown.stderr
