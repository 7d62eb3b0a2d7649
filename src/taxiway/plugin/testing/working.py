"""Conformance of what works beside requests: background services, subscribers, host engines, pipeline engines."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from taxiway.model.errors import NotFoundError
from taxiway.model.event import Event
from taxiway.model.workload import JobStatus
from taxiway.plugin import (
    BackgroundService,
    EventSubscriber,
    EventType,
    HostEngine,
    JobRunner,
    PipelineEngine,
    PipelineJob,
    PipelineRequest,
    PipelineResult,
    PipelineStep,
    PluginContext,
)
from taxiway.plugin.testing.host import memory_host, step_context

STOP_SECONDS = 2.5
"""What the host gives its background services to end, before the process goes away under them."""


class BackgroundServiceConformance:
    """Give a fixture `service`, and `context` where it needs one with settings; `works_seconds` is how long each start
    is watched."""

    works_seconds = 0.4

    @pytest.fixture
    def context(self, tmp_path: Path) -> PluginContext:
        return memory_host(tmp_path, "conformance").context

    def test_it_says_what_it_is(self, service: BackgroundService) -> None:
        assert service.key
        assert isinstance(service.exclusive, bool)

    def test_it_works_until_it_is_stopped_and_can_be_started_again(
        self, service: BackgroundService, context: PluginContext
    ) -> None:
        # Twice: the host starts it again after a failure, and when the lease comes back to this process.
        for _ in range(2):
            stop, failures = threading.Event(), list[BaseException]()
            thread = threading.Thread(target=_noting(service.run, failures), args=(context, stop), daemon=True)
            thread.start()
            thread.join(self.works_seconds)
            assert not failures, f"it failed: {failures[0]!r}"
            assert thread.is_alive(), "it returned although nobody stopped it: the host would start it over and over"
            stop.set()
            thread.join(STOP_SECONDS)
            assert not thread.is_alive(), f"it did not end within {STOP_SECONDS} s of `stop`"
            assert not failures, f"being stopped is no failure: {failures[0]!r}"

    def test_it_ends_at_once_when_it_was_stopped_before_it_began(
        self, service: BackgroundService, context: PluginContext
    ) -> None:
        stop, failures = threading.Event(), list[BaseException]()
        stop.set()
        thread = threading.Thread(target=_noting(service.run, failures), args=(context, stop), daemon=True)
        thread.start()
        thread.join(STOP_SECONDS)
        assert not thread.is_alive()
        assert not failures, f"being stopped is no failure: {failures[0]!r}"


class JobRunnerConformance:
    """Give fixtures `runner`, and `scheduled`: (environment, name) of a scheduled workload whose jobs end well within
    `ends_seconds` and print something."""

    ends_seconds = 10.0

    def test_a_request_gives_one_job_whose_end_and_output_are_kept(
        self, runner: JobRunner, scheduled: tuple[str, str]
    ) -> None:
        environment, name = scheduled
        asked = runner.run_job(environment, name, "conformance", "user:default/conformance")
        assert runner.run_job(environment, name, "conformance", "user:default/conformance").id == asked.id
        deadline = time.monotonic() + self.ends_seconds
        while (job := self._job(runner, environment, asked.id)).state not in ("succeeded", "failed"):
            assert time.monotonic() < deadline, f"it did not end within {self.ends_seconds} s: {job}"
            time.sleep(0.05)
        assert (job.state, job.exit_code, job.requested_by) == ("succeeded", 0, "user:default/conformance")
        assert job.ended_at is not None
        assert runner.logs(job.id, 0, 10)

    def test_it_says_what_is_scheduled_and_filters(self, runner: JobRunner, scheduled: tuple[str, str]) -> None:
        environment, name = scheduled
        (found,) = [one for one in runner.schedules(environment) if one.name == name]
        assert found in runner.schedules(service=found.service)
        assert not runner.schedules("elsewhere")
        assert not runner.jobs("elsewhere")

    def test_what_is_not_there_is_said(self, runner: JobRunner) -> None:
        with pytest.raises(NotFoundError):
            runner.run_job("elsewhere", "nothing", "conformance", "user:default/conformance")
        with pytest.raises(NotFoundError):
            runner.logs("nothing.elsewhere.job-1", 0, 10)

    def _job(self, runner: JobRunner, environment: str, job_id: str) -> JobStatus:
        return next(job for job in runner.jobs(environment) if job.id == job_id)


class EventSubscriberConformance:
    """Give fixtures `subscriber`, `event` (one that concerns it) and `effects` (a function that returns what handling
    changes, as a value that can be compared)."""

    def test_it_says_what_it_listens_to(self, subscriber: EventSubscriber, event: Event) -> None:
        assert subscriber.key
        assert not isinstance(subscriber.types, str), "`types` is a list of prefixes, not one text"
        assert subscriber.types
        assert all(subscriber.types), "an empty prefix would bring every event"
        assert event.type.startswith(tuple(subscriber.types)), "the fixture `event` is one that it does not listen to"

    def test_an_event_that_comes_again_changes_nothing_more(
        self, subscriber: EventSubscriber, event: Event, effects: Callable[[], Any]
    ) -> None:
        before = effects()
        subscriber.handle(event)
        first = effects()
        assert first != before, "the event changed nothing: give one that does"
        subscriber.handle(event)
        assert effects() == first


class EventTypeConformance:
    """Give fixtures `event_type` and `data` (of an event that the plugin emits)."""

    def test_what_it_emits_is_as_its_schema_says(self, event_type: EventType, data: Mapping[str, Any]) -> None:
        import jsonschema_rs

        jsonschema_rs.Draft202012Validator(dict(event_type.schema)).validate(dict(data))

    def test_its_schema_tells_data_from_rubbish(self, event_type: EventType) -> None:
        import jsonschema_rs

        validator = jsonschema_rs.Draft202012Validator(dict(event_type.schema))
        assert not validator.is_valid("rubbish"), "it takes anything: say what the data is"


class HostEngineConformance:
    """Give fixtures `engine`, `start` (makes it run something; called again after a halt it is what the next start of
    Taxiway does) and `processes` (returns what of it is alive now: empty when nothing is)."""

    @pytest.fixture(autouse=True)
    def _leave_nothing(self, engine: HostEngine) -> Iterator[None]:
        yield
        engine.halt()

    def test_halting_when_nothing_runs_is_fine(
        self, engine: HostEngine, processes: Callable[[], Collection[Any]]
    ) -> None:
        assert engine.key
        engine.halt()
        assert not processes()

    def test_halt_waits_until_all_is_gone_and_the_next_start_brings_it_back(
        self, engine: HostEngine, start: Callable[[], None], processes: Callable[[], Collection[Any]]
    ) -> None:
        for _ in range(2):
            start()
            assert processes()
            engine.halt()
            left = processes()
            assert not left, f"still there after halt: {left}"
            engine.halt()


class PipelineEngineConformance:
    """Give fixtures `engine`; `files` (path → bytes of one workflow that a push to `main` starts, beside files that are
    none); and the requests `green`, `red` (it fails) and `endless` (its first job takes minutes).

    `workspace` is a folder that the engine may write to, `cancel_seconds` how long a cancelled run may take to end.
    """

    cancel_seconds = 30.0

    @pytest.fixture
    def workspace(self, tmp_path: Path) -> Path:
        return tmp_path

    def test_it_finds_the_workflows_that_a_push_starts(
        self, engine: PipelineEngine, files: Mapping[str, bytes]
    ) -> None:
        found = engine.workflows(files, "main")
        assert len(found) == 1
        assert set(found) <= set(files)
        assert engine.workflows({}, "main") == []
        engine.workflows(dict.fromkeys(files, b"\xff\x00: [not a workflow"), "main")  # says so when it runs, if ever

    def test_a_green_run_reports_its_jobs_and_can_come_again(
        self, engine: PipelineEngine, green: PipelineRequest, workspace: Path
    ) -> None:
        ctx = step_context(workspace)
        for attempt in (1, 2):
            heard: list[Sequence[PipelineJob]] = []
            result = engine.run(replace(ctx, attempt=attempt), green, heard.append)
            assert result.state == "succeeded", result.reason
            assert heard, "`on_jobs` was never called"
            assert list(heard[-1]) == list(result.jobs), "the last jobs told are not those of the result"
            assert all(len(jobs) == len(result.jobs) for jobs in heard), "each call tells all jobs"
            _check_jobs(result)

    def test_a_red_run_says_why(self, engine: PipelineEngine, red: PipelineRequest, workspace: Path) -> None:
        result = engine.run(step_context(workspace), red, lambda jobs: None)
        assert result.state == "failed"
        assert result.reason, "a failed run says why in a sentence"
        assert not result.artifacts, "a failed run has no artefacts that anybody could deploy"
        assert any(job.state == "failed" and job.reason for job in result.jobs)
        _check_jobs(result)

    def test_a_cancelled_run_ends_soon(self, engine: PipelineEngine, endless: PipelineRequest, workspace: Path) -> None:
        ctx = step_context(workspace)
        begun = list[float]()

        def cancel_when_running(jobs: Sequence[PipelineJob]) -> None:
            if any(job.state == "running" for job in jobs) and not begun:
                begun.append(time.monotonic())
                ctx.cancelled.set()

        result = engine.run(ctx, endless, cancel_when_running)
        assert result.state == "cancelled"
        assert time.monotonic() - begun[0] < self.cancel_seconds
        assert all(job.state not in ("running", "pending") for job in result.jobs), "every job has ended"


def _check_jobs(result: PipelineResult) -> None:
    assert result.jobs
    assert len({job.id for job in result.jobs}) == len(result.jobs), "two jobs with one id"
    parts: list[PipelineJob | PipelineStep] = [*result.jobs, *(step for job in result.jobs for step in job.steps)]
    for item in parts:
        assert item.name
        assert item.state not in ("running", "pending"), f"{item.name} has not ended"
        if item.started_at is not None and item.ended_at is not None:
            assert 1e15 < item.started_at <= item.ended_at, "times are microseconds UTC"
    for name, folder in result.artifacts.items():
        assert name
        assert folder.is_dir(), f"the artefact {name} is a folder"


def _noting(run: Callable[..., None], failures: list[BaseException]) -> Callable[..., None]:
    def noting(*arguments: Any) -> None:
        try:
            run(*arguments)
        except BaseException as error:
            failures.append(error)

    return noting
