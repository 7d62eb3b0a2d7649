"""Rubbish, one test each: what goes wrong is said with what to do next, and everything else goes on."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from acceptance.conftest import CLI, MakeServer, Server, wait_for
from acceptance.test_main_job import git
from acceptance.test_undo import DEVELOPER, ended, failed_step, items, write_template
from acceptance.test_undo import create as create_tiny

GROUP = (
    "apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: rubbish-%s}\nspec: {type: team, children: []}\n"
)
TEMPLATE = """
apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: {name: "%s", title: A template}
spec:
  type: service
  owner: group:default/rubbish-good
  parameters: []
  steps:
    - {id: say, action: debug:log, input: {message: %s}}
"""
NESTED = "{%% for a in range(9999) %%}{%% for b in range(9999) %%}%s{%% endfor %%}{%% endfor %%}"
LOOP = '"' + NESTED % (NESTED % "") + '"'
GROWING = '"' + NESTED % ("x" * 100) + '"'
RENDER_SECONDS = 30
STEPS = 30
pytestmark = pytest.mark.timeout(180)


def long_template(pauses: int = 0) -> str:
    """The template `long`: many small steps, so that some are at work at any moment.

    Each of the first `pauses` steps is followed by a wait of half a second: so the run takes at least that long.
    """
    step = "    - {id: s%d, action: debug:log, input: {message: step %d}}\n"
    pause = "    - {id: p%d, action: debug:wait, input: {milliseconds: 500}}\n"
    steps = "".join(step % (n, n) + (pause % n if n < pauses else "") for n in range(STEPS))
    return TEMPLATE.partition("  steps:")[0] % "long" + "  steps:\n" + steps


def registered(client: httpx.Client, file: Path) -> None:
    answer = client.post("/api/catalog/locations", json={"type": "file", "target": str(file)})
    assert answer.status_code == 201, answer.text


def ordered(client: httpx.Client, template: str) -> dict[str, Any]:
    """A run of a template without parameters, ended."""
    body = {"templateRef": f"template:default/{template}", "values": {}}
    answer = client.post("/api/scaffolder/v2/tasks", json=body)
    assert answer.status_code == 201, answer.text
    return ended(client, str(answer.json()["id"]), 60)


def with_files(make_server: MakeServer, root: Path, files: dict[str, str], *options: str, **more: Any) -> Server:
    """A server that may read `files`, below `root`."""
    root.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (root / name).write_text(text)
    return make_server(*options, environ={"TAXIWAY_CATALOG__FILE_ROOTS": f'["{root}"]'}, **more)


def write(client: httpx.Client, name: str = "rubbish") -> httpx.Response:
    return client.post("/api/access/v1/tokens", json={"name": name, "role": "viewer"})


def said(answer: httpx.Response) -> str:
    return str(answer.json().get("detail") or answer.json().get("error", {}).get("message"))


def test_broken_yaml_is_shown_with_its_place_and_the_rest_is_ingested(
    make_server: MakeServer, open_folder: Path
) -> None:
    broken = GROUP % "first" + "---\n" + GROUP % "broken" + "oops: [no, end\n"
    root = open_folder / "files"
    server = with_files(make_server, root, {"good.yaml": GROUP % "good", "broken.yaml": broken})
    with server.client(server.token()) as admin:
        registered(admin, root / "good.yaml")
        admin.post("/api/catalog/locations", json={"type": "file", "target": str(root / "broken.yaml")})
        problem = wait_for(lambda: items(admin, "/api/catalog/v1/problems"), 20, "the problem is shown")[0]
        assert "not valid YAML" in problem["detail"], problem
        assert "broken.yaml" in str(problem), problem
        assert problem["line"] >= 10, problem
        assert problem["remedy"], problem
        assert admin.get("/api/catalog/entities/by-name/group/default/rubbish-good").status_code == 200


def test_templates_without_an_end_are_stopped_and_the_server_goes_on(
    make_server: MakeServer, open_folder: Path
) -> None:
    root = open_folder / "files"
    files = {"loop.yaml": TEMPLATE % ("loop", LOOP), "growing.yaml": TEMPLATE % ("growing", GROWING)}
    files |= {"fine.yaml": TEMPLATE % ("fine", "hello"), "good.yaml": GROUP % "good"}
    server = with_files(make_server, root, files)
    with server.client(server.token()) as admin:
        for name in files:
            registered(admin, root / name)
        for template in ("loop", "growing"):
            began = time.monotonic()
            body = {"templateRef": f"template:default/{template}", "values": {}}
            answer = admin.post("/api/scaffolder/v2/tasks", json=body)
            if answer.status_code == 201:
                run = ended(admin, answer.json()["id"], 60)
                assert run["state"] == "failed", run
                reason = failed_step(run)[1]
            else:
                reason = said(answer)
            print(template, answer.status_code, reason, f"{time.monotonic() - began:.1f} s")
            assert time.monotonic() - began < RENDER_SECONDS
            assert any(word in reason for word in ("loop", "memory", "limit", "too long", "large")), reason
        assert ordered(admin, "fine")["state"] == "succeeded"


def test_a_failing_workflow_and_a_workload_that_never_lives_are_named(
    make_server: MakeServer, open_folder: Path
) -> None:
    template = write_template(open_folder / "paths" / "tiny")
    server = make_server("--demo", environ={"TAXIWAY_CATALOG__FILE_ROOTS": f'["{template.parent.parent}"]'})
    with server.client(server.token()) as admin:
        registered(admin, template)
    with server.client(server.token("developer", DEVELOPER)) as client:
        runs = {fault: create_tiny(client, f"tiny-{fault}", fault) for fault in ("workflow", "crash")}
        run = ended(client, runs["workflow"])
        reason = failed_step(run)[1]
        print("workflow", reason)
        assert run["state"] == "failed"
        assert "build" in reason, reason
        pipeline = items(client, "/api/delivery/v1/pipelines", service="component:default/tiny-workflow")[0]
        logs = items(client, f"/api/delivery/v1/pipelines/{pipeline['id']}/logs")
        assert any("the tests are red" in line["text"] for line in logs)
        run = ended(client, runs["crash"])
        reason = failed_step(run)[1]
        print("crash", reason)
        assert run["state"] == "failed"
        assert "the configuration is wrong" in reason, "the last lines of its log are shown: " + reason


def test_a_taken_port_and_a_taken_folder_are_refused_with_a_way_out(make_server: MakeServer) -> None:
    server = make_server()
    port = str(urlsplit(server.url).port)
    other = server.data.parent / "other"
    assert server.process is not None
    places = {"--port": f"127.0.0.1:{port}", "--data": f"{server.process.pid} {server.url}"}
    for data, wanted in ((other, "--port"), (server.data, "--data")):
        second = subprocess.run(
            [*CLI, "up", "--data", str(data), "--port", port], capture_output=True, text=True, timeout=60, check=False
        )
        print(second.returncode, second.stderr.strip()[-300:])
        assert second.returncode not in (0, -6, -9, -11)
        assert wanted in second.stderr
        assert [word for word in places[wanted].split() if word not in second.stderr] == []
        assert "Traceback" not in second.stderr
    assert httpx.get(server.url + "/readyz").status_code == 200


def peak(pid: int) -> int:
    """The largest memory that a process has had so far, in MB."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def test_a_push_of_200_mb_is_refused_by_gits_own_words(make_server: MakeServer, open_folder: Path) -> None:
    template = write_template(open_folder / "paths" / "tiny")
    text = template.read_text()
    template.write_text(text[: text.index("    - id: register")])
    server = make_server("--demo", environ={"TAXIWAY_CATALOG__FILE_ROOTS": f'["{template.parent.parent}"]'})
    token = server.token("developer", DEVELOPER)
    with server.client(server.token()) as admin:
        registered(admin, template)
    with server.client(token) as client:
        run = ended(client, create_tiny(client, "tiny-large", "none"))
        assert run["state"] == "succeeded", run
    git("clone", "-q", f"{server.url}/git/tiny-large.git", "large", cwd=open_folder, token=token)
    work = open_folder / "large"
    with (work / "blob.bin").open("wb") as file:
        for _ in range(200):
            file.write(os.urandom(1 << 20))
    git("config", "core.compression", "0", cwd=work, token=token)
    git("add", "blob.bin", cwd=work, token=token)
    git("commit", "-qm", "large", cwd=work, token=token)
    assert server.process is not None
    before, began = peak(server.process.pid), time.monotonic()
    with pytest.raises(AssertionError) as refused:
        git("push", "-q", "origin", "HEAD", cwd=work, token=token)
    grown = peak(server.process.pid) - before
    print(str(refused.value), f"grown by {grown} MB, {time.monotonic() - began:.1f} s")
    assert "pack exceeds maximum allowed size" in str(refused.value)
    assert "remote: Taxiway takes at most 128 MiB in one push" in str(refused.value)
    assert "plugins.git_local.max_push_bytes" in str(refused.value)
    assert grown <= 50
    git("reset", "-q", "--hard", "HEAD~1", cwd=work, token=token)
    (work / "small.txt").write_text("small")
    git("add", "small.txt", cwd=work, token=token)
    git("commit", "-qm", "small", cwd=work, token=token)
    git("push", "-q", "origin", "HEAD", cwd=work, token=token)


