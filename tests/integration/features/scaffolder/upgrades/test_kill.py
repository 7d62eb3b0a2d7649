"""`kill -9` between the branch of an upgrade and its pull request: whoever goes on finds both, and doubles nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from factories.served import Served, served
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.pulls.contrib import FEATURE as PULLS
from taxiway.features.scaffolder.contrib import FEATURE as SCAFFOLDER
from taxiway.kit.clock import SystemClock
from taxiway.model.run import Run
from taxiway.worker.main import Worker

from .conftest import SUBJECT, V1, Desk

DYING = Path(__file__).with_name("dying.py")
LATER_SECONDS = 60
"""Behind the end of every lease that the dead process held."""


@pytest.fixture
def server(tmp_path: Path, entry_points: list[Any]) -> Iterator[Served]:
    """Without a worker; its clock jumps when `later` exists."""
    features = [ACCESS, PULLS, CATALOG, SCAFFOLDER]
    catalog = {"file_roots": [str(tmp_path / "templates")]}
    clock = SystemClock(tmp_path / "later")
    with served(tmp_path / "data", features=features, plugins=entry_points, catalog=catalog, clock=clock) as running:
        yield running


@pytest.fixture
def working(server: Served) -> Iterator[Callable[[], Worker]]:
    started: list[Worker] = []

    def start() -> Worker:
        worker = Worker(server.platform, [])
        worker.start()
        started.append(worker)
        return worker

    yield start
    server.platform.stopping.set()
    started[-1].stop()


@pytest.mark.parametrize("moment", ["branch", "pull"])
def test_an_upgrade_whose_process_is_killed_finds_its_branch_and_its_pull_request_again(
    desk: Desk,
    working: Callable[[], Worker],
    finished: Callable[[str], Run],
    request: pytest.FixtureRequest,
    tmp_path: Path,
    moment: str,
) -> None:
    first = working()
    request.getfixturevalue("orders")
    first.stop()
    desk.template({"new.txt": "new\n"})
    run_id = desk.client.post(f"{V1}/upgrades", json={"subject": SUBJECT}).json()["id"]
    arguments = [sys.executable, str(DYING), str(tmp_path / "data"), str(tmp_path / "templates"), moment]
    died = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    left = [name for name in desk.forge.branches("orders") if name != "main"]
    assert len(left) == 1
    (tmp_path / "later").write_text(str(LATER_SECONDS))
    working()
    run = finished(run_id)
    assert run.state == "succeeded", run.error
    pulls = desk.client.get("/api/pulls/v1/pulls", params={"repository": "orders"}).json()["items"]
    assert [(item["number"], item["state"], item["head"]) for item in pulls] == [(1, "open", left[0])]
    assert [name for name in desk.forge.branches("orders") if name != "main"] == left
    assert (desk.state()["state"], desk.state()["pull"]) == ("proposed", 1)
