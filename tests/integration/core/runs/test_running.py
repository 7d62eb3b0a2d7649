"""Runs from start to end, on both databases, with the real engine."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from factories.platform import build_platform, context, principal
from taxiway.core.context import Platform
from taxiway.core.runs.durable import DurableRuns
from taxiway.core.runs.handler import BaseHandler, StepResult
from taxiway.kit.processes import RUN_MARKER, find_marked
from taxiway.model.access import EVERYTHING
from taxiway.model.errors import ConflictError, InputError, NotAllowedError, UnavailableError
from taxiway.model.run import ENDED, Run, RunSpec, Step, StepDefinition
from taxiway.plugin import StepContext
from taxiway.worker.main import Worker

ALEX, KIM = principal("alex"), principal("kim")


class Scripted(BaseHandler):
    """Steps are functions by action name; `undone` keeps the order of undo."""

    def __init__(self, **actions: Callable[[StepContext], Any]) -> None:
        self.actions = actions
        self.undone: list[str] = []
        self.undo_fails: set[str] = set()
        self.calls: list[str] = []

    def execute(self, run: Run, step: Step, ctx: StepContext) -> StepResult:
        self.calls.append(step.id)
        result = self.actions[step.action](ctx)
        return StepResult(result if isinstance(result, Mapping) else {})

    def runs_after_failure(self, run: Run, step: Step) -> bool:
        return step.action == "cleanup"

    def undo(self, run: Run, step: Step, ctx: StepContext) -> None:
        if step.id in self.undo_fails:
            raise UnavailableError("the engine does not answer")
        for created in reversed(step.created):
            self.undone.append(created.name)

    def finish(self, tx: Any, run: Run, state: str) -> Mapping[str, Any]:
        return {"steps": sum(step.state == "succeeded" for step in run.steps), "ended": state}


class Bench:
    """A platform with a running worker."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.runs: DurableRuns = platform.runs  # type: ignore[assignment]
        self.worker = Worker(platform, ())

    def start(self, kind: str, *actions: str, who: Any = ALEX, **options: Any) -> str:
        steps = [StepDefinition(f"s{n}", action, action) for n, action in enumerate(actions, 1)]
        spec = RunSpec(kind, kind, steps, **options)
        return self.platform.store.write(lambda tx: self.runs.start(tx, who, spec))

    def wait(self, run_id: str, *states: str, seconds: float = 10) -> Run:
        wanted = states or tuple(ENDED)
        end = time.monotonic() + seconds
        while (run := self.runs.get(run_id)).state not in wanted:
            assert time.monotonic() < end, f"{run.state} instead of {wanted}: {run}"
            time.sleep(0.01)
        return run

    def ctx(self, who: Any = ALEX) -> Any:
        return context(self.platform, who)


@pytest.fixture
def bench(database_url: str, tmp_path: Path) -> Iterator[Bench]:
    platform = build_platform(tmp_path / "data", url=database_url)
    made = Bench(platform)
    made.worker.start()
    yield made
    made.worker.stop()
    platform.store.close()
    faults = [line for line in platform.log.lines if line[0] == "exception"]  # type: ignore[attr-defined]
    assert not faults, faults


def test_steps_run_in_order_and_the_run_ends_with_output_logs_and_events(bench: Bench) -> None:
    def say(ctx: StepContext) -> dict[str, Any]:
        ctx.log(f"hello from {ctx.step_id}\nsecond line", "stderr")
        (ctx.workspace / ctx.step_id).write_text("x")
        return {"files": sorted(path.name for path in ctx.workspace.iterdir())}

    bench.runs.register("k", Scripted(say=say))
    run_id = bench.start("k", "say", "say", owner="group:default/a", subject="component:default/x")
    run = bench.wait(run_id)
    assert run.state == "succeeded"
    assert run.output == {"steps": 2, "ended": "succeeded"}
    assert [step.output for step in run.steps] == [{"files": ["s1"]}, {"files": ["s1", "s2"]}]
    lines = bench.runs.logs(run_id, step=None, after=0, limit=10)
    assert [(step, line.seq, line.stream, line.text) for step, line in lines] == [
        ("s1", 1, "stderr", "hello from s1"),
        ("s1", 2, "stderr", "second line"),
        ("s2", 3, "stderr", "hello from s2"),
        ("s2", 4, "stderr", "second line"),
    ]
    assert not bench.runs.parts.workspace(run_id).exists()
    assert [item.id for item in bench.runs.list(EVERYTHING, filters={"kind": "k"}, limit=5, cursor=None).items] == [
        run_id
    ]
    until = time.monotonic() + 5
    while (
        len(
            events := bench.platform.events.list(
                EVERYTHING, type_prefix="dev.taxiway.run", subject=f"run:{run_id}", after=0, limit=9, newest_first=False
            )
        )
        < 2
        and time.monotonic() < until
    ):
        time.sleep(0.02)
    assert [event.type for event in events] == ["dev.taxiway.run.started.v1", "dev.taxiway.run.ended.v1"]
    assert events[1].data["state"] == "succeeded"


def test_a_request_key_starts_one_run(bench: Bench) -> None:
    bench.runs.register("k", Scripted(ok=lambda ctx: {}))
    first = bench.start("k", "ok", request_key="a")
    assert bench.start("k", "ok", request_key="a") == first
    assert bench.start("k", "ok", request_key="b") != first


def test_input_that_is_no_json_is_refused(bench: Bench) -> None:
    bench.runs.register("k", Scripted(ok=lambda ctx: {}))
    with pytest.raises(InputError, match=r"input\.path"):
        bench.start("k", "ok", input={"path": Path("/tmp")})


