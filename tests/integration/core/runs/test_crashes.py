"""Workers that are killed, stopped or frozen: every run ends truthfully, and nothing is recorded twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from factories.platform import build_platform, context, principal
from taxiway.core.context import Platform
from taxiway.core.events.verify import verify
from taxiway.core.runs.handler import BaseHandler
from taxiway.core.store.tables import event
from taxiway.kit.processes import RUN_MARKER, find_marked
from taxiway.model.run import ENDED, Run, RunSpec, StepDefinition
from taxiway.worker.main import Worker

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what does not depend on the database: workers take a second each to start."""
SCRIPT = Path(__file__).with_name("crash_worker.py")


class Workers:
    """Worker processes on one data folder, and a platform beside them that only looks."""

    def __init__(self, data: Path, url: str) -> None:
        self.data, self.url = data, url
        self.platform: Platform = build_platform(data, url=url)
        self.platform.runs.register("crash", BaseHandler())
        self.processes: list[subprocess.Popen[bytes]] = []

    def launch(self, seed: int = 0) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, SCRIPT, self.data, self.url, str(seed)], start_new_session=True)
        self.processes.append(process)
        return process

    def start(self, *actions: str, recovery: Any = "idempotent") -> str:
        steps = [StepDefinition(f"s{n}", action, action, recovery=recovery) for n, action in enumerate(actions, 1)]
        spec = RunSpec("crash", "crash", steps)
        return self.platform.store.write(lambda tx: self.platform.runs.start(tx, principal("alex"), spec))

    def wait(self, run_id: str, *states: str, seconds: float = 20) -> Run:
        end = time.monotonic() + seconds
        while (run := self.platform.runs.get(run_id)).state not in (states or tuple(ENDED)):
            assert time.monotonic() < end, f"still {run.state}: {run}"
            time.sleep(0.05)
        return run

    def wait_for_file(self, name: str) -> Path:
        end = time.monotonic() + 10
        while not (self.data / name).exists():
            assert time.monotonic() < end, f"no {name}"
            time.sleep(0.02)
        return self.data / name

    def ended_events(self, run_id: str) -> int:
        query = select(func.count()).where(
            event.c.type == "dev.taxiway.run.ended.v1", event.c.subject == f"run:{run_id}"
        )
        with self.platform.store.read() as conn:
            return int(conn.execute(query).scalar_one())

    def effects(self) -> list[str]:
        return (self.data / "effects").read_text().split()


@pytest.fixture
def workers(database_url: str, tmp_path: Path) -> Iterator[Workers]:
    made = Workers(tmp_path / "data", database_url)
    yield made
    for process in made.processes:
        if process.poll() is None:
            process.kill()
        process.wait()
    made.platform.store.close()


def test_killed_around_a_commit_a_restarted_worker_ends_the_run(workers: Workers) -> None:
    for seed in (2, 5, 7) if workers.platform.store.dialect == "sqlite" else (4,):
        (workers.data / "effects").unlink(missing_ok=True)
        run_id = workers.start("ok", "ok")
        assert workers.launch(seed).wait(15) == -signal.SIGKILL
        second = workers.launch()
        run = workers.wait(run_id)
        assert run.state == "succeeded", run
        assert [step.state for step in run.steps] == ["succeeded", "succeeded"]
        assert [len(step.created) for step in run.steps] == [1, 1]
        assert workers.ended_events(run_id) == 1
        assert set(workers.effects()) == {"s1", "s2"}
        second.terminate()
        assert second.wait(5) == 0
    assert verify(workers.platform.store, workers.data).ok


def test_killed_between_automatic_tries_the_run_goes_on_with_the_next(workers: Workers) -> None:
    for seed in (4, 5, 7, 8) if workers.platform.store.dialect == "sqlite" else (6,):
        (workers.data / "effects").unlink(missing_ok=True)
        run_id = workers.start("flaky", "ok")
        assert workers.launch(seed).wait(15) == -signal.SIGKILL
        second = workers.launch()
        run = workers.wait(run_id)
        assert run.state == "succeeded", run
        assert 3 <= run.steps[0].attempt <= 4
        assert [len(step.created) for step in run.steps] == [1, 1]
        assert workers.effects() == ["s1", "s2"]
        assert workers.ended_events(run_id) == 1
        second.terminate()
        assert second.wait(5) == 0
    assert verify(workers.platform.store, workers.data).ok


def test_a_worker_that_is_killed_is_replaced_by_the_other_without_a_restart(workers: Workers) -> None:
    workers.launch()
    workers.launch()
    run_id = workers.start("ok", "slow", "ok")
    pid = int(workers.wait_for_file("slow").read_text() or 0)
    time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    run = workers.wait(run_id)
    assert run.state == "succeeded"
    assert run.steps[1].attempt == 2
    assert run.steps[1].output != {"pid": pid}
    assert workers.effects() == ["s1", "s2", "s3"]
    assert workers.ended_events(run_id) == 1


@ON_SQLITE
def test_an_interrupted_manual_step_needs_a_person(workers: Workers) -> None:
    first = workers.launch()
    run_id = workers.start("slow", "ok", recovery="manual")
    workers.wait_for_file("slow")
    first.kill()
    first.wait()
    workers.launch()
    run = workers.wait(run_id, "needs_attention")
    assert "nobody can tell what it did" in str(run.error)
    workers.platform.runs.resume(context(workers.platform, principal("alex")), run_id)
    assert workers.wait(run_id).state == "succeeded"


@ON_SQLITE
def test_recovery_ends_what_the_dead_step_started_and_asks_what_it_did(workers: Workers) -> None:
    first = workers.launch()
    run_id = workers.start("early", "ok", recovery="probe")
    workers.wait_for_file("early")
    first.kill()
    first.wait()
    assert len(list(find_marked(RUN_MARKER, run_id))) == 1
    workers.launch()
    run = workers.wait(run_id)
    assert (run.state, run.steps[0].output) == ("succeeded", {"found": True})
    assert workers.effects() == ["s1", "s2"]
    assert list(find_marked(RUN_MARKER, run_id)) == []


@ON_SQLITE
def test_a_clean_stop_is_quick_and_gives_running_work_back(workers: Workers) -> None:
    first = workers.launch()
    run_id = workers.start("slow", "ok")
    workers.wait_for_file("slow")
    begun = time.monotonic()
    first.terminate()
    assert first.wait(10) == 0
    assert time.monotonic() - begun < 3.5
    run = workers.platform.runs.get(run_id)
    assert (run.state, run.steps[0].state) == ("queued", "interrupted")
    workers.launch()
    assert workers.wait(run_id).state == "succeeded"


def test_a_frozen_worker_whose_run_was_taken_writes_nothing_any_more(workers: Workers) -> None:
    frozen = workers.launch()
    run_id = workers.start("slow", "ok")
    workers.wait_for_file("slow")
    frozen.send_signal(signal.SIGSTOP)
    here = Worker(workers.platform, ())
    here._leases.bury = lambda tx, name: True  # as when its 15 s were over
    here.start()
    try:
        run = workers.wait(run_id)
        assert run.state == "failed"  # this platform's handler cannot execute: whose verdict it is can be told
        version = run.version
        frozen.send_signal(signal.SIGCONT)
        time.sleep(1.0)
        assert workers.platform.runs.get(run_id).version == version
    finally:
        here.stop()
