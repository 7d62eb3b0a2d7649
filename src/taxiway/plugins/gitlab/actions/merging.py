"""`publish:gitlab:merge-request`: the workspace as a merge request of a new branch. Undo closes it and deletes the
branch; one that was merged is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from taxiway.model.errors import Changed, ConflictError, TaxiwayError, refuse_changed
from taxiway.model.run import Created
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.branches import Branch, changed_branches, commit_onto, stood_at, take_back_branches
from taxiway.plugin.forging.making import best_known, first_look, ours, turn_of, would
from taxiway.plugin.forging.publishing import NewCommit
from taxiway.plugins.gitlab.actions.base import AS_WHOM, REPO_URL, TEXTS, GitLab, Project, Values, flag, given
from taxiway.plugins.gitlab.actions.changes import check_action, workspace_changes

MERGE_REQUEST = "merge_request"
UNSETTLED = frozenset({"preparing", "approvals_syncing", "checking"})
LOOKS, LOOK_SECONDS = 30, 1.0
"""How often a new merge request is looked at until GitLab knows who is to approve it."""


def make(gitlab: GitLab) -> list[FunctionAction]:
    """The action of this module."""
    return [
        FunctionAction(
            key="publish:gitlab:merge-request",
            description="Open a merge request on GitLab with the files of the workspace",
            function=partial(_open, gitlab),
            take_back=partial(_take_back, gitlab),
            check_back=partial(_check_back, gitlab),
            input_schema=schema(
                ["repoUrl", "title", "branchName"],
                repoUrl=REPO_URL,
                title="What it does; it is the message of the commit, too",
                description="Why",
                branchName="A new branch",
                targetBranchName="Branch to merge into; default the project's",
                sourcePath="Folder of the workspace; default targetPath, else all of it",
                targetPath="Folder of the project; default its root",
                token=AS_WHOM,
                commitAction={
                    "type": "string",
                    "enum": ["create", "delete", "update", "skip", "auto"],
                    "description": "What becomes of the files; default auto; skip: nothing is committed",
                },
                projectid="Not needed: repoUrl says which project",
                removeSourceBranch=flag("Delete the branch when it was merged"),
                assignee="Name of the user who is to see to it",
                reviewers={**TEXTS, "description": "Names of users who are to review it"},
                assignReviewersFromApprovalRules=flag("Ask those for a review, too, whose approval the rules want"),
                labels={"anyOf": [{"type": "string"}, TEXTS], "description": "Its labels"},
                autoMerge=flag("Merge it by itself once its checks succeeded"),
            ),
            output_schema=schema(
                ["targetBranchName", "projectid", "projectPath", "mergeRequestUrl"],
                targetBranchName="The branch that it is to be merged into",
                projectid="The project",
                projectPath="Its full path",
                mergeRequestUrl="Where it is",
            ),
        )
    ]


def _open(gitlab: GitLab, ctx: StepContext, values: Values) -> Values:
    project, action = gitlab.by_path(ctx, values), values.get("commitAction") or "auto"
    source = values.get("sourcePath") or values.get("targetPath")
    changes = workspace_changes(ctx, source, values.get("targetPath"), action)
    told: dict[str, Any] = {"projectid": project.name, "projectPath": project.name}
    name = str(values["branchName"])
    if ctx.is_dry_run:
        url = f"{project.client.web}/{project.name}/-/merge_requests/1"
        output = {**told, "targetBranchName": values.get("targetBranchName") or "main", "mergeRequestUrl": url}
        return would(ctx, f"open a merge request of {len(changes)} files from {name} of {project.place}", output)
    target = values.get("targetBranchName") or ctx.checkpoint(
        f"main branch of {project.place}", lambda: str(project.read().get("default_branch") or "main")
    )
    branch = project.branch(name)
    was, base = stood_at(ctx, branch, target, turn_of(values))
    if was is not None and action != "skip":
        raise _branch_taken(project, branch)
    if was is None:
        check_action(branch.remote, base, changes, action)
        commit_onto(ctx, gitlab.ctx, branch, NewCommit(changes, values["title"]), was=None, base=base)
    found = _put(ctx, project, name, target, values)
    _ask_approvers(ctx, project, found, values)
    if values.get("autoMerge") and found["state"] == "opened" and not found.get("merge_when_pipeline_succeeds"):
        # The first is the word since GitLab 17.11; what is older would merge at once without the second.
        body = {"auto_merge": True, "merge_when_pipeline_succeeds": True}
        project.send("PUT", f"merge_requests/{found['iid']}/merge", body)
    ctx.log(f"The merge request is {found['web_url']}")
    return {**told, "targetBranchName": target, "mergeRequestUrl": found["web_url"]}


def _branch_taken(project: Project, branch: Branch) -> ConflictError:
    listed = next((one["web_url"] for one in _requests(project, branch.name) if one["state"] == "opened"), None)
    what = f"has an open merge request ({listed})" if listed else "is there"
    return ConflictError(
        f"the branch {branch.shown} {what} already: choose another name, or set commitAction to skip to propose it as "
        "it is",
        code="gitlab.branch_taken",
    )


def _put(ctx: StepContext, project: Project, name: str, target: str, values: Values) -> Any:
    """The merge request, made unless the step made it before it was interrupted."""
    key = f"{project.place} {name} → {target}"
    before, is_again = first_look(
        ctx, f"merge requests {key}", lambda: [one["iid"] for one in _requests(project, name)]
    )
    noted = {**project.data, "source": name, "before": before}
    ctx.created(MERGE_REQUEST, key, noted)
    made = ours(_requests(project, name), noted, "iid") if is_again else None
    if made is None:
        found = project.send("POST", "merge_requests", _body(ctx, project, name, target, values))
    else:
        found = project.read(f"merge_requests/{made['iid']}")
    ctx.created(MERGE_REQUEST, key, {**noted, "id": found["iid"]})
    return found


def _body(ctx: StepContext, project: Project, name: str, target: str, values: Values) -> dict[str, Any]:
    labels = values.get("labels")
    return given(
        source_branch=name,
        target_branch=target,
        title=values["title"],
        description=values.get("description"),
        remove_source_branch=bool(values.get("removeSourceBranch")),
        assignee_id=next(iter(_users(ctx, project, [values["assignee"]])), None) if values.get("assignee") else None,
        reviewer_ids=_users(ctx, project, values["reviewers"]) if values.get("reviewers") else None,
        labels=[label.strip() for label in labels.split(",")] if isinstance(labels, str) else labels,
    )


def _requests(project: Project, source: str) -> Iterator[Any]:
    """Merge requests of a branch, in any state."""
    return project.pages(f"merge_requests?state=all&source_branch={quote(source, safe='')}")


def _users(ctx: StepContext, project: Project, names: Sequence[str]) -> list[int]:
    """Ids of users. Those that are not there are a warning, as in Backstage."""
    found: list[int] = []
    for name in names:
        answer = project.client.get(f"users?username={quote(name, safe='')}").checked(f"the user {name}")
        users = answer.json()
        if users:
            found.append(int(users[0]["id"]))
        else:
            ctx.log(f"There is no user {name} on {project.host}: left out", "stderr")
    return found


def _ask_approvers(ctx: StepContext, project: Project, found: Any, values: Values) -> None:
    """Reviewers out of approval rules. What GitLab does not tell is a warning, as in Backstage."""
    if not values.get("assignReviewersFromApprovalRules"):
        return
    path = f"merge_requests/{found['iid']}"
    try:
        for _ in range(LOOKS):
            if found.get("detailed_merge_status") not in UNSETTLED or ctx.cancelled.wait(LOOK_SECONDS):
                break
            found = project.read(path)
        rules = project.read(f"{path}/approval_rules")
        wanted = {user["id"] for rule in rules for user in rule.get("eligible_approvers") or []}
        if wanted:
            now = {user["id"] for user in found.get("reviewers") or []}
            project.send("PUT", path, {"reviewer_ids": sorted(wanted | now)})
    except TaxiwayError as error:
        if error.retryable:
            raise
        ctx.log(f"No reviewers out of approval rules: {error.detail}", "stderr")


def _own_request(gitlab: GitLab, item: Created) -> Any:
    """The merge request of the run; None when it is gone."""
    project = gitlab.own(item.data)
    if project.find() is None:
        return None
    return ours(_requests(project, item.data["source"]), item.data, "iid")


def _check_back(gitlab: GitLab, created: Sequence[Created]) -> None:
    refuse_changed(_changes(gitlab, created))


def _changes(gitlab: GitLab, created: Sequence[Created]) -> list[Changed]:
    changes = changed_branches(gitlab.remote, created)
    for item in best_known(created):
        found = _own_request(gitlab, item) if item.kind == MERGE_REQUEST else None
        if found is not None and found["state"] == "merged":
            changes.append(Changed(item.name, f"{found['web_url']} was merged: revert it there, its commits stay"))
    return changes


def _take_back(gitlab: GitLab, ctx: StepContext, created: Sequence[Created]) -> None:
    refuse_changed(_changes(gitlab, created), ctx.confirmed)
    for item in best_known(created):
        found = _own_request(gitlab, item) if item.kind == MERGE_REQUEST else None
        if found is not None and found["state"] == "opened":
            gitlab.own(item.data).send("PUT", f"merge_requests/{found['iid']}", {"state_event": "close"})
            ctx.log(f"Closed {found['web_url']}")
    take_back_branches(gitlab.remote, ctx, created)
