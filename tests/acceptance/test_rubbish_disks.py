"""Rubbish around disks: full or read-only, at the start and under a running server. Reading goes on, no run is lost."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from acceptance.conftest import CLI, Server, wait_for
from acceptance.test_rubbish import GROUP, TEMPLATE, long_template, ordered, registered, said, write
from acceptance.test_undo import items
from taxiway.model.run import ENDED

BRITTLE = Path(__file__).parents[1] / "factories" / "brittle_disk.py"
LEASE_SECONDS = 15
RUNS = 5
PAUSES = 6
"""Half seconds that a run of `long` waits: without them all runs could be over before they are looked at."""
pytestmark = pytest.mark.timeout(180)


@contextlib.contextmanager
def small_disk(at: Path, size: str) -> Iterator[Path]:
    at.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=711", "tmpfs", str(at)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no file system may be mounted here: {mounted.stderr.strip()}")
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], check=False)


@contextlib.contextmanager
def on_disk(disk: Path, root: Path) -> Iterator[Server]:
    """A server whose data folder is on `disk`. Runs only queue up, so that what is refused is the write itself."""
    server = Server(disk / "data", ["--workers", "0"], {"TAXIWAY_CATALOG__FILE_ROOTS": f'["{root}"]'})
    server.data.mkdir(mode=0o711)
    # The log of the server stays off the small disk: its own folder is the parent of the data folder.
    (disk / "server.log").symlink_to(disk.parent / "server.log")
    server.start()
    try:
        yield server
    finally:
        server.down()


def test_a_full_disk_is_said_and_writes_go_on_when_there_is_space(open_folder: Path) -> None:
    root = open_folder / "files"
    root.mkdir()
    (root / "good.yaml").write_text(GROUP % "good")
    (root / "fine.yaml").write_text(TEMPLATE % ("fine", "hello"))
    with (
        small_disk(open_folder / "disk", "40m") as disk,
        on_disk(disk, root) as server,
        server.client(server.token()) as admin,
    ):
        registered(admin, root / "good.yaml")
        registered(admin, root / "fine.yaml")
        ballast = disk / "ballast"
        fill(ballast)
        body = {"templateRef": "template:default/fine", "values": {"text": "x" * 1_000_000}}

        def refused() -> httpx.Response | None:
            answer = admin.post("/api/scaffolder/v2/tasks", json=body)
            return answer if answer.status_code != 201 else None

        answer = wait_for(refused, 40, "a write is refused")
        print(answer.status_code, answer.text[:600])
        assert answer.status_code == 503, server.log()[-3000:]
        assert "free space" in said(answer)
        assert admin.get("/api/access/v1/me").status_code == 200, "reading goes on"
        ballast.unlink()
        wait_for(lambda: refused() is None, 15, "writes go on")


def test_a_read_only_disk_is_said_and_the_server_starts_when_it_is_writable(open_folder: Path) -> None:
    # The kernel refuses to remount a tmpfs on which files are open for writing, so this is a start on such a disk.
    with small_disk(open_folder / "disk", "64m") as disk, on_disk(disk, open_folder) as server:
        assert server.stop() == 0
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        command = [*CLI, "up", "--data", str(server.data), "--port", "0"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        print(done.returncode, done.stderr[-800:])
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        server.start()
        assert done.returncode not in (0, -6, -9, -11)
        assert "Traceback" not in done.stderr
        assert "writable" in done.stderr


@contextlib.contextmanager
def brittle_disk(root: Path) -> Iterator[tuple[Path, Path]]:
    """(a disk, a file that makes it read-only for everybody as long as it is there)."""
    backing, disk, switch = root / "backing", root / "disk", root / "read-only"
    for folder in (backing, disk):
        folder.mkdir(mode=0o711)
    command = [sys.executable, str(BRITTLE), str(backing), str(disk), str(switch)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as serving:
        try:
            while serving.poll() is None and not switch.with_name("read-only.ready").exists():
                time.sleep(0.02)
            if serving.poll() is not None:
                pytest.skip(serving.communicate()[1].strip())
            yield disk, switch
        finally:
            subprocess.run(["umount", "-l", str(disk)], check=False, capture_output=True)
            serving.terminate()


@contextlib.contextmanager
def working(data: Path, root: Path, environ: dict[str, str]) -> Iterator[Server]:
    """A server that works on runs, with the templates `long` and `fine` to order."""
    root.mkdir()
    (root / "good.yaml").write_text(GROUP % "good")
    (root / "fine.yaml").write_text(TEMPLATE % ("fine", "hello"))
    (root / "long.yaml").write_text(long_template(PAUSES))
    # Packages that are fetched ahead are not what these disks are for.
    quiet = {"TAXIWAY_PLUGINS__ACT__PREFETCH": "false", "TAXIWAY_CATALOG__FILE_ROOTS": f'["{root}"]'}
    server = Server(data, [], {**quiet, **environ})
    server.data.mkdir(mode=0o711, parents=True)
    server.start()
    try:
        with server.client(server.token()) as admin:
            for name in ("good", "fine", "long"):
                registered(admin, root / f"{name}.yaml")
        yield server
    except BaseException:
        print("\n".join(line for line in server.log().splitlines() if '"event":"request"' not in line)[-5000:])
        raise
    finally:
        server.down()


def order_long(admin: httpx.Client) -> list[str]:
    body = {"templateRef": "template:default/long", "values": {}}
    return [str(admin.post("/api/scaffolder/v2/tasks", json=body).json()["id"]) for _ in range(RUNS)]


def at_work(admin: httpx.Client) -> list[dict[str, Any]]:
    """The runs that were begun and have not ended."""
    found = items(admin, "/api/runs/v1/runs", kind="scaffold")
    return [run for run in found if run["state"] in ("running", "waiting")]


def readiness(server: Server) -> tuple[int, dict[str, Any]]:
    answer = httpx.get(server.url + "/readyz")
    return answer.status_code, answer.json()


def refusal(answer: httpx.Response, *words: str) -> None:
    """A problem with what to do next."""
    print(answer.status_code, answer.text)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["retryable"] is True
    for word in (*words, "try again"):
        assert word in said(answer)


def reading_goes_on(admin: httpx.Client, run_id: str) -> None:
    for path in ("/api/access/v1/me", "/api/catalog/entities", f"/api/runs/v1/runs/{run_id}", "/api/events/v1/events"):
        assert admin.get(path).status_code == 200, path


def all_end_truthfully(admin: httpx.Client, runs: list[str], *excuses: str) -> None:
    """Each run ended once, green or with the disk as its reason; the queue, the sealer and the leases go on."""

    def found() -> list[dict[str, Any]] | None:
        there = [admin.get(f"/api/runs/v1/runs/{run_id}").json() for run_id in runs]
        return there if all(run["state"] in ENDED for run in there) else None

    ended = wait_for(found, 40, "every run has ended")
    print({run["id"]: (run["state"], run["error"]) for run in ended})
    for run in ended:
        assert run["state"] == "succeeded" or any(word in run["error"] for word in excuses), run
    assert ordered(admin, "fine")["state"] == "succeeded"

    def sealed() -> list[str] | None:
        events = items(admin, "/api/events/v1/events", type="dev.taxiway.run.ended")
        subjects = [event["subject"] for event in events]
        return subjects if {f"run:{run_id}" for run_id in runs} <= set(subjects) else None

    subjects = wait_for(sealed, 10, "their ends are sealed")
    assert len(subjects) == len(set(subjects)), "nothing ended twice"


def ends_well(server: Server) -> None:
    assert server.stop() == 0
    assert "Traceback" not in server.log(), server.log()[-3000:]
    done = server.cli("audit", "verify", "--data", str(server.data))
    assert "the chain is whole" in done.stderr


def test_a_disk_that_becomes_read_only_under_the_server_stops_writing_and_nothing_else(open_folder: Path) -> None:
    with (
        brittle_disk(open_folder) as (disk, switch),
        working(disk / "data" / "data", open_folder / "files", {}) as server,
        server.client(server.token()) as admin,
    ):
        # The log of the server is on that disk as well.
        assert readiness(server)[0] == 200
        runs = order_long(admin)
        wait_for(lambda: at_work(admin), 10, "a run is at work")
        switch.touch()
        began = time.monotonic()
        refusal(write(admin), "read-only file system", "make it writable")
        status, body = readiness(server)
        assert (status, body["status"]) == (503, "read-only")
        assert "make it writable" in body["detail"]
        while time.monotonic() - began < LEASE_SECONDS + 2:
            reading_goes_on(admin, runs[0])
            time.sleep(0.5)
        refusal(write(admin), "read-only file system")
        switch.unlink()
        began = time.monotonic()
        wait_for(lambda: readiness(server)[0] == 200, 10, "it is ready again")
        assert write(admin).status_code == 201
        all_end_truthfully(admin, runs, "read-only file system")
        print(f"all goes on {time.monotonic() - began:.1f} s later")
        ends_well(server)


def test_a_full_disk_inside_the_database_is_said_and_no_run_is_lost(open_folder: Path) -> None:
    with small_disk(open_folder / "disk", "16m") as disk:
        environ = {"TAXIWAY_DATABASE_URL": f"sqlite:///{disk}/taxiway.db"}
        with (
            working(open_folder / "data" / "data", open_folder / "files", environ) as server,
            server.client(server.token()) as admin,
        ):
            runs = order_long(admin)
            wait_for(lambda: at_work(admin), 10, "a run is at work")
            fill(disk / "ballast")
            body = {"templateRef": "template:default/fine", "values": {"text": "x" * 500_000}}

            def refused() -> httpx.Response | None:
                answer = admin.post("/api/scaffolder/v2/tasks", json=body)
                if answer.status_code == 201:
                    runs.append(str(answer.json()["id"]))
                    return None
                return answer

            answer = wait_for(refused, 20, "the database is full")
            print(answer.status_code, answer.text)
            assert answer.status_code == 503
            assert "free space" in said(answer)
            told = (503, {"status": "read-only", "detail": said(answer)})

            def full() -> httpx.Response | None:
                # A write that fits into a gap may still be done: readiness tells of the last one.
                small = write(admin, "y" * 100)
                return small if small.status_code != 201 and readiness(server) == told else None

            refusal(wait_for(full, 20, "small writes find no room either"), "disk", "full", "free space")
            reading_goes_on(admin, runs[0])
            (disk / "ballast").unlink()
            wait_for(lambda: readiness(server)[0] == 200, 10, "it is ready again")
            assert write(admin).status_code == 201
            all_end_truthfully(admin, runs, "free space")
            ends_well(server)


def fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"\0" * 4096):
            pass
