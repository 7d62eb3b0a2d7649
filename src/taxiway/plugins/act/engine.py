"""The pipeline engine: one run of one workflow, from a checked-out commit to its jobs, log and artifacts.

Called by the `pipeline` runs of delivery, in a worker's thread. A call that comes again for the same run first ends
everything that an earlier one left behind, so a crash of Taxiway needs nobody. Repository code runs as the pipelines'
user, in a folder of the run below `run_dir`; what it made is copied out and never used in place.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from taxiway.model.errors import UnavailableError
from taxiway.plugin import (
    Identity,
    PipelineJob,
    PipelinePull,
    PipelineRequest,
    PipelineResult,
    PluginContext,
    StepContext,
)
from taxiway.plugin.confined import Limits, User, processes
from taxiway.plugin.daemons import blocked_by
from taxiway.plugins.act import host
from taxiway.plugins.act.artifacts import collect
from taxiway.plugins.act.caches import RepositoryCaches
from taxiway.plugins.act.checkout import check_out
from taxiway.plugins.act.jobs import Jobs
from taxiway.plugins.act.log import RunLog
from taxiway.plugins.act.runner import PipelineProcess, RunResult, RunSpec
from taxiway.plugins.act.sandbox import RunnerError
from taxiway.plugins.act.seed import LIBRARY
from taxiway.plugins.act.workflow import (
    MAX_WORKFLOW_BYTES,
    Workflow,
    WorkflowError,
    parse,
    started_by_pull,
    started_by_push,
)

NEW = "0" * 40
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}")


class ActEngine:
    """Runs workflows of GitHub Actions with `act`."""

    key = "act"

    def __init__(self, ctx: PluginContext, caches: RepositoryCaches) -> None:
        self._ctx, self._caches = ctx, caches
        self._identity: Identity = ctx.identity("pipelines")

    def workflows(self, files: Mapping[str, bytes], branch: str) -> Sequence[str]:
        """Paths of the workflows that a push to `branch` starts; also one that cannot be read, whose run says why."""
        found = []
        for path, text in sorted(files.items()):
            try:
                if started_by_push(parse(text, path), f"refs/heads/{branch}", None):
                    found.append(path)
            except WorkflowError:
                found.append(path)
        return found

    def pull_workflows(
        self, files: Mapping[str, bytes], pull: PipelinePull, changed_paths: Sequence[str] | None
    ) -> Sequence[str]:
        """Paths of the workflows that a pull request starts. What cannot be read, the push of the head says."""
        found = []
        for path, text in sorted(files.items()):
            with contextlib.suppress(WorkflowError):
                if started_by_pull(parse(text, path), pull.base, pull.action, changed_paths):
                    found.append(path)
        return found

    def run(
        self, ctx: StepContext, request: PipelineRequest, on_jobs: Callable[[Sequence[PipelineJob]], None]
    ) -> PipelineResult:
        """Run it to its end. Raises UnavailableError when this host cannot run pipelines at all."""
        root = self._clean(ctx.run_id)
        act = self._require_act()
        self._require_way(root)
        try:
            source = root / "source"
            root.mkdir(mode=0o711, parents=True)
            root.chmod(0o711)
            check_out(request.folder, request.commit, f"refs/heads/{request.branch}", source)
            workflow = _read(source, request.workflow)
            jobs = Jobs(workflow)
            on_jobs(jobs.all())
            process = PipelineProcess(self._spec(ctx, request, workflow, root, act))
            result = self._follow(ctx, process, jobs, on_jobs)
            return self._conclude(ctx, process, result, jobs)
        except (RunnerError, WorkflowError) as error:
            ctx.log(str(error), "stderr")
            return PipelineResult("failed", (), reason=str(error))
        except OSError as error:
            text = f"{error.strerror or error}: {error.filename or root}"
            raise UnavailableError(
                f"this host cannot run the pipeline ({text}): see to it, then retry the run", code="act.host"
            ) from error
        finally:
            self._clean(ctx.run_id)

    def _clean(self, run_id: str) -> Path:
        """End what an earlier attempt left and remove its folder; returns the folder of the run."""
        root = self._ctx.run_dir / "runs" / _safe(run_id)
        if root.exists():
            left = processes.end_all(run_id, set())
            if left:
                pids = ", ".join(str(key.pid) for key in left)
                raise UnavailableError(f"processes of an earlier attempt do not end: {pids}. End them by hand")
            shutil.rmtree(root)
        return root

    def _require_act(self) -> Path:
        act = host.program("act", self._ctx.settings.program)
        if act is None or not act.is_file():
            raise UnavailableError(
                "`act`, which runs workflows, is missing: pip install 'taxiway[laptop]', or set plugins.act.program",
                code="act.no_program",
            )
        return act

    def _require_way(self, root: Path) -> None:
        for folder in (self._ctx.run_dir, root.parent):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o711)
        wall = blocked_by(root / "x", self._identity) if root.exists() else blocked_by(root, self._identity)
        if wall is not None:
            raise UnavailableError(
                f"the user {self._identity.uid} that pipelines run as may not pass through {wall}, which is on the way "
                f"to the data folder: choose another data folder (--data), for example below /var/lib, or run "
                f"chmod o+x {wall}",
                code="act.unreachable",
            )

    def _spec(self, ctx: StepContext, request: PipelineRequest, workflow: Workflow, root: Path, act: Path) -> RunSpec:
        settings, identity = self._ctx.settings, self._identity
        cache = self._caches.folder(request.repository)
        tools = [path for path in (host.program("uv"),) if path is not None]
        user = None if identity.uid is None or identity.gid is None else User(identity.uid, identity.gid)
        branch = _default_branch(request)
        full_name = request.repository if "/" in request.repository else f"taxiway/{request.repository}"
        return RunSpec(
            run_id=ctx.run_id,
            act=act,
            source=root / "source",
            root=root,
            cache=cache,
            actions=LIBRARY / "actions",
            workflow=workflow,
            repository=full_name,
            ref=f"refs/pull/{request.pull.number}/merge" if request.pull else f"refs/heads/{request.branch}",
            sha=request.commit,
            actor=_word(request.actor),
            number=_number(ctx.run_id),
            attempt=ctx.attempt,
            default_branch=branch,
            event_name="pull_request" if request.pull else "push",
            event=_event(request, full_name, branch),
            environment=self._environment(ctx, cache),
            tools=tools,
            user=user,
            limits=Limits(settings.seconds, settings.output_bytes, settings.memory_bytes),
            concurrent_jobs=settings.concurrent_jobs,
        )

    def _environment(self, ctx: StepContext, cache: Path) -> dict[str, str]:
        passed = host.passed(self._ctx.settings.passed_variables, os.environ, lambda text: ctx.log(text, "stderr"))
        pythons = ":".join(str(path) for _, path in host.pythons(self._identity))
        folders = {
            "UV_CACHE_DIR": str(cache / "tools" / "uv"),
            "PIP_CACHE_DIR": str(cache / "tools" / "pip"),
            "npm_config_cache": str(cache / "tools" / "npm"),
            "MYPY_CACHE_DIR": str(cache / "tools" / "mypy"),
        }
        quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "UV_PYTHON_DOWNLOADS": "never"}
        return {**passed, **folders, **quiet, "TAXIWAY_PYTHONS": pythons}

    def _follow(
        self, ctx: StepContext, process: PipelineProcess, jobs: Jobs, on_jobs: Callable[[Sequence[PipelineJob]], None]
    ) -> RunResult:
        log = RunLog(ctx.log, self._ctx.settings.lines)
        with _cancelling(ctx.cancelled, process):
            records = process.records()
            try:
                for record in records:
                    log.add(record)
                    if jobs.add(record):
                        on_jobs(jobs.all())
            except BaseException:  # the host's trouble, or its lease: nothing of the run may go on
                process.cancel()
                for _ in records:
                    pass
                raise
        return process.result()

    def _conclude(self, ctx: StepContext, process: PipelineProcess, result: RunResult, jobs: Jobs) -> PipelineResult:
        if result.left:
            ctx.log(f"could not be ended: processes {', '.join(str(key.pid) for key in result.left)}", "stderr")
        if result.conclusion == "cancelled":
            return PipelineResult("cancelled", jobs.all(), reason="cancelled")
        if result.conclusion == "failure":
            ctx.log(result.reason, "stderr")
            return PipelineResult("failed", jobs.all(), reason=result.reason)
        try:
            most = self._ctx.settings.artifact_bytes
            found = collect(process.layout, ctx.workspace / "artifacts", process.spec.user, most)
        except RunnerError as error:
            ctx.log(str(error), "stderr")
            return PipelineResult("failed", jobs.all(), reason=str(error))
        return PipelineResult("succeeded", jobs.all(), found)


@contextlib.contextmanager
def _cancelling(cancelled: threading.Event, process: PipelineProcess) -> Iterator[None]:
    """Ends the process as soon as `cancelled` is set, for as long as the block runs."""
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            if cancelled.wait(0.25):
                process.cancel()
                return

    thread = threading.Thread(target=watch, name="act-cancel", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _read(source: Path, path: str) -> Workflow:
    """The workflow file in the checked-out tree, which may hold links that lead elsewhere."""
    file = source / path
    if file.is_symlink() or not file.is_file() or not file.resolve().is_relative_to(source.resolve()):
        raise WorkflowError(f"{path} is not a plain file at this commit. Add it to the repository.")
    with file.open("rb") as stream:
        return parse(stream.read(MAX_WORKFLOW_BYTES + 1), path)


def _default_branch(request: PipelineRequest) -> str:
    """The exported tree stands on the repository's default branch, whichever commit it shows."""
    with contextlib.suppress(OSError):
        head = (request.folder / ".git" / "HEAD").read_text(encoding="utf-8").strip()
        if head.startswith("ref: refs/heads/"):
            return head.removeprefix("ref: refs/heads/")[:200]
    return request.branch


