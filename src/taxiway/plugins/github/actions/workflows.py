"""`github:actions:dispatch`: starts a workflow.

A dispatch has no name of its own. The step notes the newest run that there was before, and when it is done again, it
takes a newer one of the same workflow and ref for its own instead of starting another. Undo cancels the run whose
number GitHub told; where it told none, the only newer one, and nothing when there are several.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from taxiway.model.run import Created
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.making import TakeBack, first_look, turn_of, would
from taxiway.plugins.github.actions import schemas
from taxiway.plugins.github.actions.base import GitHub, Repo, Values, given, quoted, soon

RUN = "workflow_run"


def make(github: GitHub) -> list[FunctionAction]:
    """The action of this module."""
    return [
        FunctionAction(
            key="github:actions:dispatch",
            description="Start a workflow on GitHub; undo cancels it while it runs",
            function=partial(_dispatch, github),
            take_back=TakeBack({RUN: partial(_cancel, github)}),
            input_schema=schema(
                ["repoUrl", "workflowId", "branchOrTagName"],
                repoUrl=schemas.REPO_URL,
                workflowId="File name or number of the workflow",
                branchOrTagName="The branch or tag that it runs on",
                workflowInputs={
                    **schemas.TEXTS,
                    "maxProperties": 25,
                    "description": "Its inputs",
                },
                returnWorkflowRunDetails=schemas.flag("Give the run as outputs"),
                token=schemas.AS_WHOM,
            ),
            output_schema=schema(
                workflowRunId={"type": "integer", "description": "Number of the run"},
                workflowRunUrl="The run in the API",
                workflowRunHtmlUrl="The run as people see it",
            ),
        )
    ]


def _dispatch(github: GitHub, ctx: StepContext, values: Values) -> Values:
    repo, workflow, ref = github.repo(ctx, values), str(values["workflowId"]), values["branchOrTagName"]
    wants_details = bool(values.get("returnWorkflowRunDetails"))
    if ctx.is_dry_run:
        output = _details({"id": 0, "url": "", "html_url": ""}) if wants_details else {}
        return would(ctx, f"start the workflow {workflow} of {repo.place} on {ref}", output)
    asked = turn_of(values)
    newest, is_again = first_look(ctx, f"newest run {asked}", lambda: soon(ctx, lambda: _newest(repo, workflow, ref)))
    data = {**repo.data, "workflow": workflow, "ref": ref, "after": newest}
    name = f"{repo.place}: {workflow} on {ref}"
    ctx.created(RUN, name, data)
    found = min(_newer(repo, data), key=lambda one: int(one["id"]), default=None) if is_again else None
    if found is None:
        body = given(ref=ref, inputs=values.get("workflowInputs"), return_run_details=wants_details or None)
        told = repo.send("POST", f"actions/workflows/{quoted(workflow)}/dispatches", body)
        ctx.log(f"Started the workflow {workflow} of {repo.place} on {ref}")
        if not wants_details or told is None:
            return {}
        found = {"id": told["workflow_run_id"], "url": told["run_url"], "html_url": told["html_url"]}
        ctx.created(RUN, name, {**data, "id": found["id"]})
    ctx.log(f"It runs at {found['html_url']}")
    return _details(found) if wants_details else {}


def _details(run: Values) -> Values:
    return {"workflowRunId": run["id"], "workflowRunUrl": run["url"], "workflowRunHtmlUrl": run["html_url"]}


def _runs(repo: Repo, workflow: str, ref: str) -> list[Any]:
    """The newest runs of a workflow on a ref that were dispatched."""
    path = f"actions/workflows/{quoted(workflow)}/runs?event=workflow_dispatch&branch={quoted(ref)}&per_page=30"
    return list(repo.read(path)["workflow_runs"])


def _newest(repo: Repo, workflow: str, ref: str) -> int:
    return max((int(one["id"]) for one in _runs(repo, workflow, ref)), default=0)


def _newer(repo: Repo, data: Values) -> list[Any]:
    """The runs behind those that were there before."""
    return [one for one in _runs(repo, data["workflow"], data["ref"]) if one["id"] > data["after"]]


def _cancel(github: GitHub, ctx: StepContext, item: Created) -> None:
    repo = github.own(item.data)
    newer = _newer(repo, item.data) if repo.find() is not None else []
    found = [one for one in newer if one["id"] == item.data.get("id", one["id"])]
    running = [one for one in found if one["status"] != "completed"]
    if not running:
        ctx.log(f"{item.name} has run: what it did is not taken back")
    elif len(found) > 1:
        ctx.log(f"Leaving {item.name}: {len(found)} runs were started since, so cancel the right one on GitHub")
    else:
        repo.send("POST", f"actions/runs/{running[0]['id']}/cancel", idempotent=True)
        ctx.log(f"Cancelled {item.name}")
