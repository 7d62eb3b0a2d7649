"""Runs one workflow file with `act` and streams what happens. Called by the pipeline engine, one object a run.

`prepare` makes a run's folder, `command` its argument list; `PipelineProcess` is the running thing. The caller reads
`records()` to the end in one thread and may call `cancel()` from another. When `records()` is through, no process of
the run is left and `result()` is final.
"""

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from taxiway.plugin.confined import Limits, User, limited, processes
from taxiway.plugin.confined.command import read_lines

from . import actions as library
from . import sandbox
from .records import Conclusion, Decoder, JobFinished, LogLine, Record
from .sandbox import Layout, RunnerError
from .workflow import Workflow

WATCH_SECONDS = 0.5
PLATFORMS = ("ubuntu-latest", "ubuntu-26.04", "ubuntu-24.04", "ubuntu-22.04", "ubuntu-slim", "self-hosted", "linux")


@dataclass(frozen=True)
class RunSpec:
    """One run. `source` is a checked-out tree that the user can read, `root` a folder for this run alone, `cache` one
    for the repository alone; `event` is the body of the event `event_name`, `ref` a full name, `environment` is for
    steps."""

    run_id: str
    act: Path
    source: Path
    root: Path
    cache: Path
    actions: Path
    workflow: Workflow
    repository: str
    ref: str
    sha: str
    actor: str = "taxiway"
    number: int = 1
    attempt: int = 1
    default_branch: str = "main"
    event: Mapping[str, object] = field(default_factory=dict)
    event_name: str = "push"
    environment: Mapping[str, str] = field(default_factory=dict)
    tools: Sequence[Path] = ()
    user: User | None = None
    limits: Limits = field(default_factory=Limits)
    concurrent_jobs: int = 2


@dataclass(frozen=True)
class RunResult:
    """How a run ended; `reason` is empty on success, `jobs` in order of their end, `left` what could not be killed."""

    conclusion: Literal["success", "failure", "cancelled"]
    reason: str
    jobs: tuple[JobFinished, ...]
    output_dropped: bool
    left: tuple[processes.ProcessKey, ...] = ()


def prepare(spec: RunSpec) -> tuple[Layout, dict[str, Path]]:
    """Makes the run's folder; returns it and the folder of each `uses:` text. Raises RunnerError."""
    if not spec.act.is_file():
        raise RunnerError("`act` is missing. Install Taxiway with the extra 'laptop' (pip install 'taxiway[laptop]').")
    layout = sandbox.make_layout(spec.root, spec.user, spec.actions, [spec.act, *spec.tools], spec.cache)
    index = library.load_index(spec.actions)
    used = library.used_actions(spec.workflow, spec.source, index)
    folders: dict[str, Path] = {}
    for number, uses in enumerate(used.remote):
        key = f"{uses.repository}@{uses.ref}"
        if (name := index.folder(uses)) is not None:
            folders[key] = layout.actions / name
            continue
        made = folders.setdefault(key, layout.actions / f"unavailable-{number}")
        library.write_unavailable(made, uses, library.unavailable_reason(uses, index))
    sandbox.open_for_reading(layout.actions)
    (layout.root / "event.json").write_text(json.dumps(dict(spec.event)), encoding="utf-8")
    (layout.root / "event.json").chmod(0o644)
    return layout, folders


