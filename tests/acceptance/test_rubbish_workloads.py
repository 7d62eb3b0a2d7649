"""Rubbish around a live service: a release that never gets ready, and a port that somebody else takes."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from acceptance.conftest import MakeServer, Server, wait_for
from acceptance.http import Stream, fetch
from acceptance.test_main_job import git
from acceptance.test_undo import BASE, DEVELOPER, ended, items, write_template
from acceptance.test_undo import create as create_tiny

READY_SECONDS = 4
DEPLOY_SECONDS = 60
"""Within this time a deployment of a release that never gets ready has failed: 20 s of grace, and its way to there."""
pytestmark = pytest.mark.timeout(240)


def test_a_release_that_never_gets_ready_and_a_taken_port_cost_no_request(
    make_server: MakeServer, open_folder: Path
) -> None:
    template = write_template(open_folder / "paths" / "tiny")
    roots = f'["{template.parent.parent}"]'
    environ = {"TAXIWAY_CATALOG__FILE_ROOTS": roots, "TAXIWAY_PLUGINS__PROCESS__READY_SECONDS": str(READY_SECONDS)}
    server = make_server("--demo", environ=environ, pipelines=True)
    with server.client(server.token()) as admin:
        answer = admin.post("/api/catalog/locations", json={"type": "file", "target": str(template)})
        assert answer.status_code == 201, answer.text
    token = server.token("developer", DEVELOPER)
    with server.client(token) as client:
        for run_id in [create_tiny(client, f"tiny-{name}", "none") for name in ("live", "other")]:
            run = ended(client, run_id)
            assert run["state"] == "succeeded", run
        url = str(newest(client, "tiny-live")["url"])
        stream = Stream(url, "/", 0.02)
        git("clone", "-q", f"{server.url}/git/tiny-live.git", "work", cwd=open_folder, token=token)
        work = open_folder / "work"
        a_release_that_never_gets_ready_fails_with_its_log(client, work, token)
        the_next_good_one_goes_live(client, work, token, url)
        outcomes = stream.stop()
        print(f"{len(outcomes)} requests to the live service")
        assert [outcome for outcome in outcomes if outcome[0] != 200] == []
        a_taken_port_is_left_to_the_stranger(client, server)
        assert fetch(url, "/")[0] == 200


def newest(client: httpx.Client, name: str) -> dict[str, Any]:
    return items(client, f"{BASE}/deployments", service=f"component:default/{name}", environment="development")[0]


def push(work: Path, token: str, *changes: tuple[str, str]) -> str:
    score = work / "score.yaml"
    for old, new in changes:
        assert old in score.read_text()
        score.write_text(score.read_text().replace(old, new))
    git("commit", "-qam", "Change", cwd=work, token=token)
    git("push", "-q", "origin", "HEAD", cwd=work, token=token)
    return git("rev-parse", "HEAD", cwd=work, token=token).strip()


def a_release_that_never_gets_ready_fails_with_its_log(client: httpx.Client, work: Path, token: str) -> None:
    live = newest(client, "tiny-live")
    commit, began = push(work, token, ('MODE: "serve"', 'MODE: "never-ready"')), time.monotonic()

    def failed() -> dict[str, Any] | None:
        found = newest(client, "tiny-live")
        return found if found["commit"] == commit and found["state"] not in ("queued", "running") else None

    deployment = wait_for(failed, DEPLOY_SECONDS, "the deployment has ended")
    run = ended(client, deployment["run_id"], 10)
    print(f"failed after {time.monotonic() - began:.1f} s: {run['error']}")
    assert deployment["state"] == "failed"
    for said in ("did not get healthy", f"not ready after {READY_SECONDS} s", "answered 503", "listening"):
        assert said in run["error"], "the reason, and the last lines of its log"
    there = items(client, f"{BASE}/deployments", service="component:default/tiny-live")
    assert [item["id"] for item in there if item["state"] == "live"] == [live["id"]]


def the_next_good_one_goes_live(client: httpx.Client, work: Path, token: str, url: str) -> None:
    commit = push(work, token, ('MODE: "never-ready"', 'MODE: "serve"\n      GREETING: again'))

    def live() -> bool:
        found = newest(client, "tiny-live")
        return found["commit"] == commit and found["state"] == "live"

    wait_for(live, DEPLOY_SECONDS, "the next good release is live")
    assert fetch(url, "/") == (200, "again")


class Stranger:
    """Takes a port as soon as it is free, and counts who comes."""

    def __init__(self, port: int) -> None:
        def listen() -> socket.socket | None:
            try:
                return socket.create_server(("127.0.0.1", port))
            except OSError:
                return None

        self.visits = 0
        self._deadline = time.monotonic() + 10
        while (found := listen()) is None and time.monotonic() < self._deadline:
            pass
        assert found is not None, "the port did not become free"
        self.socket = found
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                visitor, _ = self.socket.accept()
            except OSError:
                return
            self.visits += 1
            visitor.close()


def a_taken_port_is_left_to_the_stranger(client: httpx.Client, server: Server) -> None:
    url = str(newest(client, "tiny-other")["url"])
    before = items(client, f"{BASE}/workloads", service="component:default/tiny-other")[0]
    stream, began = Stream(url, "/", 0.01), time.monotonic()
    os.kill(before["pid"], signal.SIGKILL)
    stranger = Stranger(before["port"])
    try:
        wait_for(lambda: fetch(url, "/")[0] == 200, 20, "the workload answers again")
        print(f"back on another port after {time.monotonic() - began:.1f} s")
    finally:
        stranger.socket.close()
        outcomes = stream.stop()
    after = items(client, f"{BASE}/workloads", service="component:default/tiny-other")
    assert [item["port"] != before["port"] and item["ready"] for item in after] == [True]
    assert stranger.visits == 0, "nobody was sent to the stranger"
    assert {status for status, _ in outcomes} <= {200, 502}
