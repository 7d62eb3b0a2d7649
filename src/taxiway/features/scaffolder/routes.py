"""The scaffolder over HTTP: Backstage's v2 API on its paths, and plans beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal
from uuid import UUID

import orjson
from fastapi import Query, Response
from pydantic import BaseModel, Field, SecretStr
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from taxiway.core.http.context import Ctx
from taxiway.core.http.sse import After, Batch, SseEvent, event_stream, found_within
from taxiway.core.operations import Operations
from taxiway.features.scaffolder.binding import offers
from taxiway.features.scaffolder.forges import forge_hosts
from taxiway.features.scaffolder.service import Scaffolder, task_view
from taxiway.kit.clock import to_rfc3339
from taxiway.model.errors import InputError
from taxiway.model.run import ENDED, Run
from taxiway.plugin import Autocompleter

operations = Operations("scaffolder")
BASE = "/api/scaffolder"
LONG_POLL_SECONDS = 30.0
COMPLETION_ID = 2_000_000_000
"""The id of a completion event, behind every log line."""


class TaskCreate(BaseModel):
    """A golden path to run: its reference, the answers, and secrets that are never stored in clear."""

    templateRef: str
    values: dict[str, Any] = Field(default_factory=dict)
    secrets: dict[str, str] = Field(default_factory=dict)
    planHash: str | None = None
    draftId: str | None = None
    wizardId: UUID | None = None


class TaskRef(BaseModel):
    """The id of a task, which is the id of its run."""

    id: str


class DirectoryFile(BaseModel):
    """A file of a template under trial."""

    path: str
    base64Content: str
    executable: bool = False


class DryRunRequest(BaseModel):
    """A template with its files and answers, to be tried."""

    template: dict[str, Any]
    values: dict[str, Any] = Field(default_factory=dict)
    secrets: dict[str, str] = Field(default_factory=dict)
    directoryContents: list[DirectoryFile] = Field(default_factory=list, max_length=5000)


class Autocomplete(BaseModel):
    """What is known so far, and the person's own token on the forge: nothing is asked without one."""

    token: SecretStr = Field(min_length=1, max_length=10_000)
    context: dict[str, str] = Field(default_factory=dict, max_length=20)


class PlanCreate(BaseModel):
    """A golden path and answers to plan for."""

    template_ref: str
    values: dict[str, Any] = Field(default_factory=dict)
    secrets: dict[str, str] = Field(default_factory=dict)


def scaffolder_of(ctx: Ctx) -> Scaffolder:
    """The scaffolder of the platform."""
    service: Scaffolder = ctx.platform.services["scaffolder"]
    return service


def _task(ctx: Ctx, task_id: str) -> Run:
    run = ctx.platform.runs.head(task_id)
    ctx.authorize("runs.read", run.owner)
    return run


@operations.get(
    BASE + "/v2/templates/{namespace}/{kind}/{name}/parameter-schema", "scaffolder.read", errors="backstage"
)
def get_parameter_schema(ctx: Ctx, namespace: str, kind: str, name: str) -> dict[str, Any]:
    """The pages of a golden path's form."""
    return scaffolder_of(ctx).parameter_schema(f"{kind}:{namespace}/{name}")


@operations.get(BASE + "/v2/actions", "scaffolder.read", errors="backstage")
def list_actions(ctx: Ctx) -> list[dict[str, Any]]:
    """Every action that a template may use, with its schemas."""
    return scaffolder_of(ctx).actions()


@operations.get(BASE + "/v2/templating-extensions", "scaffolder.read", errors="backstage")
def list_templating_extensions(ctx: Ctx) -> dict[str, Any]:
    """The filters that expressions may use, by name; there are no global functions or values beside them."""
    filters: dict[str, Any] = {name: {} for name in sorted(scaffolder_of(ctx).renderer.filters())}
    return {"filters": filters, "globals": {"functions": {}, "values": {}}}


