"""`publish:git`: the workspace becomes the first commit of a repository on the built-in forge."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from taxiway.kit.canonical import digest
from taxiway.model.errors import Changed, ConflictError, InputError, TooLargeError, refuse_changed
from taxiway.model.run import Created
from taxiway.model.workload import FileChange
from taxiway.plugin import Forge, StepContext
from taxiway.plugin.actions import FunctionAction, inside, schema, workspace_files

MAX_BYTES = 100 * 1024 * 1024
MOST_COMMITS = 200
MOST_SUBJECT = 200


def publish_git(forge: Callable[[], Forge], public_url: Callable[[], str]) -> FunctionAction:
    """The action, on the forge that is installed when it runs."""

    def run(ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any]:
        return _publish(ctx, values, forge(), public_url())

    def undo(ctx: StepContext, created: Sequence[Created]) -> None:
        for item in reversed(created):
            if item.kind == "repository":
                _take_back(ctx, forge(), item)

    def check(created: Sequence[Created]) -> None:
        names = [item.name for item in created if item.kind == "repository"]
        refuse_changed(one for name in names for one in commits_since(forge(), name))

    return FunctionAction(
        key="publish:git",
        description="Create a repository on the built-in forge from the workspace",
        function=run,
        take_back=undo,
        check_back=check,
        name_check=lambda values: [("repository", values["name"], forge().get_repository(values["name"]) is not None)],
        input_schema=schema(
            ["name"],
            name="Name of the repository",
            description="What it is for",
            owner="Entity reference of the owner",
            defaultBranch="Name of the first branch; default main",
            sourcePath="Folder of the workspace to publish; default all of it",
            commitMessage="Message of the first commit",
        ),
        output_schema=schema(
            remoteUrl="URL for clone and push", repository="Name of the repository", commit="SHA of the first commit"
        ),
    )


def _publish(ctx: StepContext, values: Mapping[str, Any], forge: Forge, public_url: str) -> Mapping[str, Any]:
    name, branch = values["name"], values.get("defaultBranch") or "main"
    changes, size = {}, 0
    for path, full in workspace_files(inside(ctx.workspace, values.get("sourcePath") or ".")):
        content = full.read_bytes()
        size += len(content)
        if size > MAX_BYTES:
            raise TooLargeError(f"the workspace is larger than {MAX_BYTES} bytes: publish less")
        changes[path] = FileChange(content, os.access(full, os.X_OK))
    if not changes:
        raise InputError("the workspace is empty: fetch something before publishing it")
    url = f"{public_url.rstrip('/')}/git/{name}.git"
    if ctx.is_dry_run:
        fingerprint = digest(sorted(changes)).removeprefix("sha256:")[:40]
        return {"remoteUrl": url, "repository": name, "commit": fingerprint}
    # The inventory is written before the repository exists, so that undo knows of it whenever we die.
    ctx.created("repository", name, {"request_key": ctx.idempotency_key})
    repository = forge.create_repository(
        name,
        description=values.get("description") or "",
        owner=values.get("owner"),
        default_branch=branch,
        request_key=ctx.idempotency_key,
    )
    message = values.get("commitMessage") or "Create from the golden path"
    commit = ctx.checkpoint(
        "commit",
        lambda: repository.head or forge.commit(name, branch, changes, message=message, author=ctx.principal.subject),
    )
    ctx.created("commit", f"{name}@{commit}", {"repository": name, "sha": commit})
    ctx.log(f"Published {len(changes)} files as {commit[:12]} to {repository.clone_url}")
    return {"remoteUrl": repository.clone_url, "repository": name, "commit": commit}


def _take_back(ctx: StepContext, forge: Forge, item: Created) -> None:
    repository = forge.get_repository(item.name)
    if repository is None:
        return
    try:
        # The same request key finds our own repository; another one would be somebody else's.
        forge.create_repository(
            item.name,
            description="",
            owner=None,
            default_branch=repository.default_branch,
            request_key=item.data["request_key"],
        )
    except ConflictError:
        ctx.log(f"Leaving the repository {item.name}: it was not made by this run")
        return
    refuse_changed(commits_since(forge, item.name), ctx.confirmed)
    forge.delete_repository(item.name, archive=True)  # nothing lands in it between the last look and the end
    refuse_changed(commits_since(forge, item.name), ctx.confirmed)
    forge.delete_repository(item.name, archive=False)
    ctx.log(f"Deleted the repository {item.name}")


def commits_since(forge: Forge, name: str) -> list[Changed]:
    """What a repository holds beside what the run put into it: its first commit."""
    repository = forge.get_repository(name)
    if repository is None:
        return []
    log = forge.log(name, repository.default_branch, limit=MOST_COMMITS)
    if len(log) < 2:
        return []
    since = len(log) - 1
    many = "a commit" if since == 1 else f"{since}{' or more' if len(log) == MOST_COMMITS else ''} commits"
    last = str(log[0].get("message") or log[0]["sha"]).splitlines()[0][:MOST_SUBJECT]
    return [Changed(name, f"the repository has {many} made since, the last: {last}. It is deleted with all of it")]
