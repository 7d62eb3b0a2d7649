"""`pull-request:create`, `pull-request:wait`, `pull-request:merge` on the built-in forge, with the caller's rights."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from taxiway.core.context import OpContext, Platform
from taxiway.features.pulls import service as pulls
from taxiway.features.pulls.model import person
from taxiway.features.pulls.service.hosts import pull_host
from taxiway.features.pulls.service.merging import MergeOptions, merge_pull
from taxiway.features.pulls.service.proposing import Proposal, propose_change
from taxiway.model.errors import Changed, ConflictError, refuse_changed
from taxiway.model.pulls import MergeMethod
from taxiway.model.run import Created
from taxiway.model.workload import FileChange
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, inside, schema, workspace_files

LOOK_SECONDS = 10.0
NUMBER = {"type": "integer", "minimum": 1}
MERGED = "merged"
Values = Mapping[str, Any]


def pull_actions(platform: Platform) -> list[FunctionAction]:
    """The actions of this module."""
    return [
        FunctionAction(
            key="pull-request:create",
            description="Open a pull request on the built-in forge with the files of the workspace",
            function=lambda ctx, values: _create(platform, ctx, values),
            input_schema=schema(
                ["repository", "branchName", "title"],
                repository="Name of the repository",
                branchName="A new branch",
                title="What it does",
                description="Why",
                targetBranchName="Branch to merge into; default the repository's",
                sourcePath="Folder of the workspace; default all of it",
                targetPath="Folder of the repository; default its root",
                filesToDelete={"type": "array", "items": {"type": "string"}},
                draft={"type": "boolean"},
            ),
            output_schema=schema(
                remoteUrl="Where it is",
                pullRequestNumber={"type": "integer"},
                targetBranchName="The branch that it is to be merged into",
            ),
            take_back=lambda ctx, created: take_back(platform, ctx, created),
            check_back=lambda created: check_back(platform, created),
        ),
        FunctionAction(
            key="pull-request:wait",
            description="Wait until a pull request is merged; one that is closed fails the step",
            function=lambda ctx, values: _wait(platform, ctx, values),
            input_schema=schema(["repository", "number"], repository="Name of the repository", number=NUMBER),
            output_schema=schema(mergeCommit="SHA of the merge"),
        ),
        FunctionAction(
            key="pull-request:merge",
            description="Merge a pull request, as the rules of its branch allow; it cannot be undone",
            function=lambda ctx, values: _merge(platform, ctx, values),
            input_schema=schema(
                ["repository", "number"],
                repository="Name of the repository",
                number=NUMBER,
                method={"type": "string", "enum": list(get_args(MergeMethod))},
                deleteBranch={"type": "boolean"},
            ),
            output_schema=schema(mergeCommit="SHA of the merge"),
        ),
    ]


def _op(platform: Platform, ctx: StepContext) -> OpContext:
    return OpContext(platform, ctx.principal, f"run-{ctx.run_id}")


def _create(platform: Platform, ctx: StepContext, values: Values) -> Values:
    base = (values.get("targetPath") or "").strip("/")
    root = inside(ctx.workspace, values.get("sourcePath") or ".")
    changes: dict[str, FileChange] = {
        f"{base}/{name}".lstrip("/"): FileChange(path.read_bytes(), os.access(path, os.X_OK))
        for name, path in workspace_files(root)
    }
    changes |= {f"{base}/{name}".lstrip("/"): FileChange(None) for name in values.get("filesToDelete") or []}
    name, head = values["repository"], values["branchName"]
    target = values.get("targetBranchName")
    if ctx.is_dry_run:
        return {"remoteUrl": f"/pulls/{name}/1", "pullRequestNumber": 1, "targetBranchName": target or "main"}
    proposal = Proposal(
        repository=name,
        head=head,
        changes=changes,
        title=values["title"],
        body=values.get("description") or "",
        base=target,
        draft=bool(values.get("draft")),
    )
    url, number, base = opened(platform, ctx, propose_change(_op(platform, ctx), proposal))
    return {"remoteUrl": url, "pullRequestNumber": number, "targetBranchName": base}


def opened(platform: Platform, ctx: StepContext, row: Values) -> tuple[str, int, str]:
    """Record a pull request that was opened: (where it is, its number, its base)."""
    name, number = row["repository"], row["number"]
    ctx.created("pull_request", f"{name}#{number}", {"repository": name, "number": number, "head_sha": row["head_sha"]})
    ctx.log(f"Opened {name}#{number}")
    return f"{platform.public_url()}/pulls/{name}/{number}", int(number), str(row["base"])


def _wait(platform: Platform, ctx: StepContext, values: Values) -> Values:
    if ctx.is_dry_run:
        ctx.log(f"would wait until {values['repository']}#{values['number']} is merged")
        return {"mergeCommit": "0" * 40}
    found = pulls.get_pull(_op(platform, ctx), values["repository"], values["number"])
    if found["state"] == MERGED:
        return {"mergeCommit": found["merge_sha"]}
    if found["state"] != "open":
        raise ConflictError(f"{values['repository']}#{values['number']} was closed", code="scaffolder.pull_closed")
    ctx.wait_for(f"pull:{values['repository']}/{values['number']}", LOOK_SECONDS)
    return {}


def _merge(platform: Platform, ctx: StepContext, values: Values) -> Values:
    if ctx.is_dry_run:
        return {"mergeCommit": "0" * 40}
    op = _op(platform, ctx)
    found = pulls.get_pull(op, values["repository"], values["number"])
    if found["state"] != MERGED:
        options = MergeOptions(method=values.get("method"), delete_branch=bool(values.get("deleteBranch")))
        found = merge_pull(op, values["repository"], values["number"], options)
    return {"mergeCommit": found["merge_sha"]}


def check_back(platform: Platform, created: Sequence[Created]) -> None:
    """ChangedSinceError when a pull request was merged, or has commits of others."""
    refuse_changed(one for item in created for one in _changed(platform, item))


def _changed(platform: Platform, item: Created) -> Iterator[Changed]:
    if item.kind != "pull_request":
        return
    found = pulls.get_pull(platform.system("scaffolder"), item.data["repository"], item.data["number"])
    if found["state"] == MERGED:
        yield Changed(item.name, "the pull request was merged: its commits stay, revert them there")
    elif found["head_sha"] != item.data["head_sha"]:
        yield Changed(item.name, "the pull request has commits made since: it is closed, and its branch deleted")


def take_back(platform: Platform, ctx: StepContext, created: Sequence[Created]) -> None:
    """Close the pull requests that a step opened, and delete their branches; what was merged stays."""
    op = _op(platform, ctx)
    for item in reversed(created):
        if item.kind == "pull_request":
            refuse_changed(_changed(platform, item), ctx.confirmed)
            name, number = item.data["repository"], item.data["number"]
            if pulls.get_pull(op, name, number)["state"] == "open":
                closed = pulls.close_pull(op, name, number)
                by = person(op.principal)
                pull_host(platform).delete_branch(name, closed["head"], expect=closed["head_sha"], by=by)
                ctx.log(f"Closed {item.name}, and deleted its branch")