def command(spec: RunSpec, layout: Layout, folders: Mapping[str, Path]) -> list[str]:
    """The argument list of `act`. Its own defaults that read files of the repository or open ports are switched off."""
    variables = {
        "GITHUB_REPOSITORY": spec.repository,
        "GITHUB_REPOSITORY_OWNER": spec.repository.partition("/")[0],
        "GITHUB_REF": spec.ref,
        "SHA_REF": spec.sha,
        "GITHUB_RUN_ID": str(spec.number),
        "GITHUB_RUN_NUMBER": str(spec.number),
        "GITHUB_RUN_ATTEMPT": str(spec.attempt),
    }
    return [
        str(layout.bin / spec.act.name),
        *(spec.event_name, "--json", "--directory", str(spec.source), "--workflows", spec.workflow.path),
        *(word for label in PLATFORMS for word in ("--platform", f"{label}=-self-hosted")),
        *("--eventpath", str(layout.root / "event.json"), "--actor", spec.actor),
        *("--defaultbranch", spec.default_branch, "--concurrent-jobs", str(spec.concurrent_jobs)),
        *("--action-cache-path", str(layout.home / "act"), "--action-offline-mode", "--pull=false"),
        *("--no-cache-server", "--container-daemon-socket", "-"),
        *(word for name in ("env", "secret", "var", "input") for word in (f"--{name}-file", "/dev/null")),
        *("--secret", "GITHUB_TOKEN="),
        *(word for name, value in variables.items() for word in ("--env", f"{name}={value}")),
        *(word for uses, folder in folders.items() for word in ("--local-repository", f"{uses}={folder}")),
    ]


