"""Handler of runs of kind `pipeline`: run one workflow of one commit, then make its artefact a release."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.core.runs.handler import BaseHandler, StepResult
from taxiway.core.store.database import Tx
from taxiway.features.delivery import archive, repository
from taxiway.features.delivery.engines import forge, op_context, pipeline_engine
from taxiway.features.delivery.service.pipelines import (
    check_name,
    check_source,
    closed_jobs,
    ensure_release,
    failure_of,
    jobs_document,
)
from taxiway.features.pulls.model import CheckState
from taxiway.features.pulls.service import report_check
from taxiway.model.access import system_principal
from taxiway.model.errors import ConflictError, NotFoundError
from taxiway.model.event import EventDraft
from taxiway.model.run import Run, RunState, Step
from taxiway.plugin import PipelineJob, PipelinePull, PipelineRequest, PipelineResult, StepContext

RELEASE = "release"
CHECKS: Mapping[str, CheckState] = {"succeeded": "succeeded", "failed": "failed", "cancelled": "cancelled"}
"""The state of a check by that of the run that has ended."""
OUTCOMES: Mapping[str, str] = {"succeeded": "success", "failed": "failure", "cancelled": "cancel"}
"""CDEvents' word for how a pipeline run ended; "error" for any other end."""


def pipeline_topic(name: str, commit: str) -> str:
    """What runs wait for while a commit has no ended pipeline."""
    return f"pipeline:{name}@{commit}"


class PipelineHandler(BaseHandler):
    """Steps `pipeline:build` and `pipeline:release`."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def execute(self, run: Run, step: Step, ctx: StepContext) -> StepResult:
        return StepResult(self._build(run, ctx) if step.action == "pipeline:build" else self._release(run, ctx))

    def finish(self, tx: Tx, run: Run, state: RunState) -> Mapping[str, Any]:
        row = repository.get_pipeline(tx.conn, run.id)
        if row is None or state == "undone":
            return {}
        reason = "" if state == "succeeded" else row["reason"] or _reason(run, state)
        jobs = row["jobs"] if state == "succeeded" else closed_jobs(row["jobs"], state, reason)
        repository.change_pipeline(tx, run.id, state=state, ended_at=tx.now, reason=reason, jobs=jobs)
        outcome = OUTCOMES.get(state, "error")
        data = {"repository": row["repository"], "commit": row["commit"], "outcome": outcome, "run_id": run.id}
        draft = EventDraft("dev.cdevents.pipelinerun.finished.0.3.0", f"run:{run.id}", data)
        self._platform.events.append(tx, system_principal("delivery"), draft, owner=row["owner"])
        ended = CHECKS.get(state)
        if ended is not None:
            self._report(tx, row["repository_uid"], run, ended, reason)
        self._platform.runs.wake(tx, pipeline_topic(row["repository"], row["commit"]))
        shown = {key: row[key] for key in ("repository", "commit", "branch", "workflow", "digest", "release_id")}
        return {**shown, "outcome": outcome, "reason": reason}

    def _build(self, run: Run, ctx: StepContext) -> Mapping[str, Any]:
        given, platform = run.input, self._platform
        name, commit = given["repository"], given["commit"]
        there = forge(platform).get_repository(name)
        if there is None:
            raise NotFoundError(f"the repository {name} is gone")
        folder = _fresh(ctx.workspace / "source")
        forge(platform).export(name, commit, folder)
        self._hand_over(ctx.workspace, folder)
        start = {"state": "running", "started_at": platform.clock.now(), "ended_at": None, "jobs": [], "reason": ""}

        def begin(tx: Tx) -> None:
            repository.change_pipeline(tx, run.id, **start)
            self._report(tx, there.uid, run, "running", "")

        platform.store.write(begin)
        pull = PipelinePull(**given["pull"]) if given.get("pull") else None
        request = PipelineRequest(name, commit, given["branch"], given["workflow"], folder, run.created_by, pull)
        result = pipeline_engine(platform).run(ctx, request, lambda jobs: self._save_jobs(run.id, jobs))
        self._save_jobs(run.id, result.jobs)
        if result.state != "succeeded":
            self._fail(run, result)
        is_releasable = pull is None and given["branch"] == there.default_branch
        digest = self._keep(ctx, result) if is_releasable else None
        platform.store.write(lambda tx: repository.change_pipeline(tx, run.id, digest=digest))
        return {"digest": digest, "jobs": len(result.jobs)}

    def _report(self, tx: Tx, repository_uid: str, run: Run, state: CheckState, detail: str) -> None:
        """How the check of this workflow stands, for pull requests with this commit."""
        given = run.input
        name, source = check_name(given["workflow"]), check_source(given)
        report_check(tx, repository_uid, given["commit"], name, source, state, detail=detail, run_id=run.id)

    def _fail(self, run: Run, result: PipelineResult) -> None:
        jobs = jobs_document(result.jobs)
        reason = failure_of({"jobs": jobs, "reason": result.reason, "state": result.state})
        self._platform.store.write(lambda tx: repository.change_pipeline(tx, run.id, reason=reason))
        raise ConflictError(reason, code="delivery.pipeline_failed")

    def _keep(self, ctx: StepContext, result: PipelineResult) -> str | None:
        source = result.artifacts.get(RELEASE)
        if source is None:
            ctx.log(f"no artefact named '{RELEASE}' was uploaded: this pipeline makes no release", "stdout")
            return None
        packed = ctx.workspace / "release.tar"
        archive.pack(source, packed)
        digest = self._platform.artifacts.put(packed)
        packed.unlink(missing_ok=True)
        return digest

    def _release(self, run: Run, ctx: StepContext) -> Mapping[str, Any]:
        with self._platform.store.read() as conn:
            row = repository.get_pipeline(conn, run.id)
        if row is None or row["digest"] is None:
            return {"release_id": None}
        operation: OpContext = op_context(self._platform, ctx)
        release = ensure_release(operation, row)
        if release is None:
            ctx.log("no component names this repository yet: its release is made when one does", "stdout")
            return {"release_id": None}
        ctx.log(f"release {release['id']}", "stdout")
        return {"release_id": release["id"]}

    def _save_jobs(self, run_id: str, jobs: Sequence[PipelineJob]) -> None:
        document = jobs_document(jobs)
        self._platform.store.write(lambda tx: repository.change_pipeline(tx, run_id, jobs=document))

    def _hand_over(self, workspace: Path, folder: Path) -> None:
        """Give the work tree to the user that pipelines run as; that user may pass through the workspace to it."""
        uid = self._platform.settings.engines.pipeline_uid
        if os.geteuid() != 0:
            return
        workspace.chmod(0o711)
        for parent, folders, files in os.walk(folder):
            for entry in (*folders, *files):
                os.lchown(Path(parent) / entry, uid, uid)
        os.lchown(folder, uid, uid)


def _reason(run: Run, state: RunState) -> str:
    """Why a pipeline ended whose engine could not say it: the run's own error is written only after this."""
    errors = [f"step {step.id} failed: {step.error}" for step in run.steps if step.state == "failed" and step.error]
    return errors[0] if errors else run.error or f"the run was {state}"


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    return folder
