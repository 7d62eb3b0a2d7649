"""What waits for the caller's decision: the inbox of approvals over all runs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel

from taxiway.core.context import OpContext
from taxiway.core.cursors import last_seen
from taxiway.core.http.context import Ctx
from taxiway.core.operations import Operations
from taxiway.core.permissions import decide, may_at_all
from taxiway.core.runs.stepping import approvers, asked
from taxiway.features.approvals.service.showing import told
from taxiway.kit.paging import encode_cursor
from taxiway.model.run import Run, Step

operations = Operations("runs")
MOST = 500
LOOKED, BATCH = 5_000, 200
"""Waiting runs that are looked at for one page, newest first, and at a time."""


class Told(BaseModel):
    """That people were told of it: `requested`, `reminded` or `escalated`, when, how many mails there are for it, how
    many of them the mail server took, and why another one was not sent."""

    stage: str
    at: int
    mails: int
    sent: int
    error: str | None


class WaitingApproval(BaseModel):
    """A run that waits for the caller's decision: what is asked, by whose run, since when (microseconds UTC)."""

    run_id: str
    title: str
    step: str
    message: str
    created_by: str
    owner: str | None
    approvers: list[str]
    since_at: int | None
    told: list[Told]


class WaitingApprovals(BaseModel):
    """What waits for the caller, newest run first. `by_mail` says whether a mail server is set; without one people are
    told by events alone, which webhooks carry. Without `next_cursor` there is no more; a page may be empty and not be
    the last: only so many runs are looked through for one."""

    items: list[WaitingApproval]
    by_mail: bool
    next_cursor: str | None


@operations.get("/api/runs/v1/approvals", "runs.read", response=WaitingApprovals)
def list_approvals(
    ctx: Ctx, limit: Annotated[int, Query(ge=1, le=MOST)] = MOST, cursor: str | None = None
) -> dict[str, Any]:
    """Runs that wait for an approval which the caller may give."""
    mine, last = _mine(ctx, limit, last_seen(cursor, str))
    known = told(ctx.platform, [run.id for run, _ in mine])
    items = [{**_item(run, step), "told": known.get(run.id, [])} for run, step in mine]
    next_cursor = None if last is None else encode_cursor([last])
    return {"items": items, "by_mail": ctx.platform.settings.mail.host is not None, "next_cursor": next_cursor}


def _mine(ctx: OpContext, limit: int, before: str | None) -> tuple[list[tuple[Run, Step]], str | None]:
    """The next runs that wait for the caller, and the last one that was looked at where there may be more."""
    found: list[tuple[Run, Step]] = []
    if not may_at_all(ctx.platform.permissions, ctx.principal, "runs.approve").allowed:
        return found, None  # nothing waits for who may approve nothing: no run is looked at
    for _ in range(LOOKED // BATCH):
        waiting = ctx.platform.runs.waiting_for_approval(BATCH, before)
        for run in waiting:
            before = run.id
            step = next((step for step in run.steps if step.state == "waiting"), None)
            if step is None or not may_decide(ctx, run):  # one that goes on while it is read waits no more
                continue
            found.append((run, step))
            if len(found) == limit:
                return found, before
        if len(waiting) < BATCH:
            return found, None
    return found, before


def may_decide(ctx: OpContext, run: Run) -> bool:
    """Whether the caller may approve a run: never an own one, and only those who were asked, where some were."""
    wanted = approvers(run)
    own = {ctx.principal.subject, ctx.principal.on_behalf_of}
    if run.created_by in own or (wanted and not wanted & ctx.principal.ownership):
        return False
    owner = next(iter(wanted & ctx.principal.ownership), run.owner or run.created_by)
    return decide(ctx.platform.permissions, ctx.principal, "runs.approve", owner).allowed


def _item(run: Run, step: Step) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "title": run.title,
        "step": step.name,
        "message": str(asked(run, "approval") or step.name),
        "created_by": run.created_by,
        "owner": run.owner,
        "approvers": sorted(approvers(run)),
        "since_at": step.started_at,
    }