class PipelineProcess:
    """A running workflow. Owns the process, a watcher of its limits, and the end of everything that it started."""

    def __init__(self, spec: RunSpec) -> None:
        """Starts it. Raises RunnerError when it cannot start."""
        self.spec = spec
        self.layout, folders = prepare(spec)
        self._environment = sandbox.environment(spec.run_id, self.layout, spec.cache, spec.environment)
        self._known: set[processes.ProcessKey] = set()
        self._decoder = Decoder(spec.workflow.name)
        self._stop_reason = ""
        self._cancelled = False
        self._dropped = False
        self._result: RunResult | None = None
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._process = self._spawn(command(spec, self.layout, folders), subprocess.PIPE)
        self._shim = processes.key_of(self._process.pid)
        self._watcher = threading.Thread(target=self._watch, name=f"act-{spec.run_id}", daemon=True)
        self._watcher.start()

    def _spawn(self, argv: Sequence[str], output: int) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                limited(argv, self.spec.limits, self.spec.user),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.layout.root,  # not the repository: act reads an .actrc from where it starts
                env=self._environment,
                start_new_session=True,
                umask=0o022,
            )
        except OSError as error:
            raise RunnerError(f"`act` could not be started: {error}.") from error

    def cancel(self) -> None:
        """Ends the run; `records()` then comes to its end with conclusion `cancelled`. May be called at any time."""
        self._stop("", cancelled=True)

    def _stop(self, reason: str, cancelled: bool = False) -> None:
        with self._lock:
            if self._stop_reason or self._cancelled or self._done.is_set():
                return
            self._stop_reason, self._cancelled = reason, cancelled
        self._end_processes()

    def _end_processes(self) -> list[processes.ProcessKey]:
        user = self.spec.user
        own_uid = user.uid if user and user.exclusive else None
        return processes.end_all(self.spec.run_id, self._known, own_uid, self._shim)

    def _watch(self) -> None:
        """Looks at time and memory until the run is over, and remembers every process that it saw."""
        limits, user = self.spec.limits, self.spec.user
        deadline = time.monotonic() + limits.timeout_seconds
        while not self._done.wait(WATCH_SECONDS):
            seen = processes.snapshot(self.spec.run_id, user.uid if user and user.exclusive else None)
            mine = processes.belonging(seen, self._known)
            self._known.update(info.key for info in mine)
            memory = sum(info.memory_bytes for info in mine)
            if time.monotonic() > deadline:
                self._stop(f"the run took longer than {limits.timeout_seconds:g} s, its limit")
            elif memory > limits.memory_bytes:
                self._stop(f"the run used {memory >> 20} MiB of memory; its limit is {limits.memory_bytes >> 20} MiB")

    def records(self) -> Iterator[Record]:
        """Every record as it happens, to the end of the run; to be read once."""
        kept = total = 0
        output = self._process.stdout
        if output is None:
            raise RuntimeError("records() needs the pipe of the process")
        for line in read_lines(output):
            for record in self._decoder.decode(line, now()):
                size = len(record.text) + 1 if isinstance(record, LogLine) else 0
                total += size
                if size and kept + size > self.spec.limits.output_bytes:
                    if not self._dropped:
                        self._dropped = True
                        yield LogLine(
                            record.job, "", "warning", "More output than is kept: the rest is dropped.", now()
                        )
                    continue
                kept += size
                yield record
            if total > 4 * self.spec.limits.output_bytes:
                self._stop(f"the run printed more than {4 * self.spec.limits.output_bytes} bytes, its limit")
        yield from self._finish()

    def _finish(self) -> Iterator[Record]:
        left = self._end_processes()  # what a step left in the background
        code = self._wait_for_shim()
        self._done.set()
        self._watcher.join()
        stopped = self._cancelled or bool(self._stop_reason)
        conclusion: Conclusion = "cancelled" if self._cancelled else "failure"
        why = self._stop_reason or ("cancelled" if self._cancelled else self._early_end(code))
        yield from self._decoder.close_open(conclusion, why, now())
        yield from self._never_started(stopped)
        if not stopped:
            self._save_caches()
        self._result = self._conclude(code, tuple(left))

    def _wait_for_shim(self) -> int:
        """The shim ends with the last process of the run; where one could not be ended, it is ended itself."""
        try:
            return self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def _never_started(self, stopped: bool) -> Iterator[JobFinished]:
        """`act` says nothing of jobs whose `needs` failed or whose `if` is false."""
        seen = {record.job_id for record in self._decoder.finished.values()}
        for job_id, job in self.spec.workflow.jobs.items():
            if job_id not in seen:
                name = str(job.get("name") or job_id)
                needs = "its `needs` did not succeed, or its `if` is false"
                reason = "the run ended before it" if stopped else needs
                record = JobFinished(name, job_id, "cancelled" if self._cancelled else "skipped", reason, now())
                self._decoder.finished[name] = record
                yield record

    def _save_caches(self) -> None:
        """Lets the cache action do what it does at the end of a job, for the jobs that succeeded."""
        good = {record.job_id for record in self._decoder.finished.values() if record.conclusion == "success"}
        for note in sorted(self.layout.pending.glob("note-*")):
            job = note / "job"
            if job.is_file() and not job.is_symlink() and job.read_text(encoding="utf-8")[:200] in good:
                script = str(self.layout.actions / "cache" / "main.sh")
                saving = self._spawn(["/bin/bash", script, "commit", str(note)], subprocess.DEVNULL)
                try:
                    saving.wait(60)
                except subprocess.TimeoutExpired:
                    self._end_processes()
                    saving.wait()

    def _conclude(self, code: int, left: tuple[processes.ProcessKey, ...]) -> RunResult:
        jobs = tuple(self._decoder.finished.values())
        bad = [job for job in jobs if job.conclusion == "failure"]
        ran = any(job.conclusion == "success" for job in jobs)
        if self._cancelled:
            return RunResult("cancelled", "cancelled", jobs, self._dropped, left)
        if self._stop_reason:
            return RunResult("failure", self._stop_reason, jobs, self._dropped, left)
        if bad:
            return RunResult("failure", f"job '{bad[0].job}': {bad[0].reason}", jobs, self._dropped, left)
        if code != 0 or not ran:
            return RunResult("failure", self._early_end(code), jobs, self._dropped, left)
        return RunResult("success", "", jobs, self._dropped, left)

    def _early_end(self, code: int) -> str:
        """Why `act` ended without a word about its jobs."""
        ended = f"was ended by signal {code - 128}" if code > 128 else f"ended with exit code {code}"
        return f"no job ended by itself: act {ended}; it said: {self._decoder.said() or 'nothing'}"

    def result(self) -> RunResult:
        """How it ended; only after `records()` came to its end."""
        if self._result is None:
            raise RuntimeError("the run is not over: read records() to the end first")
        return self._result

    def remove(self) -> None:
        """Deletes the run's folder, artifacts included."""
        shutil.rmtree(self.layout.root, ignore_errors=True)


def now() -> int:
    """UTC microseconds."""
    return time.time_ns() // 1000
