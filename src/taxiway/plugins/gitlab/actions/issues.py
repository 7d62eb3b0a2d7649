"""`gitlab:issues:create` and `gitlab:issue:edit`. Undo closes the one, and puts back what the other changed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from taxiway.model.errors import Changed, refuse_changed
from taxiway.model.run import Created
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.making import TakeBack, best_known, first_look, ours, turn_of, would
from taxiway.plugins.gitlab.actions.base import (
    AS_WHOM,
    HOST_OF,
    NUMBERS,
    REPO_URL,
    GitLab,
    Project,
    Values,
    flag,
    given,
    number,
)

ISSUE, EDIT = "issue", "issue_edit"
MOMENT = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{3})?Z$"
DAY = r"^\d{4}-\d{2}-\d{2}$"
TYPE = {"type": "string", "enum": ["issue", "incident", "test_case", "task"], "description": "What kind of issue"}
ABOUT = {"type": "string", "maxLength": 1048576, "description": "Its text"}
NATURAL = {"type": "number", "minimum": 0}
FIELDS = {
    "title": "title",
    "description": "description",
    "confidential": "confidential",
    "assignees": "assignee_ids",
    "labels": "labels",
    "milestoneId": "milestone_id",
    "issueType": "issue_type",
    "weight": "weight",
    "epicId": "epic_id",
}
"""Inputs of both actions, and what GitLab calls them."""
MADE = {
    **FIELDS,
    "createdAt": "created_at",
    "discussionToResolve": "discussion_to_resolve",
    "mergeRequestToResolveDiscussionsOf": "merge_request_to_resolve_discussions_of",
}
EDITED = {
    **FIELDS,
    "addLabels": "add_labels",
    "removeLabels": "remove_labels",
    "discussionLocked": "discussion_locked",
    "dueDate": "due_date",
    "stateEvent": "state_event",
    "updatedAt": "updated_at",
}
KEPT = ("id", "iid", "project_id", "title", "state", "web_url", "updated_at")


def _moment(description: str, pattern: str = MOMENT) -> dict[str, Any]:
    return {"type": "string", "pattern": pattern, "description": description}


def _shared() -> dict[str, Any]:
    return {
        "assignees": {**NUMBERS, "description": "Ids of the users who are to do it"},
        "confidential": flag("Only members may see it"),
        "description": ABOUT,
        "epicId": {**NATURAL, "description": "Id of its epic"},
        "labels": "Its labels, with commas between",
        "issueType": TYPE,
        "milestoneId": number("Id of its milestone"),
    }


def make(gitlab: GitLab) -> list[FunctionAction]:
    """The actions of this module."""
    return [_creating(gitlab), _editing(gitlab)]


def _creating(gitlab: GitLab) -> FunctionAction:
    return FunctionAction(
        key="gitlab:issues:create",
        description="Open an issue on GitLab; undo closes it",
        function=partial(_create, gitlab),
        take_back=TakeBack({ISSUE: partial(_close, gitlab)}),
        input_schema=schema(
            ["repoUrl", "title"],
            repoUrl=REPO_URL,
            token=AS_WHOM,
            projectId={
                "anyOf": [{"type": "number"}, {"type": "string", "minLength": 1}],
                "description": "Id or full path of the project; default that of repoUrl",
            },
            title="Its title",
            **_shared(),
            createdAt=_moment("When it was opened, for who may say that"),
            dueDate=_moment("Until when it is to be done"),
            discussionToResolve="A discussion of mergeRequestToResolveDiscussionsOf that it resolves",
            mergeRequestToResolveDiscussionsOf=number("A merge request whose discussions it resolves"),
            weight={**NATURAL, "description": "Its weight"},
        ),
        output_schema=schema(
            ["issueUrl", "issueId", "issueIid"],
            issueUrl="Where it is",
            issueId=number("Its id"),
            issueIid=number("Its number in the project"),
        ),
    )


def _editing(gitlab: GitLab) -> FunctionAction:
    return FunctionAction(
        key="gitlab:issue:edit",
        description="Change an issue on GitLab; undo puts back what it changed",
        function=partial(_edit, gitlab),
        take_back=partial(_put_back, gitlab),
        check_back=partial(_check_edit, gitlab),
        input_schema=schema(
            ["repoUrl", "projectId", "issueIid"],
            repoUrl=HOST_OF,
            token=AS_WHOM,
            projectId=number("Id of the project"),
            issueIid=number("Its number in the project"),
            addLabels="Labels to add, with commas between",
            **_shared(),
            discussionLocked=flag("Only members may comment"),
            dueDate=_moment("Until when it is to be done", DAY),
            removeLabels="Labels to remove, with commas between",
            stateEvent={"type": "string", "enum": ["close", "reopen"], "description": "Close it or open it again"},
            title="Its title",
            updatedAt=_moment("When it was changed, for who may say that"),
            weight={**NATURAL, "maximum": 10, "description": "Its weight"},
        ),
        output_schema=schema(
            ["issueUrl", "projectId", "issueId", "issueIid", "state", "title", "updatedAt"],
            issueUrl="Where it is",
            projectId=number("Id of its project"),
            issueId=number("Its id"),
            issueIid=number("Its number in the project"),
            state="opened or closed",
            title="Its title",
            updatedAt="When it was changed last",
        ),
    )


def _create(gitlab: GitLab, ctx: StepContext, values: Values) -> Values:
    project, title = gitlab.project(ctx, values), str(values["title"])
    if ctx.is_dry_run:
        url = f"{project.client.web}/{project.name}/-/issues/1"
        return would(
            ctx, f"open the issue '{title}' in {project.place}", {"issueUrl": url, "issueId": 0, "issueIid": 1}
        )
    # Two issues may have the same title: this step's is the one that was not there before.
    key = f"issues of {project.place} {turn_of(values)}"
    before, is_again = first_look(ctx, key, lambda: [one["iid"] for one in _alike(project, title)])
    what, noted = f"{project.place}: {title}", {**project.data, "title": title, "before": before}
    ctx.created(ISSUE, what, noted)
    found = _ours(project, noted) if is_again else None
    if found is None:
        body = given(**{name: _whole(values.get(key)) for key, name in MADE.items()})
        if values.get("dueDate"):
            body["due_date"] = str(values["dueDate"])[:10]
        found = project.send("POST", "issues", body)
    ctx.created(ISSUE, what, {**noted, "id": found["iid"]})
    ctx.log(f"Opened the issue {found['web_url']}")
    return {"issueUrl": found["web_url"], "issueId": found["id"], "issueIid": found["iid"]}


def _alike(project: Project, title: str) -> list[Any]:
    """The issues of a title."""
    path = f"issues?in=title&search={quote(title, safe='')}"
    return [one for one in project.pages(path) if one["title"] == title]


def _ours(project: Project, noted: Values) -> Any:
    """The issue of the inventory. One whose number is known may have another title by now."""
    if "id" in noted:
        return project.find(f"issues/{noted['id']}")
    return ours(_alike(project, noted["title"]), noted, "iid")


def _close(gitlab: GitLab, ctx: StepContext, item: Created) -> None:
    project = gitlab.own(item.data)
    found = _ours(project, item.data) if project.find() is not None else None
    if found is not None and found["state"] == "opened":
        project.send("PUT", f"issues/{found['iid']}", {"state_event": "close"})
        ctx.log(f"Closed the issue {found['web_url']}")


def _edit(gitlab: GitLab, ctx: StepContext, values: Values) -> Values:
    project, path = gitlab.project(ctx, values), f"issues/{int(values['issueIid'])}"
    if ctx.is_dry_run:
        told = {"issueUrl": f"{project.client.web}/-/{path}", "projectId": 0, "issueId": 0, "state": "opened"}
        more = {"issueIid": int(values["issueIid"]), "title": values.get("title") or "<title>", "updatedAt": "<time>"}
        return would(ctx, f"change {path} of {project.place}", {**told, **more})
    body = given(**{name: _whole(values.get(key)) for key, name in EDITED.items()})
    what = f"{project.place} {path} ({turn_of(values)})"
    before, _ = first_look(ctx, f"before: {what}", lambda: _fields(project.read(path), body))
    noted = {**project.data, "path": path, "before": before}
    ctx.created(EDIT, what, noted)

    def change() -> Any:
        found = project.send("PUT", path, body)
        return {**{key: found[key] for key in KEPT}, "after": _fields(found, body)}

    found = ctx.checkpoint(f"changed: {what}", change)
    ctx.created(EDIT, what, {**noted, "after": found["after"]})
    ctx.log(f"Changed {found['web_url']}")
    return {
        "issueUrl": found["web_url"],
        "projectId": found["project_id"],
        "issueId": found["id"],
        "issueIid": found["iid"],
        **{key: found[key] for key in ("state", "title")},
        "updatedAt": found["updated_at"],
    }


def _fields(found: Any, body: Values) -> dict[str, Any]:
    """The fields that `body` changes as they are, in the words of a change: what undo sends to put them back."""
    milestone = found.get("milestone") or {}
    now: dict[str, Any] = {
        "assignee_ids": [one["id"] for one in found.get("assignees") or []],
        "labels": ",".join(found.get("labels") or []),
        "milestone_id": milestone.get("id") or 0,
        "epic_id": (found.get("epic") or {}).get("id"),
        "state_event": "reopen" if found["state"] == "opened" else "close",
    }
    names = {"labels" if name in ("add_labels", "remove_labels") else name for name in body} - {"updated_at"}
    return {name: now.get(name, found.get(name)) for name in sorted(names)}


def _edits(created: Sequence[Created]) -> list[Created]:
    """One entry for each edit: the one that knows what came of it, where there is one."""
    return [item for item in best_known(created, "after") if item.kind == EDIT]


def _is_as_left(gitlab: GitLab, item: Created) -> bool | None:
    """Whether what the edit changed is as it left it; None when there is nothing to put back."""
    found = gitlab.own(item.data).find(item.data["path"])
    now = None if found is None else _fields(found, item.data["before"])
    if now in (None, item.data["before"]):
        return None
    return "after" not in item.data or now == item.data["after"]


def _check_edit(gitlab: GitLab, created: Sequence[Created]) -> None:
    refuse_changed(_changes(gitlab, created))


def _changes(gitlab: GitLab, created: Sequence[Created]) -> list[Changed]:
    told = "it was changed since: it becomes what it was before the run"
    return [Changed(item.name, told) for item in _edits(created) if _is_as_left(gitlab, item) is False]


def _put_back(gitlab: GitLab, ctx: StepContext, created: Sequence[Created]) -> None:
    refuse_changed(_changes(gitlab, created), ctx.confirmed)
    for item in reversed(_edits(created)):
        if _is_as_left(gitlab, item) is not None:
            gitlab.own(item.data).send("PUT", item.data["path"], dict(item.data["before"]))
            ctx.log(f"Put {item.name} back as it was")


def _whole(value: Any) -> Any:
    """Numbers as GitLab takes them: out of a template one may come as 12.0."""
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return int(value) if isinstance(value, float) else value