def test_a_failed_run_is_retried_from_the_failed_step_and_keeps_checkpoints(bench: Bench) -> None:
    tries: list[int] = []
    computed: list[int] = []

    def flaky(ctx: StepContext) -> dict[str, Any]:
        value = ctx.checkpoint("id", lambda: computed.append(1) or len(computed))
        tries.append(ctx.attempt)
        if len(tries) == 1:
            raise UnavailableError("come back later")
        return {"id": value}

    handler = Scripted(ok=lambda ctx: {}, flaky=flaky, cleanup=lambda ctx: {})
    bench.runs.register("k", handler)
    run_id = bench.start("k", "ok", "flaky", "ok", "cleanup")
    run = bench.wait(run_id)
    assert (run.state, run.error) == ("failed", "step s2 failed: come back later")
    assert [step.state for step in run.steps] == ["succeeded", "failed", "pending", "succeeded"]
    bench.runs.retry(bench.ctx(), run_id)
    run = bench.wait(run_id)
    assert run.state == "succeeded"
    assert run.segment == 2
    assert handler.calls == ["s1", "s2", "s4", "s2", "s3", "s4"]
    assert run.steps[1].output == {"id": 1}
    assert tries == [1, 2]


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


def test_secrets_and_keys_do_not_reach_the_log_or_the_result(bench: Bench) -> None:
    reference = bench.platform.secrets.put("db", "hunter2-and-more")

    def leak(ctx: StepContext) -> dict[str, Any]:
        value = ctx.resolve_secret(reference)
        bench.platform.secrets.put("fresh", "made-meanwhile")
        ctx.log(
            f"password={value} and made-meanwhile\n-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----\nend"
        )
        ctx.log("token ghp_" + "a" * 36 + " url https://u:pw12345@host/x")
        ctx.created("thing", value, {})
        return {"echo": f"is {value}"}

    bench.runs.register("k", Scripted(leak=leak))
    run = bench.wait(bench.start("k", "leak"))
    text = "\n".join(line.text for _, line in bench.runs.logs(run.id, step=None, after=0, limit=99))
    for secret in ("hunter2", "made-meanwhile", "MIIabc", "ghp_a", "pw12345"):
        assert secret not in text
        assert secret not in repr(run)
    assert text.splitlines()[-2] == "end"


def test_a_follower_sees_lines_and_the_end(bench: Bench) -> None:
    def talk(ctx: StepContext) -> None:
        for number in range(250):
            ctx.log(f"line {number}")

    bench.runs.register("k", Scripted(talk=talk))
    run_id = bench.start("k", "talk")
    updates = list(bench.runs.follow(run_id))
    assert [update.line.text for update in updates if update.line] == [f"line {n}" for n in range(250)]
    last = [update.run for update in updates if update.run][-1]
    assert last.state == "succeeded"


def test_a_follower_in_an_event_loop_sees_the_same(bench: Bench) -> None:
    go = threading.Event()

    def talk(ctx: StepContext) -> None:
        go.wait(5)
        ctx.log("hello")

    async def collect(run_id: str) -> list[str]:
        seen = []
        async for update in bench.runs.follow(run_id):
            seen.append(update.run.state if update.run else update.line.text if update.line else "")
            go.set()
        return seen

    bench.runs.register("k", Scripted(talk=talk))
    seen = asyncio.run(collect(bench.start("k", "talk")))
    assert seen[-1] == "succeeded"
    assert "hello" in seen


def test_latency_of_three_steps(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.runs.register("k", Scripted(ok=lambda ctx: {}))
    times = []
    for _ in range(30):
        begun = time.perf_counter()
        run_id = bench.start("k", "ok", "ok", "ok")
        for _update in bench.runs.follow(run_id):
            pass
        times.append((time.perf_counter() - begun) * 1000)
    times.sort()
    with capsys.disabled():
        dialect = bench.platform.store.dialect
        print(f"\n{dialect}: three no-op steps, start to ended: p50 {times[15]:.1f} ms, worst {times[-1]:.1f} ms")


def test_a_log_that_is_too_long_is_cut_and_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taxiway.core.runs.logs.RUN_CHARACTERS", 1000)

    def talk(ctx: StepContext) -> None:
        for _ in range(50):
            ctx.log("x" * 99)

    bench.runs.register("k", Scripted(talk=talk))
    run = bench.wait(bench.start("k", "talk"))
    lines = bench.runs.logs(run.id, step=None, after=0, limit=99)
    assert len(lines) == 10
    assert "cut here" in lines[-1][1].text


def test_a_finish_that_fails_makes_the_run_failed_with_its_reason(bench: Bench) -> None:
    class Broken(Scripted):
        def finish(self, tx: Any, run: Run, state: str) -> Mapping[str, Any]:
            if state == "succeeded":
                raise ConflictError("another holds the name")
            return {}

    bench.runs.register("k", Broken(ok=lambda ctx: {}))
    run = bench.wait(bench.start("k", "ok"))
    assert (run.state, run.error) == ("failed", "recording the result failed: another holds the name")


def test_a_fault_in_a_step_is_told_without_its_message_and_logged(bench: Bench) -> None:
    def fault(ctx: StepContext) -> None:
        raise ValueError("the password is hunter2")

    bench.runs.register("k", Scripted(fault=fault))
    run = bench.wait(bench.start("k", "fault"))
    assert run.error == "step s1 failed: ValueError inside fault: this is a fault; see the log of the server"
    assert any(event == "step failed" for _, event, _ in bench.platform.log.lines)  # type: ignore[attr-defined]


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