@operations.post(BASE + "/v2/tasks", "scaffolder.task.create", status=201, errors="backstage")
def create_task(ctx: Ctx, body: TaskCreate) -> TaskRef:
    """Run a golden path."""
    run_id = scaffolder_of(ctx).create_task(
        ctx,
        body.templateRef,
        body.values,
        body.secrets,
        body.planHash,
        draft_id=body.draftId,
        wizard_id=None if body.wizardId is None else str(body.wizardId),
    )
    return TaskRef(id=run_id)


@operations.get(BASE + "/v2/tasks", "runs.read", errors="backstage")
def list_tasks(
    ctx: Ctx,
    createdBy: str | None = None,
    limit: int = Query(50, ge=1, le=500),
    cursor: str | None = None,
) -> dict[str, Any]:
    """Tasks, newest first."""
    filters = {"kind": "scaffold", **({"created_by": createdBy} if createdBy else {})}
    page = ctx.platform.runs.list(ctx.scope("runs.read"), filters=filters, limit=limit, cursor=cursor)
    tasks = [_dated(task_view(run)) for run in page.items]
    return {"tasks": tasks, "totalTasks": len(tasks), "next_cursor": page.next_cursor}


@operations.get(BASE + "/v2/tasks/{task_id}", "runs.read", errors="backstage", response=dict[str, Any])
def get_task(ctx: Ctx, task_id: str) -> Response:
    """A task."""
    # Clients ask for it again and again: what is plain JSON already needs no model.
    return Response(orjson.dumps(_dated(task_view(_task(ctx, task_id)))), media_type="application/json")


@operations.get(BASE + "/v2/tasks/{task_id}/events", "runs.read", errors="backstage")
async def list_task_events(ctx: Ctx, task_id: str, after: After = 0) -> list[dict[str, Any]]:
    """Events of a task behind `after`; waits up to 30 s for the first. Behind its completion there are none."""
    await run_in_threadpool(_task, ctx, task_id)
    if after >= COMPLETION_ID:
        return []
    return await found_within(ctx.platform, lambda: _events(ctx, task_id, after), f"run:{task_id}", LONG_POLL_SECONDS)


@operations.get(BASE + "/v2/tasks/{task_id}/eventstream", "runs.read", errors="backstage", streams=True)
def stream_task_events(ctx: Ctx, task_id: str, after: After = 0) -> StreamingResponse:
    """Events of a task as server-sent events, until it is completed."""
    _task(ctx, task_id)
    position = [after]

    def poll() -> Batch:
        events = _events(ctx, task_id, position[0])
        if events:
            position[0] = events[-1]["id"]
        sent = [SseEvent(event["type"], event, str(event["id"])) for event in events]
        return Batch(sent, done=any(event["type"] == "completion" for event in events))

    return event_stream(ctx.platform, poll, f"run:{task_id}")


@operations.post(BASE + "/v2/tasks/{task_id}/cancel", "runs.cancel", errors="backstage")
def cancel_task(ctx: Ctx, task_id: str) -> dict[str, str]:
    """Cancel a task."""
    ctx.platform.runs.cancel(ctx, task_id)
    return {"status": "cancelled"}


@operations.post(BASE + "/v2/tasks/{task_id}/retry", "runs.retry", status=201, errors="backstage")
def retry_task(ctx: Ctx, task_id: str) -> TaskRef:
    """Go on from the failed step."""
    return TaskRef(id=ctx.platform.runs.retry(ctx, task_id).id)


@operations.post(BASE + "/v2/dry-run", "scaffolder.dry_run", effect="read", errors="backstage")
def dry_run(ctx: Ctx, body: DryRunRequest) -> dict[str, Any]:
    """Try a template that is sent with its files: log, steps, output and the files it makes."""
    files = [item.model_dump() for item in body.directoryContents]
    tried = scaffolder_of(ctx).dry_run(ctx, body.template, body.values, body.secrets, files)
    return {
        "log": [{"body": {"message": line["text"], "stepId": line["step"]}} for line in tried.log],
        "steps": [{"id": step["id"], "action": step["action"]} for step in tried.steps],
        "output": tried.output,
        "directoryContents": [
            {"path": item["path"], "executable": item["executable"], "base64Content": item.get("content_base64", "")}
            for item in tried.files
        ],
    }


