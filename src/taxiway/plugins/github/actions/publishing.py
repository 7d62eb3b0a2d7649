"""`publish:github`, `github:repo:create`, `github:repo:push`: a new repository, and the first commit of it.

A repository that was there before is never taken for the run's own. Undo archives and removes what the run made, as
long as every branch stands at a commit that this installation pushed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.model.errors import Changed, ConflictError, refuse_changed
from taxiway.model.run import Created
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.making import first_look, would
from taxiway.plugin.forging.new_repositories import RepositoryUndo, fill, first_commit
from taxiway.plugin.forging.publishing import NewCommit, not_empty
from taxiway.plugin.git_objects import checked_branch
from taxiway.plugins.github.actions import schemas
from taxiway.plugins.github.actions.base import GitHub, Repo, Values, ref_path, soon, warned
from taxiway.plugins.github.actions.protection import Protection, protect, protection_of, take_back_protection
from taxiway.plugins.github.actions.repositories import Hosted, configure, make_repository, name_taken_there
from taxiway.plugins.github.actions.values import hide_all

BRANCH = "branch"
PUBLISHED = schema(
    ["remoteUrl", "repoContentsUrl", "commitHash"],
    remoteUrl=schemas.REMOTE_URL,
    repoContentsUrl=schemas.CONTENTS_URL,
    commitHash=schemas.COMMIT_HASH,
)


def make(github: GitHub) -> list[FunctionAction]:
    """The actions of this module."""
    return [_publish(github), _create(github), _push(github)]


def _publish(github: GitHub) -> FunctionAction:
    def run(ctx: StepContext, values: Values) -> Values:
        repo, branch = github.repo(ctx, values), checked_branch(values.get("defaultBranch") or "main")
        new = first_commit(ctx, values, values.get("sourcePath"))
        if ctx.is_dry_run:
            text = f"create the repository {repo.place} with {len(new.changes)} files on {branch}"
            return would(ctx, text, _outputs(repo, branch, commitHash="0" * 40))
        hide_all(ctx, values.get("secrets"))
        found = make_repository(github, ctx, repo, values)
        configure(ctx, repo, values)
        sha = _first_commit(github, ctx, repo, branch, new)
        _protect(ctx, repo, branch, values)
        return _told(found, branch, commitHash=sha)

    return _making_action(
        github,
        key="publish:github",
        description="Create a repository on GitHub from the workspace",
        function=run,
        more={**schemas.COMMIT, **schemas.REVIEW},
        output_schema=PUBLISHED,
    )


def _create(github: GitHub) -> FunctionAction:
    def run(ctx: StepContext, values: Values) -> Values:
        repo = github.repo(ctx, values)
        if ctx.is_dry_run:
            return would(ctx, f"create the repository {repo.place}", _outputs(repo, "main"))
        hide_all(ctx, values.get("secrets"))
        found = make_repository(github, ctx, repo, values)
        if values.get("autoInit"):
            first = soon(ctx, lambda: repo.read(ref_path(found["default_branch"])))
            github.pushed.note(str(repo.place), first["object"]["sha"])
        configure(ctx, repo, values)
        return _told(found, found["default_branch"])

    return _making_action(
        github,
        key="github:repo:create",
        description="Create an empty repository on GitHub",
        function=run,
        more={
            "autoInit": schemas.flag("Let GitHub make a first commit with a README", False),
            "workflowAccess": schemas.choice(
                "Who else may use its workflows", "none", "organization", "user", default="none"
            ),
        },
        output_schema=schema(
            ["remoteUrl", "repoContentsUrl"], remoteUrl=schemas.REMOTE_URL, repoContentsUrl=schemas.CONTENTS_URL
        ),
    )


def _making_action(github: GitHub, *, more: Values, **given: Any) -> FunctionAction:
    """An action that makes a repository; `more` are its inputs beside those of every one that does."""
    undo = RepositoryUndo(lambda: Hosted(github), github.ctx)
    return FunctionAction(
        take_back=undo.take_back,
        check_back=undo.check_back,
        name_check=lambda values: name_taken_there(github, values),
        input_schema=schema(["repoUrl"], repoUrl=schemas.REPO_URL, **schemas.REPOSITORY, **more, token=schemas.AS_WHOM),
        **given,
    )


def _push(github: GitHub) -> FunctionAction:
    def run(ctx: StepContext, values: Values) -> Values:
        repo, branch = github.repo(ctx, values), checked_branch(values.get("defaultBranch") or "main")
        new = first_commit(ctx, values, values.get("sourcePath"))
        if ctx.is_dry_run:
            text = f"push {len(new.changes)} files as {branch} of {repo.place}"
            return would(ctx, text, _outputs(repo, branch, commitHash="0" * 40))
        found = repo.read()
        name = f"{repo.place}#{branch}"
        first_look(ctx, f"branch {name}", lambda: soon(ctx, lambda: _check_absent(repo, branch)))
        ctx.created(BRANCH, name, {**repo.data, "branch": branch})
        sha = _first_commit(github, ctx, repo, branch, new)
        _protect(ctx, repo, branch, values, is_noted=True)
        return _told(found, branch, commitHash=sha)

    def check(created: Sequence[Created]) -> None:
        refuse_changed(one for item in created if item.kind == BRANCH for one in _head(github, item)[1])

    def undo(ctx: StepContext, created: Sequence[Created]) -> None:
        changes = [one for item in created if item.kind == BRANCH for one in _head(github, item)[1]]
        refuse_changed(changes, ctx.confirmed)
        take_back_protection(github, ctx, created)
        for item in reversed(created):
            if item.kind == BRANCH:
                _remove_branch(github, ctx, item)

    return FunctionAction(
        key="github:repo:push",
        description="Push the workspace as the first commit of an empty repository on GitHub",
        function=run,
        take_back=undo,
        check_back=check,
        input_schema=schema(
            ["repoUrl"], repoUrl=schemas.REPO_URL, **schemas.COMMIT, **schemas.REVIEW, token=schemas.AS_WHOM
        ),
        output_schema=PUBLISHED,
    )


def _check_absent(repo: Repo, branch: str) -> None:
    """ConflictError when the branch is there before this step makes it."""
    if branch in repo.remote.heads():
        raise not_empty(repo.remote, branch)


def _first_commit(github: GitHub, ctx: StepContext, repo: Repo, branch: str, new: NewCommit) -> str:
    return soon(ctx, lambda: fill(ctx, github.ctx, str(repo.place), repo.remote, branch, new))


def _protect(ctx: StepContext, repo: Repo, branch: str, values: Values, *, is_noted: bool = False) -> None:
    """As in Backstage, a branch that cannot be protected is a warning: GitHub's free plan has no private ones."""
    if values.get("protectDefaultBranch", True):
        wanted = protection_of({**values, "enforceAdmins": values.get("protectEnforceAdmins", True)})
        target = Protection(repo, branch, is_noted=is_noted)
        warned(ctx, f"the protection of {branch}", lambda: protect(ctx, target, wanted, values))


