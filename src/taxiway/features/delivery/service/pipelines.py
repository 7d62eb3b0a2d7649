"""Starting pipelines and turning green ones into releases. Called by the push subscriber, run steps and actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.core.store.database import Tx
from taxiway.features.delivery import repository
from taxiway.features.delivery.engines import forge, owner_of, pipeline_engine, service_of_repository
from taxiway.features.environments.service import ServiceEntity, create_release
from taxiway.features.environments.service.deployments import DEPLOY
from taxiway.features.infrastructure.writes import write_or_find
from taxiway.features.pulls.service import changed_paths, report_check
from taxiway.model.errors import InputError, NotFoundError
from taxiway.model.event import EventDraft
from taxiway.model.run import RunSpec, StepDefinition
from taxiway.model.workload import Repository
from taxiway.plugin import PipelineJob, PipelinePull, PullPipelineEngine

WORKFLOWS = ".github/workflows"
SCORE = "score.yaml"
RECENT = 1000
STEPS = (
    StepDefinition("build", "Run the workflow", "pipeline:build"),
    StepDefinition("release", "Publish the release", "pipeline:release"),
)


def start_pipelines(ctx: OpContext, name: str, commit: str, branch: str) -> list[str]:
    """One run per workflow that a push of `commit` to `branch` starts. Asked again it returns the same runs."""
    there, owner = _owned(ctx.platform, name)
    return [_start(ctx, there, commit, branch, path, owner) for path in workflows(ctx.platform, name, commit, branch)]


def start_asked(ctx: OpContext, name: str, commit: str, branch: str) -> list[str]:
    """`start_pipelines` for a commit that somebody names, who must own the repository. InputError unless it is on the
    branch: what only stands in a pull request is not run, or released, as if it were merged."""
    there, owner = _owned(ctx.platform, name)
    # Anybody can write a component that names the repository: its own owner goes first.
    ctx.authorize(DEPLOY, owner_of(there) or owner)
    host = forge(ctx.platform)
    if host.resolve(name, branch) != commit and all(one["sha"] != commit for one in host.log(name, branch, RECENT)):
        raise InputError(
            f"{commit[:40]} is none of the last {RECENT} commits of {branch} in '{name}': merge it, name it in full",
            code="delivery.commit_elsewhere",
        )
    return start_pipelines(ctx, name, commit, branch)


def _owned(platform: Platform, name: str) -> tuple[Repository, str | None]:
    there = forge(platform).get_repository(name)
    if there is None:
        raise NotFoundError(f"there is no repository '{name}': list them", code="delivery.no_repository")
    service = service_of_repository(platform, name)
    return there, service.owner if service is not None else owner_of(there)


def workflows(platform: Platform, name: str, commit: str, branch: str) -> Sequence[str]:
    """Paths of the workflows at `commit` that a push to `branch` starts."""
    files = _workflow_files(platform, name, commit)
    return pipeline_engine(platform).workflows(files, branch) if files else []


def _workflow_files(platform: Platform, name: str, commit: str) -> dict[str, bytes]:
    host = forge(platform)
    paths = [p for p in host.list_files(name, commit, WORKFLOWS) if p.endswith((".yml", ".yaml"))]
    return {path: host.read_file(name, commit, path) or b"" for path in paths if path.startswith(WORKFLOWS + "/")}


def start_pull_pipelines(ctx: OpContext, name: str, commit: str, head: str, pull: PipelinePull) -> list[str]:
    """One run per workflow that a pull request from branch `head` starts for its head commit."""
    engine, there = pipeline_engine(ctx.platform), forge(ctx.platform).get_repository(name)
    if there is None or not isinstance(engine, PullPipelineEngine):
        return []
    files = _workflow_files(ctx.platform, name, commit)
    if not files:
        return []
    paths = engine.pull_workflows(files, pull, changed_paths(ctx, name, pull.number))
    service = service_of_repository(ctx.platform, name)
    owner = service.owner if service is not None else owner_of(there)
    return [_start(ctx, there, commit, head, path, owner, pull) for path in paths]


def check_name(workflow: str) -> str:
    """What the check of a workflow is called: its file's name."""
    return workflow.rsplit("/", 1)[-1]


def check_source(given: Mapping[str, Any]) -> str:
    """The event that a pipeline runs for, from its run's input."""
    return "pull_request" if given.get("pull") else "push"


