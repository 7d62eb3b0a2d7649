"""`gitlab:pipeline:trigger`: starts a pipeline with a trigger token that is gone afterwards.

What the pipeline did is its own: undo has nothing to do but to remove a token that was left."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote

from taxiway.model.errors import UnavailableError
from taxiway.model.run import Created
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.making import TakeBack, first_look, ours, turn_of, would
from taxiway.plugins.gitlab.actions.base import AS_WHOM, HOST_OF, GitLab, Project, Values, number

TRIGGER = "pipeline_trigger"


def make(gitlab: GitLab) -> list[FunctionAction]:
    """The action of this module."""
    return [
        FunctionAction(
            key="gitlab:pipeline:trigger",
            description="Start a pipeline on GitLab; it cannot be undone",
            function=partial(_trigger, gitlab),
            take_back=TakeBack({TRIGGER: partial(_remove_left, gitlab)}),
            input_schema=schema(
                ["repoUrl", "projectId", "tokenDescription", "branch"],
                repoUrl=HOST_OF,
                token=AS_WHOM,
                projectId=number("Id of the project"),
                tokenDescription="What the trigger token is called while it is there",
                branch="Of which branch",
                variables={
                    "type": "object",
                    "additionalProperties": {"type": "string"},
                    "description": "Variables of the pipeline",
                },
            ),
            output_schema=schema(["pipelineUrl"], pipelineUrl="Where it is"),
        )
    ]


def _trigger(gitlab: GitLab, ctx: StepContext, values: Values) -> Values:
    project, branch, name = gitlab.project(ctx, values), str(values["branch"]), str(values["tokenDescription"])
    if ctx.is_dry_run:
        url = f"{project.client.web}/<project>/-/pipelines/0"
        return would(ctx, f"start a pipeline of {branch} in {project.place}", {"pipelineUrl": url})
    what = f"{project.place} {branch} {turn_of(values)}"
    before, is_again = first_look(ctx, f"pipelines {what}", lambda: _seen(project, branch, name))
    noted = {**project.data, "name": name, "before": before["triggers"]}
    ctx.created(TRIGGER, what, noted)
    if is_again:
        _remove(project, noted)
    found = _started(project, branch, before["pipeline"]) if is_again else None
    if found is None:
        trigger = project.send("POST", "triggers", {"description": name})
        ctx.hide(str(trigger["token"]))
        known = {**noted, "id": trigger["id"]}
        ctx.created(TRIGGER, what, known)
        body = {"token": trigger["token"], "variables": values.get("variables") or {}}
        try:
            found = project.send("POST", f"ref/{quote(branch, safe='')}/trigger/pipeline", body)
        finally:
            _remove(project, known)
    if not found.get("web_url"):
        raise UnavailableError(f"GitLab started no pipeline of {branch} in {project.place}: look at its rules there")
    ctx.log(f"Started the pipeline {found['web_url']}")
    return {"pipelineUrl": found["web_url"]}


def _seen(project: Project, branch: str, name: str) -> dict[str, Any]:
    """What is there before: trigger tokens of that name, and the newest pipeline that a trigger started."""
    triggers = [one["id"] for one in _triggers(project, name)]
    return {"triggers": triggers, "pipeline": max((one["id"] for one in _triggered(project, branch)), default=0)}


def _triggered(project: Project, branch: str) -> list[Any]:
    """The newest pipelines of a branch that a trigger started."""
    found = project.read(f"pipelines?source=trigger&ref={quote(branch, safe='')}&order_by=id&sort=desc&per_page=50")
    return list(found)


def _started(project: Project, branch: str, before: int) -> Any:
    """The one that was started since: ours, unless somebody started one at the same moment."""
    return min(
        (one for one in _triggered(project, branch) if one["id"] > before), key=lambda one: one["id"], default=None
    )


def _triggers(project: Project, name: str) -> list[Any]:
    return [one for one in project.pages("triggers") if one.get("description") == name]


def _remove(project: Project, noted: Values) -> None:
    made = ours(_triggers(project, noted["name"]), noted)
    if made is not None:
        project.remove(f"triggers/{made['id']}")


def _remove_left(gitlab: GitLab, ctx: StepContext, item: Created) -> None:
    project = gitlab.own(item.data)
    if project.find() is not None:
        _remove(project, item.data)
    ctx.log(f"The pipeline that {item.name} started is left: stop it on GitLab where it still runs")