def _head(github: GitHub, item: Created) -> tuple[str | None, list[Changed]]:
    """Where the branch stands, None when it is gone; and that others have pushed to it."""
    repo = github.own(item.data)
    head = repo.remote.heads(reading=True).get(item.data["branch"]) if repo.find() is not None else None
    if head is None or head in github.pushed.of(str(repo.place)):
        return head, []
    return head, [Changed(item.name, "the branch has commits made since: it is deleted with them")]


def _remove_branch(github: GitHub, ctx: StepContext, item: Created) -> None:
    (head, changes), repo = _head(github, item), github.own(item.data)
    if head is None:
        return
    refuse_changed(changes, ctx.confirmed)
    try:
        repo.remote.delete(item.data["branch"], old=head)
        ctx.log(f"Deleted the branch {item.name}")
    except ConflictError:
        # GitHub keeps a default branch. The step that made the repository removes it with the branch.
        ctx.log(f"Leaving the branch {item.name}: GitHub does not delete a default branch")


def _outputs(repo: Repo, branch: str, **more: str) -> Values:
    url = f"{repo.client.web}/{repo.name}"
    return {"remoteUrl": f"{url}.git", "repoContentsUrl": f"{url}/blob/{branch}", **more}


def _told(found: Values, branch: str, **more: str) -> Values:
    return {"remoteUrl": found["clone_url"], "repoContentsUrl": f"{found['html_url']}/blob/{branch}", **more}