def _start(
    ctx: OpContext,
    there: Repository,
    commit: str,
    branch: str,
    workflow: str,
    owner: str | None,
    pull: PipelinePull | None = None,
) -> str:
    given: dict[str, Any] = {"repository": there.name, "commit": commit, "branch": branch, "workflow": workflow}
    if pull is not None:
        given["pull"] = asdict(pull)
    key = f"{there.uid}:{commit}:{branch}:{workflow}" + (f":pull:{pull.number}" if pull else "")

    def work(tx: Tx) -> str:
        spec = RunSpec(
            kind="pipeline",
            title=f"{check_name(workflow)} of {there.name} at {commit[:7]}" + (f" (#{pull.number})" if pull else ""),
            steps=STEPS,
            input=given,
            subject=f"repository:{there.name}",
            owner=owner,
            request_key=key,
        )
        run_id = ctx.platform.runs.start(tx, ctx.principal, spec)
        values: dict[str, Any] = {
            "id": run_id,
            "repository": there.name,
            "repository_uid": there.uid,
            "commit": commit,
            "branch": branch,
            "workflow": workflow,
            "owner": owner,
            "state": "queued",
            "reason": "",
            "jobs": [],
            "created_at": tx.now,
        }
        if repository.add_pipeline(tx, values):
            name, source = check_name(workflow), check_source(given)
            report_check(tx, there.uid, commit, name, source, "queued", run_id=run_id)
            data = {"repository": there.name, "commit": commit, "run_id": run_id, "workflow": workflow}
            draft = EventDraft("dev.cdevents.pipelinerun.started.0.3.0", f"run:{run_id}", data)
            ctx.emit(tx, draft, owner=owner)
        return run_id

    return write_or_find(ctx.platform, work)


def ensure_release(
    ctx: OpContext, pipeline: Mapping[str, Any], service: ServiceEntity | None = None
) -> Mapping[str, Any] | None:
    """The release that a green pipeline makes, made when missing; None while no service is linked to the repository.

    InputError when the commit has no Score file or a wrong one.
    """
    service = service or service_of_repository(ctx.platform, pipeline["repository"])
    if service is None or pipeline["digest"] is None:
        return None
    score = forge(ctx.platform).read_file(pipeline["repository"], pipeline["commit"], SCORE)
    if score is None:
        raise InputError(f"{pipeline['repository']} has no {SCORE} at {pipeline['commit'][:7]}: add one to release it")
    release = create_release(
        ctx,
        service,
        repository_name=pipeline["repository"],
        commit=pipeline["commit"],
        artifact=pipeline["digest"],
        score=score,
        pipeline_id=pipeline["id"],
    )
    values = {"release_id": release["id"], "owner": service.owner}
    ctx.platform.store.write(lambda tx: repository.change_pipeline(tx, pipeline["id"], **values))
    return release


def failure_of(pipeline: Mapping[str, Any]) -> str:
    """Why a pipeline is not green, in a sentence."""
    for job in pipeline["jobs"]:
        if job["state"] == "failed":
            return f"job {job['name']} failed: {job['reason'] or 'see its log'}"
    return pipeline["reason"] or f"the pipeline ended as {pipeline['state']}"


def closed_jobs(jobs: Sequence[Mapping[str, Any]], state: str, reason: str) -> list[dict[str, Any]]:
    """The stored jobs of a pipeline that has ended: none of them is still running or waiting."""
    ended = "cancelled" if state == "cancelled" else "failed"
    fate = {"running": (ended, reason), "pending": ("cancelled", "the run ended before it")}
    return [
        {**job, "state": fate[job["state"]][0], "reason": job["reason"] or fate[job["state"]][1]}
        if job["state"] in fate
        else dict(job)
        for job in jobs
    ]


def jobs_document(jobs: Sequence[PipelineJob]) -> list[dict[str, Any]]:
    """Jobs as the API shows them."""
    return [
        {
            "id": job.id,
            "name": job.name,
            "state": job.state,
            "reason": job.reason,
            "started_at": job.started_at,
            "ended_at": job.ended_at,
            "steps": [
                {"name": step.name, "state": step.state, "seconds": _seconds(step.started_at, step.ended_at)}
                for step in job.steps
            ],
        }
        for job in jobs
    ]


def _seconds(start: int | None, end: int | None) -> float | None:
    return None if start is None or end is None else round((end - start) / 1_000_000, 3)
