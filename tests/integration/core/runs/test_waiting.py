"""Runs that wait, are cancelled or taken back, on both databases, with the real engine."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from factories.runs import ALEX, KIM, Bench, Scripted
from taxiway.kit.processes import RUN_MARKER, find_marked
from taxiway.model.errors import ConflictError, NotAllowedError, UnavailableError
from taxiway.model.run import Run, Step
from taxiway.plugin import StepContext


def test_undo_goes_backwards_and_can_be_asked_again_after_a_failure(bench: Bench) -> None:
    def make(ctx: StepContext) -> None:
        ctx.created("thing", f"{ctx.step_id}.1", {})
        ctx.created("thing", f"{ctx.step_id}.2", {})

    def fail(ctx: StepContext) -> None:
        make(ctx)
        raise UnavailableError("no")

    handler = Scripted(make=make, fail=fail)
    bench.runs.register("k", handler)
    run_id = bench.start("k", "make", "make", "fail")
    bench.wait(run_id)
    handler.undo_fails = {"s2"}
    bench.runs.undo(bench.ctx(), run_id)
    run = bench.wait(run_id)
    assert (run.state, run.error) == ("failed", "undo of step s2 failed: the engine does not answer")
    handler.undo_fails = set()
    bench.runs.undo(bench.ctx(), run_id)
    run = bench.wait(run_id)
    assert run.state == "undone"
    assert handler.undone == ["s3.2", "s3.1", "s2.2", "s2.1", "s1.2", "s1.1"]
    assert [step.state for step in run.steps] == ["undone"] * 3
    with pytest.raises(ConflictError, match="undone"):
        bench.runs.retry(bench.ctx(), run_id)


def test_cancel_ends_a_running_step_and_what_it_started_in_other_sessions(bench: Bench) -> None:
    started = threading.Event()

    def spawn(ctx: StepContext) -> None:
        code = "import subprocess,sys,time; subprocess.Popen(['sleep','60'],start_new_session=True); time.sleep(60)"
        process = subprocess.Popen([sys.executable, "-c", code], env={RUN_MARKER: ctx.run_id, "PATH": "/usr/bin:/bin"})
        while len(list(find_marked(RUN_MARKER, ctx.run_id))) < 2:
            time.sleep(0.02)
        started.set()
        process.wait()
        if ctx.cancelled.is_set():
            raise UnavailableError("cancelled")

    bench.runs.register("k", Scripted(spawn=spawn, ok=lambda ctx: {}))
    run_id = bench.start("k", "spawn", "ok")
    assert started.wait(10)
    assert bench.runs.cancel(bench.ctx(), run_id).state == "cancelling"
    run = bench.wait(run_id)
    assert run.state == "cancelled"
    assert [step.state for step in run.steps] == ["cancelled", "pending"]
    assert list(find_marked(RUN_MARKER, run_id)) == []


def test_an_approval_parks_the_run_and_the_creator_cannot_give_it(bench: Bench) -> None:
    bench.runs.register("k", Scripted(gate=lambda ctx: ctx.wait_for("approval", None), ok=lambda ctx: {}))
    runs = [bench.start("k", "gate", "ok") for _ in range(8)]
    for run_id in runs:
        run = bench.wait(run_id, "waiting")
        assert run.waiting_for == f"approval:{run_id}:s1"
    assert bench.wait(bench.start("k", "ok")).state == "succeeded"
    with pytest.raises(NotAllowedError, match="somebody else"):
        bench.runs.decide(bench.ctx(ALEX), runs[0], "approved", "")
    bench.runs.decide(bench.ctx(KIM), runs[0], "approved", "fine")
    assert bench.wait(runs[0]).state == "succeeded"
    bench.runs.decide(bench.ctx(KIM), runs[1], "rejected", "not on friday")
    run = bench.wait(runs[1])
    assert run.error == "step s1 failed: user:default/kim rejected it: not on friday"
    with pytest.raises(ConflictError):
        bench.runs.decide(bench.ctx(KIM), runs[1], "approved", "")
    assert bench.runs.cancel(bench.ctx(), runs[2]).state == "cancelled"


def test_a_parent_waits_for_its_child_without_a_thread_and_cancel_reaches_the_child(bench: Bench) -> None:
    release = threading.Event()

    def parent(ctx: StepContext) -> dict[str, Any]:
        child = ctx.checkpoint("child", lambda: bench.start("child", "hold", parent_id=ctx.run_id))
        state, output = ctx.wait_for_run(child)
        return {"state": state, "output": output}

    def hold(ctx: StepContext) -> None:
        while not release.wait(0.02):
            if ctx.cancelled.is_set():
                raise UnavailableError("stopped")

    bench.runs.register("parent", Scripted(parent=parent))
    bench.runs.register("child", Scripted(hold=hold))
    run_id = bench.start("parent", "parent")
    waiting = bench.wait(run_id, "waiting")
    assert str(waiting.waiting_for).startswith("run:")
    release.set()
    run = bench.wait(run_id)
    assert run.steps[0].output == {"state": "succeeded", "output": {"steps": 1, "ended": "succeeded"}}
    assert run.steps[0].attempt == 1
    release.clear()
    second = bench.start("parent", "parent")
    child = str(bench.wait(second, "waiting").waiting_for).removeprefix("run:")
    bench.runs.cancel(bench.ctx(), second)
    assert bench.wait(second).state == "cancelled"
    assert bench.wait(child).state == "cancelled"


def test_many_short_children_never_leave_a_parent_waiting(bench: Bench) -> None:
    def parent(ctx: StepContext) -> None:
        ctx.wait_for_run(ctx.checkpoint("child", lambda: bench.start("child", "ok", parent_id=ctx.run_id)))

    bench.runs.register("parent", Scripted(parent=parent))
    bench.runs.register("child", Scripted(ok=lambda ctx: {}))
    for run_id in [bench.start("parent", "parent") for _ in range(30)]:
        assert bench.wait(run_id).state == "succeeded"


def test_a_topic_wakes_a_run_at_once_and_a_timer_by_itself(bench: Bench) -> None:
    ready = threading.Event()

    def topic(ctx: StepContext) -> None:
        if not ready.is_set():
            ctx.wait_for("door", 60)

    bench.runs.register("k", Scripted(topic=topic, timer=lambda ctx: ctx.wait_for("timer:a", 0.3)))
    run_id = bench.start("k", "topic")
    bench.wait(run_id, "waiting")
    ready.set()
    bench.platform.store.write(lambda tx: bench.runs.wake(tx, "door"))
    assert bench.wait(run_id, seconds=2).state == "succeeded"
    assert bench.wait(bench.start("k", "timer")).state == "succeeded"


def test_an_undo_may_wait_for_a_run_of_its_own(bench: Bench) -> None:
    class Undoing(Scripted):
        def undo(self, run: Run, step: Step, ctx: StepContext) -> None:
            child = ctx.checkpoint("undo", lambda: bench.start("child", "ok", parent_id=run.id))
            assert ctx.wait_for_run(child)[0] == "succeeded"
            self.undone.append(step.id)

    handler = Undoing(ok=lambda ctx: {})
    bench.runs.register("k", handler)
    bench.runs.register("child", Scripted(ok=lambda ctx: {}))
    run_id = bench.start("k", "ok")
    bench.wait(run_id)
    bench.runs.undo(bench.ctx(), run_id)
    assert bench.wait(run_id, "undone").state == "undone"
    assert handler.undone == ["s1"]
