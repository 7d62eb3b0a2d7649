"""What waits for the caller's decision: the inbox of approvals over all runs."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from taxiway.core.context import OpContext
from taxiway.core.http.context import Ctx
from taxiway.core.operations import Operations
from taxiway.core.permissions import decide
from taxiway.core.runs.stepping import approvers, asked
from taxiway.features.approvals.service.showing import told
from taxiway.model.run import Run, Step

operations = Operations("runs")
MOST = 500
"""Waiting runs that are looked at, newest first."""


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
    told by events alone, which webhooks carry."""

    items: list[WaitingApproval]
    by_mail: bool


@operations.get("/api/runs/v1/approvals", "runs.read", response=WaitingApprovals)
def list_approvals(ctx: Ctx) -> dict[str, Any]:
    """Runs that wait for an approval which the caller may give."""
    waiting = ctx.platform.runs.waiting_for_approval(MOST)
    steps = ((run, next((step for step in run.steps if step.state == "waiting"), None)) for run in waiting)
    # A run that goes on while it is read waits no more.
    mine = [(run, step) for run, step in steps if step is not None and may_decide(ctx, run)]
    known = told(ctx.platform, [run.id for run, _ in mine])
    items = [{**_item(run, step), "told": known.get(run.id, [])} for run, step in mine]
    return {"items": items, "by_mail": ctx.platform.settings.mail.host is not None}


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