def test_clients_that_hang_keep_nobody_waiting_and_do_not_hold_up_the_stop(make_server: MakeServer) -> None:
    server = make_server()
    token = server.token()
    parts = urlsplit(server.url)
    head = f"Host: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n"
    half = (
        f"POST /api/access/v1/tokens HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: 999\r\n\r\n{{"
    )
    stream = f"GET /api/events/v1/stream HTTP/1.1\r\n{head}Last-Event-ID: 0\r\n\r\n"
    with contextlib.ExitStack() as stack:
        for request in [f"GET /readyz HTTP/1.1\r\n{head}X-Slow: "] * 20 + [half] * 20 + [stream] * 20:
            hanging = stack.enter_context(socket.create_connection(("127.0.0.1", parts.port or 80)))
            hanging.sendall(request.encode())
        with server.client(token) as client:
            for _ in range(20):
                began = time.monotonic()
                assert client.get("/api/access/v1/me").status_code == 200
                assert write(client).status_code == 201
                assert time.monotonic() - began < 3
        began = time.monotonic()
        assert server.stop() == 0
        print(f"stopped in {time.monotonic() - began:.1f} s")
        assert time.monotonic() - began <= 5.5


def signed_in(server: Server) -> httpx.Client:
    """A browser of the administrator, by the link of the first start."""
    found = re.search(r"link_token=(\S+)", server.log())
    assert found is not None
    browser = httpx.Client(base_url=server.url, timeout=60)
    assert browser.post("/api/access/v1/sessions", json={"link_token": found[1]}).status_code == 201
    return browser


