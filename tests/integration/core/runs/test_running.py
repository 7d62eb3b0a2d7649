"""Runs from start to end, on both databases, with the real engine."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from factories.runs import Bench, Scripted
from taxiway.model.access import EVERYTHING
from taxiway.model.errors import ConflictError, InputError, UnavailableError
from taxiway.model.run import Run
from taxiway.plugin import StepContext


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


def test_secrets_and_keys_do_not_reach_the_log_or_the_result(bench: Bench) -> None:
    reference = bench.platform.secrets.put("db", "hunter2-and-more")

    def leak(ctx: StepContext) -> dict[str, Any]:
        value = ctx.resolve_secret(reference)
        bench.platform.secrets.put("fresh", "made-meanwhile")
        ctx.hide("given-in-the-input")
        ctx.log("given-in-the-input")
        ctx.log(
            f"password={value} and made-meanwhile\n-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----\nend"
        )
        ctx.log("token ghp_" + "a" * 36 + " url https://u:pw12345@host/x")
        ctx.created("thing", value, {})
        return {"echo": f"is {value}", "given": "given-in-the-input"}

    bench.runs.register("k", Scripted(leak=leak))
    run = bench.wait(bench.start("k", "leak"))
    text = "\n".join(line.text for _, line in bench.runs.logs(run.id, step=None, after=0, limit=99))
    for secret in ("hunter2", "made-meanwhile", "given-in", "MIIabc", "ghp_a", "pw12345"):
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
    assert any(event == "step failed" for _, event, _ in bench.platform.log.lines)
