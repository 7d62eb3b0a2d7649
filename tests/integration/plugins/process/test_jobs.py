"""Scheduled workloads: runs that come when they are due, once, and end truthfully whatever is killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from factories.laptop import TARGET, Laptop, until
from factories.process import archive, cron_job
from taxiway.model.errors import ConflictError, NotFoundError
from taxiway.model.workload import JobStatus, object_key
from taxiway.plugin import JobRunner, SystemClock
from taxiway.plugin.testing import JobRunnerConformance
from taxiway.plugins.process import procs
from taxiway.plugins.process.jobs import Request, create, runs
from taxiway.plugins.process.schedule import schedule_of
from taxiway.plugins.process.supervisor import adopt

pytestmark = pytest.mark.integration
MINUTE = 60_000_000
SLOT = "report.dev"


@pytest.fixture
def office(laptop: Laptop) -> Laptop:
    """A laptop whose clock can be set, and whose failed jobs are tried again soon."""
    laptop.stop()
    settings = laptop.settings.model_copy(update={"job_backoff_seconds": 0.05, "log_bytes": 100_000})
    laptop.host.context = replace(laptop.host.context, settings=settings, clock=SystemClock(laptop.root / "offset"))
    # In the middle of a minute, so that none begins while a test looks.
    (laptop.root / "offset").write_text(str(30 - time.time() % 60))
    laptop.start()
    return laptop


def put(laptop: Laptop, script: str) -> str:
    path = laptop.root / "release.tar"
    path.write_bytes(archive({"bin/report": f"#!/bin/sh\n{script}\n".encode()}))
    return str(laptop.host.context.artifacts.put(path))


def forward(laptop: Laptop, seconds: float) -> None:
    path = laptop.root / "offset"
    path.write_text(str(float(path.read_text()) + seconds))
    time.sleep(0.03)
    laptop.destination._job_keeper.wake(SLOT)


def ended(laptop: Laptop, count: int = 1) -> list[JobStatus]:
    def found() -> list[JobStatus] | None:
        jobs = list(laptop.runner.jobs("dev", "report"))
        return jobs if len(jobs) >= count and all(job.ended_at for job in jobs) else None

    jobs: list[JobStatus] = until(found, 10, lambda: laptop.runner.jobs())
    return jobs


def output(laptop: Laptop, job: JobStatus) -> list[str]:
    return [line.text for line in laptop.runner.logs(job.id, 0, 100)]


def kill_keeper(laptop: Laptop) -> None:
    """`kill -9` for what keeps the only open run."""

    def running() -> Any:
        (run,) = runs(laptop.keeper.places, SLOT)
        state = adopt(run.folder)
        return state if state is not None and state["pid"] else None

    state = until(running)
    os.kill(state["shim_pid"], signal.SIGKILL)
    until(lambda: procs.process(state["pid"]) is None)


def test_a_run_comes_when_it_is_due_and_only_once(office: Laptop) -> None:
    script = "head -c 500000 /dev/zero | tr '\\0' x; echo; printf last"
    office.deploy([cron_job(put(office, script), schedule="*/5 * * * *")])
    (schedule,) = office.runner.schedules()
    assert schedule.next_at is not None
    assert 0 < schedule.next_at - office.host.context.clock.now() <= 5 * MINUTE
    assert list(office.runner.jobs()) == []
    forward(office, 300)
    (job,) = ended(office)
    assert (job.state, job.exit_code, job.attempts, job.scheduled_at) == ("succeeded", 0, 1, schedule.next_at)
    # Its last line has no end, and of much output the newest is kept, however fast the job was.
    lines = office.runner.logs(job.id, 0, 100)
    assert lines[-1].text == "last"
    assert office.runner.logs(job.id, lines[-1].seq, 100) == []
    (run,) = runs(office.keeper.places, SLOT)
    assert (run.folder / "log").stat().st_blocks * 512 <= 200_000
    for _ in range(3):
        office.destination._job_keeper.wake(SLOT)
    office.stop()
    # Three runs are missed while nobody is there: the last one is made up for.
    forward(office, 900)
    office.start()
    jobs = ended(office, 2)
    assert [job.scheduled_at for job in jobs] == [schedule.next_at + 15 * MINUTE, schedule.next_at]
    (schedule,) = office.runner.schedules()
    assert (schedule.last_scheduled_at, schedule.missed) == (jobs[0].scheduled_at, 2)
    until(lambda: len(office.host.events) == 2)
    assert [event.data["outcome"] for event in office.host.events] == ["success", "success"]


def test_a_failing_job_is_tried_again_and_its_end_says_why(office: Laptop) -> None:
    objects = [cron_job(put(office, "echo try; exit 3"), job={"backoffLimit": 2})]
    office.deploy(objects)
    office.runner.run_job("dev", "report", "a", "user:default/ada")
    (job,) = ended(office)
    assert (job.state, job.exit_code, job.attempts, job.requested_by) == ("failed", 3, 3, "user:default/ada")
    assert job.message == "BackoffLimitExceeded: exited with code 3, after 3 attempts"
    assert output(office, job) == ["try"] * 3
    (status,) = office.destination.observe(TARGET, objects)
    assert (status.health, "exit code 3" in status.message) == ("degraded", True)

    # A new deployment begins well, whatever became of the jobs before it.
    office.deploy([cron_job(put(office, "sleep 60"), job={"activeDeadlineSeconds": 1}, deployment="d2")])
    office.runner.run_job("dev", "report", "b", "user:default/ada")
    until(lambda: "DeadlineExceeded" in office.runner.jobs()[0].message)
    # Kept are as many as the history limit says.
    until(lambda: [job.state for job in office.runner.jobs()] == ["failed"])


@pytest.mark.parametrize(("limit", "state", "attempts"), [(0, "failed", 1), (1, "succeeded", 2)])
def test_a_killed_keeper_ends_truthfully(office: Laptop, limit: int, state: str, attempts: int) -> None:
    script = "echo begun; [ -f ../seen ] && exit 0; sleep 60"
    office.deploy([cron_job(put(office, script), job={"backoffLimit": limit})])
    office.runner.run_job("dev", "report", "a", "user:default/ada")
    until(lambda: [job.state for job in office.runner.jobs()] == ["running"])
    seen = office.keeper.places.job_files(SLOT) / "seen"
    office.stop()
    kill_keeper(office)
    assert [job.state for job in office.runner.jobs()] == ["interrupted"]
    seen.touch()
    office.start()
    (job,) = ended(office)
    assert (job.state, job.attempts) == (state, attempts)
    assert output(office, job) == ["begun"] * attempts
    if state == "failed":
        assert "killed" in job.message


@pytest.mark.parametrize(("policy", "states"), [("Forbid", ["running"]), ("Replace", ["running", "failed"])])
def test_the_concurrency_policy_holds(office: Laptop, policy: str, states: list[str]) -> None:
    office.deploy([cron_job(put(office, "sleep 60"), schedule="* * * * *", concurrencyPolicy=policy)])
    forward(office, 60)
    until(lambda: [job.state for job in office.runner.jobs()] == ["running"])
    (first,) = office.runner.jobs()
    forward(office, 60)
    until(
        lambda: [job.state for job in office.runner.jobs()] == states and office.destination._job_keeper.wait(SLOT, 0)
    )
    if policy == "Forbid":
        until(lambda: "Forbid" in office.runner.schedules()[0].message)
        with pytest.raises(ConflictError, match="Forbid"):
            office.runner.run_job("dev", "report", "b", "user:default/ada")
    else:
        assert next(job for job in office.runner.jobs() if job.id == first.id).message.startswith("Replaced")


def test_a_run_that_was_made_but_not_written_down_is_not_replaced_by_itself(office: Laptop) -> None:
    office.deploy([cron_job(put(office, "sleep 60"), schedule="*/5 * * * *", concurrencyPolicy="Replace")])
    office.stop()
    places, (schedule,) = office.keeper.places, office.runner.schedules()
    bundle = places.bundle(SLOT, "CronJob")
    assert bundle is not None
    forward(office, 300)
    now = office.host.context.clock.now()
    create(places, bundle, schedule_of(bundle.controller), Request(schedule.next_at), now)
    # What wakes it came out of a copy of the folder as a plain file.
    places.bell.unlink()
    places.bell.touch()
    office.start()
    until(lambda: [job.state for job in office.runner.jobs()] == ["running"])
    until(lambda: office.runner.schedules()[0].last_scheduled_at == schedule.next_at)
    assert [job.state for job in office.runner.jobs()] == ["running"]
    assert places.bell.is_fifo()
    # The clock was a day ahead, and is set right: the schedule goes on by the right one.
    forward(office, -86_400)
    until(lambda: office.runner.schedules()[0].last_scheduled_at is None)
    forward(office, 300)
    until(lambda: office.runner.schedules()[0].last_scheduled_at == schedule.next_at - 86_400_000_000 + 5 * MINUTE)


def test_a_request_is_served_once_and_what_is_removed_leaves_nothing(office: Laptop) -> None:
    objects = [cron_job(put(office, "sleep 60"))]
    office.deploy(objects)
    first = office.runner.run_job("dev", "report", "same key", "user:default/ada")
    assert office.runner.run_job("dev", "report", "same key", "user:default/ada").id == first.id
    until(lambda: [job.state for job in office.runner.jobs()] == ["running"])
    with pytest.raises(NotFoundError, match="no scheduled workload"):
        office.runner.run_job("dev", "orders", "x", "user:default/ada")
    office.destination.prune(TARGET, [object_key(objects[0])])
    assert list(office.runner.jobs()) == []
    places = office.keeper.places
    assert not places.jobs(SLOT).exists()
    assert not places.job_files(SLOT).exists()
    assert not any("sleep" in command for command in office.processes())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schedule": "61 * * * *"}, "schedule"),
        ({"timeZone": "Mars/Olympus"}, "time zone"),
        ({"concurrencyPolicy": "Maybe"}, "Allow, Forbid, Replace"),
        ({"container": {"image": "busybox"}}, "score.yaml"),
        ({"container": {"command": []}, "job": {"backoffLimit": -1}}, "backoffLimit"),
    ],
)
def test_what_cannot_be_scheduled_is_said(laptop: Laptop, change: dict[str, Any], words: str) -> None:
    (status,) = laptop.apply([cron_job("sha256:" + "0" * 64, **change)])
    assert (status.health, words in status.message) == ("degraded", True)


class TestContract(JobRunnerConformance):
    @pytest.fixture
    def runner(self, office: Laptop) -> JobRunner:
        return office.runner

    @pytest.fixture
    def scheduled(self, office: Laptop) -> tuple[str, str]:
        office.deploy([cron_job(put(office, "echo done"))])
        return "dev", "report"


def test_nothing_wakes_it_while_nothing_is_due(office: Laptop, count_turns: Callable[[], int]) -> None:
    office.deploy([cron_job(put(office, "true"))])

    def is_quiet() -> bool:
        before = count_turns()
        time.sleep(0.8)
        return count_turns() == before

    # What was applied is still being made so for a moment.
    until(is_quiet)


@pytest.fixture
def count_turns(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    from taxiway.plugins.process.job_keeper import JobKeeper

    turns = [0]
    turn = JobKeeper.turn

    def counted(self: JobKeeper) -> float | None:
        turns[0] += 1
        return turn(self)

    monkeypatch.setattr(JobKeeper, "turn", counted)
    return lambda: turns[0]
