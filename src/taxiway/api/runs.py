"""Operations over runs: look, follow, and steer. The engine is behind `platform.runs`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import Header, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from taxiway.api import approvals
from taxiway.core.context import OpContext
from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import etag, json_bytes, json_list
from taxiway.core.http.sse import After, Batch, SseEvent, event_stream, resume_after
from taxiway.core.operations import Feature, Operations
from taxiway.core.permissions import OWNED, READ, decide
from taxiway.core.runs.stepping import approvers
from taxiway.kit.paging import DEFAULT_LIMIT, MAX_LIMIT
from taxiway.model.errors import NotFoundError
from taxiway.model.run import ENDED, OPERATIONS, Run, Step
from taxiway.model.workload import LogLine

operations = Operations("runs")
STEERING = ("cancel", "retry", "resume", "undo", "approve", "signal")
SIGNAL = r"^[a-z0-9][a-z0-9-]{0,62}$"
PERMISSIONS = {"runs.read": READ} | {f"runs.{name}": OWNED for name in STEERING}
MOST_LINES = 5000


class StepView(BaseModel):
    """A step of a run. Times are microseconds UTC; `created` lists what it brought into being."""

    id: str
    name: str
    action: str
    state: str
    attempt: int
    started_at: int | None
    ended_at: int | None
    error: str | None
    output: dict[str, Any] | None
    created: list[dict[str, Any]]


class RunView(BaseModel):
    """A run. `actions` are the operations that the caller may use on it now; lists leave `steps` empty."""

    id: str
    kind: str
    title: str
    state: str
    subject_ref: str | None
    owner: str | None
    parent_id: str | None
    created_by: str
    created_at: int
    started_at: int | None
    ended_at: int | None
    error: str | None
    version: int
    waiting_for: str | None
    steps: list[StepView]
    output: dict[str, Any] | None
    plan: dict[str, Any] | None
    actions: list[str]


class RunList(BaseModel):
    """A page of runs, newest first."""

    items: list[RunView]
    next_cursor: str | None


class LogLineView(BaseModel):
    """A line of a step's log."""

    seq: int
    step_id: str
    at: int | None
    stream: str
    text: str


class LogLines(BaseModel):
    """Lines in order."""

    items: list[LogLineView]


class Signal(BaseModel):
    """What a run waits for has come; `data` is for its steps."""

    model_config = ConfigDict(extra="forbid")
    data: dict[str, Any] = Field(default_factory=dict)


class FoundLine(BaseModel):
    """A line of a run's log, with what tells the run."""

    run_id: str
    title: str
    kind: str
    state: str
    subject: str | None
    step_id: str
    seq: int
    at: int | None
    stream: str
    text: str


class FoundLines(BaseModel):
    """Lines that were found. Without `next_cursor` there are no more."""

    items: list[FoundLine]
    next_cursor: str | None


class Approval(BaseModel):
    """A decision on a waiting run."""

    model_config = ConfigDict(extra="forbid")
    decision: Literal["approved", "rejected"] = "approved"
    comment: str = Field("", max_length=2000)


class Undo(BaseModel):
    """Names of what others changed since, as the plan of the undo lists them: it is taken back all the same."""

    model_config = ConfigDict(extra="forbid")
    confirm: list[Annotated[str, Field(max_length=2000)]] = Field(default_factory=list, max_length=1000)


class ChangedView(BaseModel):
    """What has to be confirmed by its name, and why."""

    name: str
    reason: str


class MadeView(BaseModel):
    """Something that the run made."""

    kind: str
    name: str


class UndoPlan(BaseModel):
    """What an undo takes back, last first, and what has to be confirmed before."""

    removes: list[MadeView]
    changed: list[ChangedView]


