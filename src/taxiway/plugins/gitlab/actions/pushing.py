"""`gitlab:repo:push`: the workspace as a commit on a branch of a project, which is made where it is not there."""

from __future__ import annotations

from functools import partial
from typing import Any

from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.branches import check_branches, commit_onto, stood_at, take_back_branches
from taxiway.plugin.forging.making import turn_of, would
from taxiway.plugin.forging.publishing import NewCommit
from taxiway.plugins.gitlab.actions.base import AS_WHOM, REPO_URL, GitLab, Values, flag
from taxiway.plugins.gitlab.actions.changes import check_action, workspace_changes


def make(gitlab: GitLab) -> list[FunctionAction]:
    """The action of this module."""
    return [
        FunctionAction(
            key="gitlab:repo:push",
            description="Commit the workspace to a branch of a project on GitLab; undo puts the branch back",
            function=partial(_push, gitlab),
            take_back=partial(take_back_branches, gitlab.remote),
            check_back=partial(check_branches, gitlab.remote),
            input_schema=schema(
                ["repoUrl", "branchName", "commitMessage"],
                repoUrl=REPO_URL,
                branchName="The branch; made of the main branch where it is not there",
                commitMessage="Message of the commit",
                sourcePath="Folder of the workspace; default all of it",
                targetPath="Folder of the project; default its root",
                token=AS_WHOM,
                commitAction={
                    "type": "string",
                    "enum": ["create", "update", "delete", "auto"],
                    "description": "What becomes of the files; default auto: they are made or changed as they need be",
                },
                allowEmpty=flag("Make a commit when nothing differs, too"),
            ),
            output_schema=schema(
                ["projectid", "projectPath"],
                projectid="The project",
                projectPath="Its full path",
                commitHash="SHA of the commit; left out when nothing differs",
            ),
        )
    ]


def _push(gitlab: GitLab, ctx: StepContext, values: Values) -> Values:
    project, action = gitlab.by_path(ctx, values), values.get("commitAction") or "auto"
    changes = workspace_changes(ctx, values.get("sourcePath"), values.get("targetPath"), action)
    told: dict[str, Any] = {"projectid": project.name, "projectPath": project.name}
    if ctx.is_dry_run:
        text = f"commit {len(changes)} files to {values['branchName']} of {project.place}"
        return would(ctx, text, {**told, "commitHash": "0" * 40})
    branch = project.branch(str(values["branchName"]))
    was, base = stood_at(ctx, branch, str(project.read().get("default_branch") or "main"), turn_of(values))
    base = was or base
    check_action(branch.remote, base, changes, action)
    new = NewCommit(changes, values["commitMessage"], may_be_empty=bool(values.get("allowEmpty")))
    commit = commit_onto(ctx, gitlab.ctx, branch, new, was=was, base=base)
    if commit == base:
        ctx.log("Nothing differs: no commit was made")
        return told
    return {**told, "commitHash": commit}