def _event(request: PipelineRequest, full_name: str, default_branch: str) -> dict[str, Any]:
    """The body of the event, as far as it is known here."""
    owner, _, name = full_name.partition("/")
    repository = {"name": name, "full_name": full_name, "default_branch": default_branch, "owner": {"login": owner}}
    if request.pull is not None:
        return _pull_event(request, request.pull, repository)
    return {
        "ref": f"refs/heads/{request.branch}",
        "before": NEW,
        "after": request.commit,
        "head_commit": {"id": request.commit},
        "repository": repository,
        "pusher": {"name": _word(request.actor)},
        "sender": {"login": _word(request.actor)},
    }


def _pull_event(request: PipelineRequest, pull: PipelinePull, repository: dict[str, Any]) -> dict[str, Any]:
    base = {"ref": pull.base, "repo": repository}
    head = {"ref": request.branch, "sha": request.commit, "repo": repository}
    return {
        "action": pull.action,
        "number": pull.number,
        "pull_request": {"number": pull.number, "state": "open", "base": base, "head": head},
        "repository": repository,
        "sender": {"login": _word(request.actor)},
    }


def _word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-")[:100] or "taxiway"


def _safe(run_id: str) -> str:
    return run_id if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", run_id) else hashlib.sha256(run_id.encode()).hexdigest()[:32]


def _number(run_id: str) -> int:
    """A number for the run as GitHub has one: for a UUIDv7 its milliseconds, so that later runs have larger ones."""
    if _UUID.fullmatch(run_id):
        return int(run_id.replace("-", "")[:12], 16)
    return int.from_bytes(hashlib.sha256(run_id.encode()).digest()[:6], "big")
