"""Turns the JSON lines of `act` into records of jobs, steps and log lines. Pure; fed by the runner line by line.

A step of a composite action counts as part of the step that used it, as on GitHub. Text that a step prints arrives as a
message inside `act`'s own JSON, so a step cannot forge a record.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

MAX_MESSAGE = 16 * 1024
LAST_LINES = 4
NOISE = ("Couldn't get a valid docker connection", "Using docker host")  # act's first words on any host

Conclusion = Literal["success", "failure", "cancelled", "skipped"]


@dataclass(frozen=True)
class JobStarted:
    """A job began. `job` is unique in the run (with a matrix `act` numbers it), `job_id` the key in the workflow."""

    job: str
    job_id: str
    at: int


@dataclass(frozen=True)
class StepStarted:
    """A step began. `step` is its number from 0 or its id; `stage` is Pre, Main or Post; `at` UTC microseconds."""

    job: str
    step: str
    stage: str
    name: str
    at: int


@dataclass(frozen=True)
class StepFinished:
    """A step ended."""

    job: str
    step: str
    stage: str
    name: str
    status: Conclusion
    duration_seconds: float
    at: int


@dataclass(frozen=True)
class LogLine:
    """A line of output (level `info`) or an annotation; `job` and `step` are empty for the run as a whole."""

    job: str
    step: str
    level: Literal["debug", "info", "notice", "warning", "error"]
    text: str
    at: int
    file: str = ""
    line: int | None = None


@dataclass(frozen=True)
class Summary:
    """Markdown that a step added to its job summary."""

    job: str
    step: str
    markdown: str
    at: int


@dataclass(frozen=True)
class JobFinished:
    """A job ended; `reason` is empty on success."""

    job: str
    job_id: str
    conclusion: Conclusion
    reason: str
    at: int


Record = JobStarted | StepStarted | StepFinished | LogLine | Summary | JobFinished


@dataclass
class Decoder:
    """Keeps the little state that records need: which jobs and steps are open, and each job's last error."""

    workflow_name: str
    open_jobs: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    failed_steps: dict[str, str] = field(default_factory=dict)
    finished: dict[str, JobFinished] = field(default_factory=dict)
    last_lines: list[str] = field(default_factory=list)

    def decode(self, line: bytes, now: int) -> Iterator[Record]:
        """The records of one line; a line that is not `act`'s JSON is a log line of the run."""
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            entry = None
        if not isinstance(entry, dict) or "msg" not in entry:
            yield from self._loose(line.decode("utf-8", "replace"), now)
            return
        at = now
        if "job" not in entry:
            yield from self._loose(str(entry["msg"]), at)
            return
        job = self._job(entry)
        if job not in self.open_jobs and job not in self.finished:
            self.open_jobs[job] = str(entry.get("jobID", job))
            yield JobStarted(job, self.open_jobs[job], at)
        yield from self._of_job(job, entry, at)

    def _loose(self, text: str, at: int) -> Iterator[Record]:
        text = _clip(text.rstrip("\r\n"))
        if text and not any(noise in text for noise in NOISE):
            self.last_lines = [*self.last_lines, text[:500]][-LAST_LINES:]
            yield LogLine("", "", "info", text, at)

    def _job(self, entry: dict[str, Any]) -> str:
        """`act` writes "<workflow>/<job name>" and pads it for its columns."""
        name = str(entry["job"]).strip().removeprefix(f"{self.workflow_name}/")
        return name or str(entry.get("jobID", ""))

    def _of_job(self, job: str, entry: dict[str, Any], at: int) -> Iterator[Record]:
        text = str(entry["msg"])
        if "jobResult" in entry:
            yield self._close(job, "success" if entry["jobResult"] == "success" else "failure", at)
            return
        ids = entry.get("stepID")
        if not ids:
            yield from self._set_up(job, entry, text, at)
            return
        step, stage, name = str(ids[0]), str(entry.get("stage", "Main")), str(entry.get("step", ""))[:200]
        inner = len(ids) > 1
        if "command" in entry:
            yield from self._command(job, step, entry, at)
        elif "stepResult" in entry:
            yield from () if inner else self._step_finished(job, step, stage, name, entry, at)
        elif entry.get("raw_output"):
            yield LogLine(job, step, "info", _clip(text.rstrip("\r\n")), at)
        elif text.startswith("⭐ Run "):
            yield from () if inner else (StepStarted(job, step, stage, name, at),)
        elif entry.get("level") in ("error", "warning") and not (inner and text.startswith("exit status")):
            yield self._problem(job, step, entry["level"], text, at)

    def _set_up(self, job: str, entry: dict[str, Any], text: str, at: int) -> Iterator[Record]:
        """Lines of `act` about the job itself: only problems are of interest."""
        if "unsupported platform" in text:
            text = f"No runner for this job's `runs-on`: {text.split(' -- ')[-1]}. Use `ubuntu-latest`."
            yield self._problem(job, "", "error", text, at)
            yield self._close(job, "failure", at)
        elif "docker API" in text and entry.get("level") == "error":
            text = "`container:` and `services:` need a container engine, which this runner has not."
            yield self._problem(job, "", "error", text, at)
        elif entry.get("level") == "error":
            yield self._problem(job, "", "error", text, at)

    def _command(self, job: str, step: str, entry: dict[str, Any], at: int) -> Iterator[Record]:
        command, pairs = entry["command"], entry.get("kvPairs") or {}
        if command == "summary":
            yield Summary(job, step, _clip(str(entry.get("content", ""))), at)
        elif command in ("error", "warning", "notice", "debug"):
            number = str(pairs.get("line", ""))
            found = self._problem(job, step, command, str(entry.get("arg", "")), at)
            yield replace(found, file=str(pairs.get("file", "")), line=int(number) if number.isdecimal() else None)

    def _step_finished(
        self, job: str, step: str, stage: str, name: str, entry: dict[str, Any], at: int
    ) -> Iterator[Record]:
        result = entry["stepResult"]
        status: Conclusion = result if result in ("success", "failure", "skipped") else "failure"
        if status == "failure":
            self.failed_steps.setdefault(job, name)
        yield StepFinished(job, step, stage, name, status, int(entry.get("executionTime", 0)) / 1e9, at)

    def _problem(self, job: str, step: str, level: Any, text: str, at: int) -> LogLine:
        text = _clip(text.strip())
        if level == "error" and (job not in self.errors or self.errors[job].startswith("exit status")):
            self.errors[job] = text
        return LogLine(job, step, level, text, at)

    def _close(self, job: str, conclusion: Conclusion, at: int, reason: str = "") -> JobFinished:
        if conclusion != "success" and not reason:
            step, error = self.failed_steps.get(job), self.errors.get(job, "")
            reason = f"step '{step}': {error or 'failed'}" if step else error or "the job did not finish"
        record = JobFinished(job, self.open_jobs.pop(job, job), conclusion, reason, at)
        self.finished[job] = record
        return record

    def said(self) -> str:
        """The last lines that belong to no job: what `act` itself, or its way into being, complained of."""
        return "; ".join(self.last_lines)

    def close_open(self, conclusion: Conclusion, reason: str, now: int) -> list[JobFinished]:
        """Ends the jobs that were still open when `act` ended."""
        return [self._close(job, conclusion, now, reason) for job in list(self.open_jobs)]


def _clip(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE else text[:MAX_MESSAGE] + " … (cut)"