@operations.get("/api/runs/v1/runs", "runs.read", response=RunList)
def list_runs(
    ctx: Ctx,
    state: str | None = None,
    kind: str | None = None,
    subject: str | None = None,
    parent_id: str | None = None,
    created_by: str | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Any:
    """Runs, newest first."""
    wanted = {"state": state, "kind": kind, "subject": subject, "parent_id": parent_id, "created_by": created_by}
    filters = {name: value for name, value in wanted.items() if value is not None}
    page = ctx.platform.runs.list(ctx.scope("runs.read"), filters=filters, limit=limit, cursor=cursor)
    return json_list([run_view(ctx, run) for run in page.items], page.next_cursor)


@operations.get("/api/runs/v1/logs", "runs.read", response=FoundLines)
def search_logs(
    ctx: Ctx,
    text: Annotated[str, Query(min_length=2, max_length=200)],
    state: str | None = None,
    kind: str | None = None,
    subject: str | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Any:
    """Lines of every run's log that hold a text, in any case: newest run first, its last line first. A page looks
    through 100 runs, so it may be empty and have another one behind it."""
    wanted = {"state": state, "kind": kind, "subject": subject}
    filters = {name: value for name, value in wanted.items() if value is not None}
    page = ctx.platform.runs.search_logs(ctx.scope("runs.read"), text, filters=filters, limit=limit, cursor=cursor)
    return json_list([_found(*item) for item in page.items], page.next_cursor)


def _found(run: Mapping[str, Any], step_id: str, line: LogLine) -> dict[str, Any]:
    return {**run, "step_id": step_id, "seq": line.seq, "at": line.at, "stream": line.stream, "text": line.text}


@operations.get("/api/runs/v1/runs/{run_id}", "runs.read", response=RunView)
def get_run(ctx: Ctx, run_id: str) -> Any:
    """A run with its steps."""
    return _answer(ctx, find(ctx, run_id))


@operations.get("/api/runs/v1/runs/{run_id}/logs", "runs.read", response=LogLines)
def list_logs(
    ctx: Ctx,
    run_id: str,
    step: str | None = None,
    after: After = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_LINES)] = 1000,
) -> Any:
    """Log lines of a run behind `after`."""
    find(ctx, run_id)
    lines = ctx.platform.runs.logs(run_id, step=step, after=after, limit=limit)
    return json_bytes({"items": [_line(step_id, line) for step_id, line in lines]})


@operations.get("/api/runs/v1/runs/{run_id}/events", "runs.read", streams=True)
def follow_run(ctx: Ctx, run_id: str, last_event_id: Annotated[str | None, Header()] = None) -> Response:
    """Follow a run (SSE): `run` with its state, `log` with a line (its id is the line's seq), `end` at its end."""
    find(ctx, run_id)
    after = resume_after(last_event_id)
    return event_stream(ctx.platform, _Follow(ctx, run_id, after).poll, topic=f"run:{run_id}")


@operations.post("/api/runs/v1/runs/{run_id}/cancel", "runs.cancel", status=202, response=RunView, effect="destroy")
def cancel_run(ctx: Ctx, run_id: str) -> Any:
    """End a run; what it started is ended with it."""
    return _steer(ctx, run_id, "cancel")


@operations.post("/api/runs/v1/runs/{run_id}/retry", "runs.retry", status=202, response=RunView)
def retry_run(ctx: Ctx, run_id: str) -> Any:
    """Go on from the failed step."""
    return _steer(ctx, run_id, "retry")


@operations.post("/api/runs/v1/runs/{run_id}/resume", "runs.resume", status=202, response=RunView)
def resume_run(ctx: Ctx, run_id: str) -> Any:
    """Run the interrupted step again, after looking at what it did."""
    return _steer(ctx, run_id, "resume")


@operations.get("/api/runs/v1/runs/{run_id}/undo", "runs.undo", response=UndoPlan)
def plan_undo(ctx: Ctx, run_id: str) -> Any:
    """What undo would take back, last first, and what others changed since, which has to be confirmed by name."""
    run = find(ctx, run_id)
    ctx.authorize("runs.undo", _owner(run))
    changed = ctx.platform.runs.changed_since(run_id)
    steps = [step for step in reversed(run.steps) if step.state != "undone"]
    made = [{"kind": item.kind, "name": item.name} for step in steps for item in reversed(step.created)]
    return json_bytes({"removes": made, "changed": [asdict(one) for one in changed]})


@operations.post("/api/runs/v1/runs/{run_id}/undo", "runs.undo", status=202, response=RunView, effect="destroy")
def undo_run(ctx: Ctx, run_id: str, body: Undo | None = None) -> Any:
    """Take back what a run made, last step first. 409 `run.unconfirmed` while what others changed since is not
    confirmed by name."""
    run = find(ctx, run_id)
    ctx.authorize("runs.undo", _owner(run))
    confirmed = body.confirm if body is not None else ()
    return _answer(ctx, ctx.platform.runs.undo(ctx, run_id, confirmed), status=202)


@operations.post("/api/runs/v1/runs/{run_id}/approvals", "runs.approve", status=202, response=RunView)
def approve_run(ctx: Ctx, run_id: str, body: Approval) -> Any:
    """Approve or reject a run that waits for it. Its creator cannot."""
    run = find(ctx, run_id)
    ctx.authorize("runs.approve", next(iter(approvers(run) & ctx.principal.ownership), _owner(run)))
    return _answer(ctx, ctx.platform.runs.decide(ctx, run_id, body.decision, body.comment), status=202)


