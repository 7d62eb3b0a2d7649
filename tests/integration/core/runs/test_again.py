"""Steps that are tried again by themselves, on both databases, with the real engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from factories.platform import build_platform
from factories.runs import Bench, Scripted
from taxiway.core.runs import again
from taxiway.core.runs.handler import StepResult
from taxiway.model.errors import (
    ConflictError,
    InternalError,
    RateLimitedError,
    TaxiwayError,
    TimedOutError,
    UnavailableError,
)
from taxiway.model.run import Recovery, Run, RunSpec, Step, StepDefinition
from taxiway.plugin import StepContext
from taxiway.worker.main import Worker

RETRIES = 3


@pytest.fixture
def patient(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A bench with one worker that tries again after 0.1 s, 0.2 s and 0.4 s."""
    monkeypatch.setattr(again, "FIRST_SECONDS", 0.1)
    platform = build_platform(tmp_path / "data", url=database_url, step_retries=RETRIES, workers=1)
    made = Bench(platform)
    made.worker.start()
    yield made
    made.worker.stop()
    platform.store.close()


def failing(times: int, error: Callable[[], Exception] = lambda: UnavailableError("the forge does not answer")) -> Any:
    """A step that fails so many times, and records what it made before."""
    calls: list[int] = []

    def step(ctx: StepContext) -> Mapping[str, Any]:
        calls.append(ctx.attempt)
        ctx.created("thing", "one", {})
        once = ctx.checkpoint("once", lambda: len(calls))
        if len(calls) <= times:
            raise error()
        return {"attempts": list(calls), "once": once}

    step.calls = calls
    return step


def texts(bench: Bench, run_id: str) -> list[str]:
    return [line.text for _, line in bench.runs.logs(run_id, step=None, after=0, limit=100)]


def test_a_step_goes_on_by_itself_once_what_it_needs_answers(patient: Bench) -> None:
    patient.runs.register("k", Scripted(flaky=failing(2), ok=lambda ctx: {}))
    run_id = patient.start("k", "ok", "flaky", "ok")
    run = patient.wait(run_id)
    assert [step.state for step in run.steps] == ["succeeded"] * 3
    step = run.steps[1]
    assert (step.attempt, step.output, step.error) == (3, {"attempts": [1, 2, 3], "once": 1}, None)
    assert [item.name for item in step.created] == ["one"]
    assert texts(patient, run_id) == [
        "the forge does not answer",
        "trying again in 0.1 s (1 of 3)",
        "the forge does not answer",
        "trying again in 0.2 s (2 of 3)",
    ]