def me(client: httpx.Client, status: int) -> httpx.Response:
    """The answer once it has this status: who somebody is, is remembered for a second."""

    def asked() -> httpx.Response | None:
        answer = client.get("/api/access/v1/me")
        return answer if answer.status_code == status else None

    answer: httpx.Response = wait_for(asked, 3, f"the answer is {status}")
    return answer


def test_a_clock_that_jumps_breaks_no_run_no_session_and_no_chain(make_server: MakeServer, open_folder: Path) -> None:
    root = open_folder / "files"
    files = {"fine.yaml": TEMPLATE % ("fine", "hello"), "good.yaml": GROUP % "good", "long.yaml": long_template()}
    server = with_files(make_server, root, files)
    offset = server.data / "clock-offset"
    with server.client(server.token()) as admin, contextlib.closing(signed_in(server)) as browser:
        for name in ("good.yaml", "fine.yaml", "long.yaml"):
            registered(admin, root / name)
        body = {"templateRef": "template:default/long", "values": {}}
        runs = [str(admin.post("/api/scaffolder/v2/tasks", json=body).json()["id"]) for _ in range(6)]
        offset.write_text("86400")
        assert "expired" in me(admin, 401).json()["detail"], "a token of one hour is over a day later"
        assert "sign in again" in me(browser, 401).json()["detail"], "and so is a session that was idle for a day"
        with server.client(server.token()) as later:
            runs.append(ordered(later, "fine")["id"])
            offset.write_text("-86400")
            for client in (admin, browser, later):
                me(client, 200)
            runs.append(ordered(admin, "fine")["id"])
        offset.unlink()
        me(browser, 200)
        runs.append(ordered(admin, "fine")["id"])
        for run_id in runs:
            run = ended(admin, run_id, 60)
            assert run["state"] == "succeeded", run
            assert {step["attempt"] for step in run["steps"]} == {1}, "no run was taken twice"
        told = items(admin, "/api/events/v1/events", type="dev.taxiway.run.ended")
        assert sorted(event["subject"] for event in told) == sorted(f"run:{run_id}" for run_id in runs)
        places = [event["seq"] for event in told]
        assert places == sorted(places, reverse=True)
    assert server.stop() == 0
    done = server.cli("audit", "verify", "--data", str(server.data))
    assert "the chain is whole" in done.stderr
