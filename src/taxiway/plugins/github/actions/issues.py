"""`github:issues:create` and `github:issues:label`.

Two issues may have the same title, so an issue carries the key of the step in a comment that nobody sees; a step that
is done again finds its issue by that.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote

from taxiway.model.run import Created
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.making import CLOCKS_SECONDS, TakeBack, first_look, turn_of, would
from taxiway.plugins.github.actions import schemas
from taxiway.plugins.github.actions.base import GitHub, Repo, Values, given, quoted, warned
from taxiway.plugins.github.actions.times import iso, seconds_now

ISSUE, LABEL = "issue", "label"
NUMBER: dict[str, Any] = {"type": "integer", "minimum": 1}


def make(github: GitHub) -> list[FunctionAction]:
    """The actions of this module."""
    return [
        FunctionAction(
            key="github:issues:create",
            description="Open an issue on GitHub; undo closes it, since GitHub does not delete issues",
            function=partial(_create, github),
            take_back=TakeBack({ISSUE: partial(_close, github)}),
            input_schema=schema(
                ["repoUrl", "title"],
                repoUrl=schemas.REPO_URL,
                title="Its title",
                body="Its text",
                assignees={**schemas.STRINGS, "description": "Who is to do it"},
                milestone={
                    "anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9]+$"}],
                    "description": "Number of the milestone",
                },
                labels={**schemas.STRINGS, "description": "Its labels"},
                token=schemas.AS_WHOM,
            ),
            output_schema=schema(["issueUrl", "issueNumber"], issueUrl="Where it is", issueNumber=NUMBER),
        ),
        FunctionAction(
            key="github:issues:label",
            description="Add labels to an issue or pull request on GitHub",
            function=partial(_label, github),
            take_back=TakeBack({LABEL: partial(_unlabel, github)}),
            input_schema=schema(
                ["repoUrl", "number", "labels"],
                repoUrl=schemas.REPO_URL,
                number={**NUMBER, "description": "Number of the issue or pull request"},
                labels={**schemas.STRINGS, "description": "The labels"},
                token=schemas.AS_WHOM,
            ),
            output_schema=schema(),
        ),
    ]


def _create(github: GitHub, ctx: StepContext, values: Values) -> Values:
    repo, title = github.repo(ctx, values), values["title"]
    if ctx.is_dry_run:
        url = f"{repo.client.web}/{repo.name}/issues/1"
        return would(ctx, f"open the issue '{title}' in {repo.place}", {"issueUrl": url, "issueNumber": 1})
    asked = turn_of(values)
    mark = f"<!-- taxiway: {ctx.idempotency_key}/{asked} -->"
    since, is_again = first_look(ctx, f"issue {asked}", lambda: seconds_now(github.ctx.clock) - CLOCKS_SECONDS)
    ctx.created(ISSUE, f"{repo.place}: {title}", {**repo.data, "mark": mark, "since": since})
    found = _marked(repo, mark, since) if is_again else None
    if found is None:
        milestone = values.get("milestone")
        body = given(
            title=title,
            body=f"{values.get('body') or ''}\n\n{mark}".lstrip(),
            assignees=values.get("assignees"),
            milestone=milestone if milestone is None else int(milestone),
            labels=values.get("labels"),
        )
        found = repo.send("POST", "issues", body)
    ctx.log(f"Opened the issue {found['html_url']}")
    return {"issueUrl": found["html_url"], "issueNumber": found["number"]}


def _marked(repo: Repo, mark: str, since: int) -> Values | None:
    listed = repo.pages(f"issues?state=all&sort=created&direction=desc&since={quote(iso(since), safe='')}")
    return next((one for one in listed if mark in (one.get("body") or "")), None)


def _close(github: GitHub, ctx: StepContext, item: Created) -> None:
    repo = github.own(item.data)
    found = _marked(repo, item.data["mark"], item.data["since"]) if repo.find() is not None else None
    if found is not None and found["state"] == "open":
        repo.send("PATCH", f"issues/{found['number']}", {"state": "closed", "state_reason": "not_planned"})
        ctx.log(f"Closed the issue {found['html_url']}")


def _label(github: GitHub, ctx: StepContext, values: Values) -> Values:
    repo, number, labels = github.repo(ctx, values), int(values["number"]), values["labels"]
    if ctx.is_dry_run:
        return would(ctx, f"label {repo.place}#{number} with {', '.join(labels)}")
    # Labels that cannot be added are a warning in Backstage.
    warned(ctx, f"labels of {repo.place}#{number}", partial(_add_labels, ctx, repo, number, labels))
    return {}


def _add_labels(ctx: StepContext, repo: Repo, number: int, labels: list[str]) -> None:
    path = f"issues/{number}/labels"
    before, _ = first_look(ctx, f"labels of {repo.place}#{number}", lambda: [one["name"] for one in repo.pages(path)])
    for label in labels:
        if label not in before:
            ctx.created(LABEL, f"{repo.place}#{number}: {label}", {**repo.data, "path": f"{path}/{quoted(label)}"})
    repo.send("POST", path, {"labels": labels}, idempotent=True)
    ctx.log(f"Labelled {repo.place}#{number} with {', '.join(labels)}")


def _unlabel(github: GitHub, ctx: StepContext, item: Created) -> None:
    github.own(item.data).remove(str(item.data["path"]))
    ctx.log(f"Removed the label {item.name}")