def test_the_pause_holds_no_thread_and_shows_why(patient: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(again, "FIRST_SECONDS", 60.0)
    patient.runs.register("k", Scripted(flaky=failing(9), ok=lambda ctx: {}))
    waiting = patient.wait(patient.start("k", "flaky"), "waiting")
    assert (waiting.waiting_for, waiting.steps[0].state) == ("retry:s1", "waiting")
    assert waiting.steps[0].error == "the forge does not answer"
    assert 0 < (waiting.wake_at or 0) - patient.platform.clock.now() <= 30_000_000, "never longer than 30 s"
    # The only worker is free for another run.
    assert patient.wait(patient.start("k", "ok")).state == "succeeded"


def test_after_the_last_try_it_fails_and_a_person_begins_a_new_count(patient: Bench) -> None:
    step = failing(RETRIES + 1)
    patient.runs.register("k", Scripted(flaky=step))
    run_id = patient.start("k", "flaky")
    run = patient.wait(run_id)
    assert (run.state, run.error) == ("failed", "step s1 failed: the forge does not answer")
    assert step.calls == [1, 2, 3, 4]
    patient.runs.retry(patient.ctx(), run_id)
    assert patient.wait(run_id).state == "succeeded"
    assert step.calls == [1, 2, 3, 4, 5]
    step.calls.clear()
    other = patient.start("k", "flaky")
    assert patient.wait(other).state == "failed"
    del step.calls[:]
    patient.runs.retry(patient.ctx(), other)
    assert patient.wait(other).state == "failed"
    assert step.calls == [5, 6, 7, 8], "all tries again after a person asked"


@pytest.mark.parametrize(
    "error",
    [
        lambda: ConflictError("taken"),
        lambda: InternalError("a fault"),
        lambda: TimedOutError("it took its whole limit"),
        lambda: ValueError("a fault"),
        lambda: RateLimitedError("come back tomorrow", retry_after_seconds=86_400),
    ],
    ids=["conflict", "internal", "timed_out", "fault", "tomorrow"],
)
def test_what_a_second_call_would_not_mend_fails_at_once(patient: Bench, error: Callable[[], Exception]) -> None:
    step = failing(1, error)
    patient.runs.register("k", Scripted(flaky=step))
    assert patient.wait(patient.start("k", "flaky")).state == "failed"
    assert step.calls == [1]


def test_a_longer_pause_that_is_asked_for_is_kept(patient: Bench) -> None:
    step = failing(1, lambda: RateLimitedError("slower", retry_after_seconds=0.7))
    patient.runs.register("k", Scripted(flaky=step))
    begun = time.monotonic()
    assert patient.wait(patient.start("k", "flaky")).state == "succeeded"
    assert time.monotonic() - begun >= 0.7


class Outside(Scripted):
    """A handler whose step does its work and then fails to hear of it."""

    def __init__(self, done: bool) -> None:
        super().__init__()
        self.done, self.runs = done, 0

    def execute(self, run: Run, step: Step, ctx: StepContext) -> StepResult:
        self.runs += 1
        if self.runs == 1:
            raise UnavailableError("no answer")
        return StepResult({"ran": self.runs})

    def probe(self, run: Run, step: Step, ctx: StepContext) -> StepResult | None:
        return StepResult({"found": True}) if self.done else None


def start_one(bench: Bench, recovery: Recovery) -> str:
    spec = RunSpec("k", "k", [StepDefinition("s1", "call", "call", recovery=recovery)])
    return bench.platform.store.write(lambda tx: bench.runs.start(tx, bench.ctx().principal, spec))


@pytest.mark.parametrize(
    ("recovery", "done", "state", "output", "runs"),
    [
        ("idempotent", True, "succeeded", {"ran": 2}, 2),
        ("probe", True, "succeeded", {"found": True}, 1),
        ("probe", False, "succeeded", {"ran": 2}, 2),
        ("manual", True, "failed", None, 1),
    ],
)
def test_what_is_called_again_is_what_the_action_declares(
    patient: Bench, recovery: Recovery, done: bool, state: str, output: Any, runs: int
) -> None:
    handler = Outside(done)
    patient.runs.register("k", handler)
    run = patient.wait(start_one(patient, recovery))
    assert (run.state, run.steps[0].output, handler.runs) == (state, output, runs)


def test_cancel_during_the_pause_ends_it_and_undo_takes_back(patient: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(again, "FIRST_SECONDS", 60.0)
    handler = Scripted(flaky=failing(9))
    patient.runs.register("k", handler)
    run_id = patient.start("k", "flaky")
    patient.wait(run_id, "waiting")
    patient.runs.cancel(patient.ctx(), run_id)
    run = patient.wait(run_id)
    assert (run.state, run.steps[0].state) == ("cancelled", "cancelled")
    assert (run.waiting_for, run.wake_at) == (None, None)
    patient.runs.undo(patient.ctx(), run_id)
    assert patient.wait(run_id, "undone").steps[0].state == "undone"
    assert handler.undone == ["one"]


def test_a_step_that_ends_while_its_run_is_cancelled_is_not_tried_again(patient: Bench) -> None:
    begun = threading.Event()

    def stubborn(ctx: StepContext) -> None:
        begun.set()
        ctx.cancelled.wait(10)
        raise UnavailableError("ended")

    patient.runs.register("k", Scripted(stubborn=stubborn))
    run_id = patient.start("k", "stubborn")
    assert begun.wait(5)
    patient.runs.cancel(patient.ctx(), run_id)
    run = patient.wait(run_id)
    assert (run.state, run.steps[0].attempt) == ("cancelled", 1)


def test_another_worker_goes_on_counting(patient: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    step = failing(2)
    patient.runs.register("k", Scripted(flaky=step))
    monkeypatch.setattr(again, "FIRST_SECONDS", 1.0)
    run_id = patient.start("k", "flaky")
    patient.wait(run_id, "waiting")
    patient.worker.stop()
    patient.worker = Worker(patient.platform, ())
    patient.worker.start()
    run = patient.wait(run_id)
    assert (run.state, run.steps[0].attempt) == ("succeeded", 3)
    assert "(2 of 3)" in texts(patient, run_id)[-1]


def test_a_cleanup_that_pauses_does_not_repeat_what_failed_before_it(patient: Bench) -> None:
    def broken(ctx: StepContext) -> None:
        raise ConflictError("taken")

    handler = Scripted(broken=broken, cleanup=failing(1))
    patient.runs.register("k", handler)
    run = patient.wait(patient.start("k", "broken", "cleanup"))
    assert (run.state, run.error) == ("failed", "step s1 failed: taken")
    assert handler.calls == ["s1", "s2", "s2"]
    assert [step.state for step in run.steps] == ["failed", "succeeded"]


def test_a_secret_in_the_reason_is_masked_in_the_pause_too(patient: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(again, "FIRST_SECONDS", 60.0)
    reference = patient.platform.secrets.put("k/token", "planted-4711-word")

    def telling(ctx: StepContext) -> None:
        raise UnavailableError(f"refused for {ctx.resolve_secret(reference)}")

    patient.runs.register("k", Scripted(telling=telling))
    run_id = patient.start("k", "telling")
    run = patient.wait(run_id, "waiting")
    assert "planted" not in str(run)
    assert "planted" not in str(texts(patient, run_id))


@pytest.mark.parametrize("most", [0, 1, 4])
def test_the_rule_stops_at_the_setting(most: int) -> None:
    step = Step("s", 0, "s", "a", "running", 1, "idempotent", {})
    error: TaxiwayError = UnavailableError("no")
    seconds = []
    while (found := again.next_try(step, error, most)) is not None:
        seconds.append(found.seconds)
        step = Step("s", 0, "s", "a", "running", 1, "idempotent", {}, checkpoints=again.counted(step, found.number))
    assert seconds == [1.0, 2.0, 4.0, 8.0][:most]
