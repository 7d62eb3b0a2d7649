"""`kill -9` in the middle of a golden path: it comes to its end, nothing is lost and nothing is doubled.

A few seeded kills; `make crash SEED=n` does them around every commit and at many random moments, on both databases.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from acceptance.conftest import CLI, wait_for
from crash import twelve
from crash.machine import DyingServer, Look
from crash.main import job
from crash.verdict import violations
from taxiway.core.store import tables

SEED = int(os.environ.get("TAXIWAY_CRASH_SEED", "1"))
EARLY = ("scaffold.publish.running", "scaffold.publish.succeeded", "scaffold.register.succeeded")
LATE = ("deploy.provision.running", "deploy.provision.succeeded", "deploy.commit.succeeded", "deploy.record.succeeded")


def seeded_moments(rng: random.Random) -> list[str]:
    """Four moments around commits: one of the scaffolder, the pipeline's start, two of the deployment."""
    names = [rng.choice(EARLY), "pipeline.build.running", *rng.sample(LATE, 2)]
    return [f"{name}.{rng.choice(('before', 'after'))}" for name in names]


@pytest.mark.timeout(300)
def test_a_path_of_twelve_steps_that_is_killed_at_five_moments_ends_once_and_is_undone() -> None:
    rng = random.Random(SEED)
    moments = seeded_moments(rng)
    with job(None, moments, is_twelve=True) as one:
        one.begin()
        one.kill(rng.uniform(0.5, 4))
        reasons = twelve.settle(one, one.server.token("platform", twelve.APPROVER))
        wrong = violations(one)
        assert wrong == [], (wrong, one.server.kills, reasons, one.server.log()[-3000:])
        # Two moments may fall into one death, when two runs are worked on.
        assert set(moments) <= set(" ".join(one.server.hits()).split())
        assert len(one.server.kills) >= 3
        assert twelve.undo(one) == []


@contextlib.contextmanager
def worker_beside(server: DyingServer) -> Iterator[subprocess.Popen[bytes]]:
    """A `taxiway worker` on the server's data folder; ended before the server is."""
    with (server.data.parent / "worker.log").open("ab") as log:
        command = [*CLI, "worker", "--data", str(server.data)]
        environ = {**os.environ, **server.environ}
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environ, start_new_session=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def executing(look: Look, run_kind: str) -> int | None:
    """The process that works on a run of this kind now."""
    run, lease = tables.run, tables.lease
    query = select(lease.c.holder).join_from(lease, run, run.c.executor == lease.c.name)
    found = look.rows(query.where(run.c.kind == run_kind, run.c.state == "running"))
    return int(found[0][0].split(":")[0]) if found else None


@pytest.mark.timeout(300)
def test_the_process_that_works_is_killed_and_the_other_finishes_without_a_restart(
    postgres_server: str,
) -> None:
    with job(postgres_server, (), is_short=True) as one, worker_beside(one.server) as worker:
        wait_for(lambda: len(executors(one.look)) == 2, 30, "the second worker has its lease")
        one.begin()
        pid = wait_for(lambda: executing(one.look, "pipeline"), 60, "somebody runs the pipeline")
        time.sleep(random.Random(SEED).uniform(0, 2))
        os.kill(pid, signal.SIGKILL)
        killed_server = one.server.process is not None and pid == one.server.process.pid
        assert killed_server or pid == worker.pid
        survivor = worker if killed_server else one.server.process
        wait_for(lambda: one.state() in ("succeeded", "failed"), 120, "the other one ends the run")
        assert one.state() == "succeeded", one.look.run(one.run_id).error
        assert survivor is not None
        assert survivor.poll() is None
        one.revive()
        assert violations(one) == []


def executors(look: Look) -> set[str]:
    """The holders of leases of executors."""
    rows = look.rows(select(tables.lease.c.name, tables.lease.c.holder))
    return {holder.split(":")[0] for name, holder in rows if name.startswith("executor:")}