@operations.post("/api/runs/v1/runs/{run_id}/signals/{name}", "runs.signal", status=202, response=RunView)
def signal_run(ctx: Ctx, run_id: str, name: Annotated[str, Path(pattern=SIGNAL)], body: Signal) -> Any:
    """Tell a run that what it waits for has come. 409 when it does not wait for that: send it again later."""
    run = find(ctx, run_id)
    ctx.authorize("runs.signal", _owner(run))
    return _answer(ctx, ctx.platform.runs.signal(ctx, run_id, name, body.data), status=202)


FEATURE = Feature("runs", PERMISSIONS, [*operations.items, *approvals.operations.items])


def find(ctx: OpContext, run_id: str) -> Run:
    """The run, when the caller may see it; NotFoundError otherwise."""
    run = ctx.platform.runs.get(run_id)
    scope = ctx.scope("runs.read")
    if not (scope.everything or _owner(run) in scope.owners):
        raise NotFoundError(f"there is no run {run_id}", code="runs.not_found")
    return run


def run_view(ctx: OpContext, run: Run) -> dict[str, Any]:
    """A run in the shape of `RunView`."""
    return {
        "id": run.id,
        "kind": run.kind,
        "title": run.title,
        "state": run.state,
        "subject_ref": run.subject,
        "owner": run.owner,
        "parent_id": run.parent_id,
        "created_by": run.created_by,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "error": run.error,
        "version": run.version,
        "waiting_for": run.waiting_for,
        "steps": [_step(step) for step in run.steps],
        "output": run.output,
        "plan": run.plan,
        "actions": _actions(ctx, run),
    }


class _Follow:
    """Looks at a run again and again, and says what is new."""

    def __init__(self, ctx: OpContext, run_id: str, after: int) -> None:
        self.ctx, self.run_id, self.after = ctx, run_id, after
        self.last: dict[str, Any] | None = None

    def poll(self) -> Batch:
        run = self.ctx.platform.runs.get(self.run_id)
        lines = self.ctx.platform.runs.logs(self.run_id, step=None, after=self.after, limit=1000)
        events = [SseEvent("log", _line(step_id, line), str(line.seq)) for step_id, line in lines]
        if lines:
            self.after = lines[-1][1].seq
        view = run_view(self.ctx, run)
        if view != self.last:
            self.last = view
            events.append(SseEvent("run", view))
        # The state was read first: once it is an end, lines that came before it are all there when none are left.
        is_over = run.state in ENDED and not lines
        if is_over:
            events.append(SseEvent("end", {"state": run.state}))
        return Batch(events, is_over)


def _steer(ctx: OpContext, run_id: str, name: Literal["cancel", "retry", "resume"]) -> Response:
    run = find(ctx, run_id)
    ctx.authorize(f"runs.{name}", _owner(run))
    return _answer(ctx, getattr(ctx.platform.runs, name)(ctx, run_id), status=202)


def _answer(ctx: OpContext, run: Run, status: int = 200) -> Response:
    return json_bytes(run_view(ctx, run), status=status, headers={"etag": etag(run.version)})


def _owner(run: Run) -> str:
    # A run that nobody's thing asked for belongs to who started it.
    return run.owner or run.created_by


def _actions(ctx: OpContext, run: Run) -> list[str]:
    names = [*OPERATIONS[run.state]]
    permissions = ctx.platform.permissions
    allowed = [name for name in names if decide(permissions, ctx.principal, f"runs.{name}", _owner(run)).allowed]
    waits = run.state == "waiting" and (run.waiting_for or "").startswith("approval")
    return [*allowed, "approve"] if waits and approvals.may_decide(ctx, run) else allowed


def _step(step: Step) -> dict[str, Any]:
    return {
        "id": step.id,
        "name": step.name,
        "action": step.action,
        "state": step.state,
        "attempt": step.attempt,
        "started_at": step.started_at,
        "ended_at": step.ended_at,
        "error": step.error,
        "output": step.output,
        "created": [{"kind": item.kind, "name": item.name, "data": dict(item.data)} for item in step.created],
    }


def _line(step_id: str, line: LogLine) -> dict[str, Any]:
    return {"seq": line.seq, "step_id": step_id, "at": line.at, "stream": line.stream, "text": line.text}