@operations.post(
    BASE + "/v2/autocomplete/{provider}/{resource}", "scaffolder.task.create", effect="read", errors="backstage"
)
def autocomplete(ctx: Ctx, provider: str, resource: str, body: Autocomplete) -> dict[str, Any]:
    """What a picker of a form may offer: owners, repositories and so on of a forge, as the person's token sees them."""
    known = ctx.platform.registry
    if not known.has("autocompleter", provider):
        there = ", ".join(sorted(one.key for one in known.all("autocompleter", Autocompleter))) or "none"
        raise InputError(f"Unsupported provider: {provider}; there are {there}", code="scaffolder.autocomplete")
    completer = known.get("autocompleter", provider, Autocompleter)
    found = completer.autocomplete(resource, body.token.get_secret_value(), body.context)
    return {"results": [asdict(one) for one in found]}


class ForgeHostView(BaseModel):
    """A host of a forge, and the parts of a `repoUrl` there: owner, organization, workspace, project, repo."""

    host: str
    forge: str
    parts: list[str]


class ForgeHostList(BaseModel):
    """The hosts of forges, by name."""

    items: list[ForgeHostView]


@operations.get(BASE + "/v1/forges", "scaffolder.read", response=ForgeHostList)
def list_forges(ctx: Ctx) -> dict[str, Any]:
    """The hosts on which golden paths may make repositories, and what a form asks for each."""
    return {"items": [asdict(one) for one in forge_hosts(ctx.platform.registry)]}


@operations.post(BASE + "/v1/plans", "scaffolder.plan", status=201)
def create_plan(ctx: Ctx, body: PlanCreate) -> dict[str, Any]:
    """What running a golden path would do: files, resources, names taken, and the verdict of each check."""
    return asdict(scaffolder_of(ctx).plan(ctx, body.template_ref, body.values, body.secrets))


@operations.get(BASE + "/v1/plans/{plan_id}", "scaffolder.plan")
def get_plan(ctx: Ctx, plan_id: str) -> dict[str, Any]:
    """A plan that the caller made."""
    return asdict(scaffolder_of(ctx).get_plan(ctx, plan_id))


class OfferView(BaseModel):
    """A golden path for an entity that exists: the answer that is the entity, and whether the caller may run it."""

    template_ref: str
    title: str
    description: str
    parameter: str
    allowed: bool
    reason: str


class OfferList(BaseModel):
    """Golden paths for an entity, by title; all of them."""

    items: list[OfferView]


@operations.get(BASE + "/v1/offers/{kind}/{namespace}/{name}", "scaffolder.read", response=OfferList)
def list_offers(ctx: Ctx, kind: str, namespace: str, name: str) -> dict[str, Any]:
    """What golden paths can do with an entity that exists."""
    return {"items": [asdict(offer) for offer in offers(ctx, f"{kind}:{namespace}/{name}")]}


def _dated(task: dict[str, Any]) -> dict[str, Any]:
    return {**task, "createdAt": to_rfc3339(task["createdAt"])}


def _events(ctx: Ctx, task_id: str, after: int) -> list[dict[str, Any]]:
    """Log lines as Backstage's log events, and one completion behind them once the run ended."""
    events: list[dict[str, Any]] = []
    run = ctx.platform.runs.head(task_id)
    for step_id, line in ctx.platform.runs.logs(task_id, step=None, after=after, limit=500):
        body = {"message": line.text, "stepId": step_id}
        events.append(_event(task_id, line.seq, "log", line.at or run.created_at, body))
    if run.state in ENDED and len(events) < 500:
        events.append(_event(task_id, COMPLETION_ID, "completion", run.ended_at or run.created_at, _completion(run)))
    return events


def _completion(run: Run) -> Mapping[str, Any]:
    status: Literal["completed", "failed", "cancelled"] = task_view(run)["status"]
    body: dict[str, Any] = {"message": f"Run completed with status: {status}", "output": run.output or {}}
    return {**body, "error": {"name": "Error", "message": run.error}} if run.error else body


def _event(task_id: str, number: int, kind: str, at: int, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": number, "taskId": task_id, "type": kind, "createdAt": to_rfc3339(at), "body": body}
