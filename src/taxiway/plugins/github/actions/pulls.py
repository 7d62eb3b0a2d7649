"""`publish:github:pull-request`: the workspace as a pull request.

The commit is made through GitHub's API, which signs those of an App. Files that are as they are on the target branch
are not sent. The branch and the pull request are looked for before they are made. A branch with commits of others is
never overwritten, and undo refuses it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from taxiway.model.errors import Changed, ConflictError, InputError, refuse_changed
from taxiway.model.run import Created
from taxiway.model.workload import FileChange
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.making import first_look, would
from taxiway.plugin.forging.publishing import folder_changes
from taxiway.plugin.git_objects import checked_branch
from taxiway.plugins.github.actions import schemas
from taxiway.plugins.github.actions.base import GitHub, Repo, Values, given, quoted, ref_path, warned
from taxiway.plugins.github.actions.commits import changed_tree, make_commit
from taxiway.plugins.github.actions.forks import fork_for

PULL = "pull_request"
MOST_ASSIGNEES = 10


def make(github: GitHub) -> list[FunctionAction]:
    """The action of this module."""
    return [
        FunctionAction(
            key="publish:github:pull-request",
            description="Open a pull request on GitHub with the files of the workspace",
            function=partial(_open, github),
            take_back=partial(_take_back, github),
            check_back=lambda created: _check_back(github, created),
            input_schema=schema(
                ["repoUrl", "branchName", "title", "description"],
                repoUrl=schemas.REPO_URL,
                branchName="A new branch",
                filesToDelete={**schemas.STRINGS, "description": "Files that are removed"},
                targetBranchName="Branch to merge into; default the repository's",
                title="What it does",
                description="Why",
                draft=schemas.flag("Open it as a draft"),
                sourcePath="Folder of the workspace; default all of it",
                targetPath="Folder of the repository; default its root",
                token=schemas.AS_WHOM,
                reviewers={**schemas.STRINGS, "description": "Users who are asked for a review"},
                assignees={**schemas.STRINGS, "description": "Users who are to see to it; 10 at most"},
                teamReviewers={**schemas.STRINGS, "description": "Teams that are asked for a review"},
                commitMessage="Message of the commit; default the title",
                update=schemas.flag("Replace what an open pull request of this branch holds"),
                forceFork=schemas.flag("Open it from a fork"),
                gitAuthorName="Name of the commit's author; default whose credential it is",
                gitAuthorEmail="Mail address of the commit's author",
                forceEmptyGitAuthor=schemas.flag("Name no author, so that GitHub signs the commit of an App"),
                createWhenEmpty=schemas.flag("Open it when nothing differs, too", True),
            ),
            output_schema=schema(
                targetBranchName="The branch that it is to be merged into",
                remoteUrl="Where it is",
                pullRequestNumber={"type": "integer", "description": "Its number"},
            ),
        )
    ]


def _open(github: GitHub, ctx: StepContext, values: Values) -> Values:
    repo, branch = github.repo(ctx, values), checked_branch(values["branchName"])
    changes = folder_changes(ctx, values.get("sourcePath"), values.get("targetPath"), values.get("filesToDelete") or ())
    if ctx.is_dry_run:
        target = values.get("targetBranchName") or "main"
        url = f"{repo.client.web}/{repo.name}/pull/1"
        text = f"open a pull request of {len(changes)} files from {branch} into {target} of {repo.place}"
        return would(ctx, text, {"targetBranchName": target, "remoteUrl": url, "pullRequestNumber": 1})
    facts = repo.read()
    target = values.get("targetBranchName") or facts["default_branch"]
    if branch == target:
        raise InputError(f"the new branch may not be the one to merge into: choose another name than '{branch}'")
    home = fork_for(ctx, repo, facts, is_forced=bool(values.get("forceFork")))
    commit = ctx.checkpoint(
        f"commit for {home.place}#{branch}", lambda: _commit(github, repo, home, target, changes, values)
    )
    if commit is None:
        ctx.log("Nothing differs: no pull request is opened")
        return {}
    head = f"{home.owner}:{branch}"
    open_one = _find(repo, head)
    before, _ = first_look(
        ctx,
        f"branch {home.place}#{branch}",
        lambda: _replaced(github, home, branch, open_one, bool(values.get("update"))),
    )
    data = {**repo.data, "home": home.name, "branch": branch, "head": commit, "before": before}
    ctx.created(PULL, f"{repo.place} ← {head}", data)
    _branch(home, branch, before, commit)
    pull = _put(repo, open_one, head, target, values)
    _ask(ctx, repo, pull["number"], values)
    ctx.log(f"The pull request is {pull['html_url']}")
    return {
        "targetBranchName": pull["base"]["ref"],
        "remoteUrl": pull["html_url"],
        "pullRequestNumber": pull["number"],
    }


def _commit(
    github: GitHub, repo: Repo, home: Repo, target: str, changes: Mapping[str, FileChange], values: Values
) -> str | None:
    """Make the commit on top of the target branch; no branch has it yet. None when nothing differs and that is not to
    be proposed."""
    base = repo.read(ref_path(target))["object"]["sha"]
    tree, is_changed = changed_tree(repo, home, base, changes)
    if not is_changed and values.get("createWhenEmpty") is False:
        return None
    author = None
    if not values.get("forceEmptyGitAuthor") and (values.get("gitAuthorName") or values.get("gitAuthorEmail")):
        author = (values.get("gitAuthorName"), values.get("gitAuthorEmail"))
    sha = make_commit(home, tree, base, values.get("commitMessage") or values["title"], author)
    github.pushed.note(str(home.place), sha)
    return sha


def _head(home: Repo, branch: str) -> str | None:
    found = home.find(ref_path(branch))
    return None if found is None else str(found["object"]["sha"])


def _replaced(github: GitHub, home: Repo, branch: str, open_one: Any, update: bool) -> str | None:
    """What a branch holds that is to be replaced; None where there is none yet. ConflictError when it may not be."""
    before = _head(home, branch)
    if before is None:
        return None
    if not update:
        what = "is there" if open_one is None else "has an open pull request"
        raise ConflictError(
            f"the branch {branch} of {home.place} {what} already: choose another name, or set update to replace it",
            code="github.branch_taken",
        )
    if before not in github.pushed.of(str(home.place)):
        raise _foreign(home, branch)
    return before


def _branch(home: Repo, branch: str, before: str | None, commit: str) -> None:
    """Let the branch go from `before` (None: it is not there) to the commit. ConflictError when it is elsewhere."""
    present = _head(home, branch)
    if present == commit:
        return
    if present != before:
        raise _foreign(home, branch)
    if present is None:
        home.send("POST", "git/refs", {"ref": f"refs/heads/{branch}", "sha": commit})
    else:
        home.send("PATCH", ref_path(branch, "refs"), {"sha": commit, "force": True})


def _foreign(home: Repo, branch: str) -> ConflictError:
    return ConflictError(
        f"the branch {branch} of {home.place} has commits of others, which would be lost: merge or delete it, or "
        "choose another name",
        code="forge.foreign_commits",
    )


def _find(repo: Repo, head: str) -> Any:
    return next(iter(repo.pages(f"pulls?state=open&head={quoted(head)}")), None)


def _put(repo: Repo, found: Any, head: str, target: str, values: Values) -> Any:
    body = {"title": values["title"], "body": values["description"], "base": target}
    if found is None:
        return repo.send("POST", "pulls", {**body, "head": head, "draft": bool(values.get("draft"))})
    if all((found["title"] == body["title"], (found["body"] or "") == body["body"], found["base"]["ref"] == target)):
        return found
    return repo.send("PATCH", f"pulls/{found['number']}", body, idempotent=True)


def _ask(ctx: StepContext, repo: Repo, number: int, values: Values) -> None:
    """Reviewers and assignees. Those that cannot be asked are a warning, as in Backstage."""
    teams = values.get("teamReviewers")
    people = given(reviewers=values.get("reviewers"), team_reviewers=list(dict.fromkeys(teams)) if teams else None)
    if people:
        path = f"pulls/{number}/requested_reviewers"
        warned(ctx, "reviewers", lambda: repo.send("POST", path, people, idempotent=True))
    assignees = (values.get("assignees") or [])[:MOST_ASSIGNEES]
    if assignees:
        body = {"assignees": assignees}
        warned(ctx, "assignees", lambda: repo.send("POST", f"issues/{number}/assignees", body, idempotent=True))


def _check_back(github: GitHub, created: Sequence[Created]) -> None:
    refuse_changed(one for item in created if item.kind == PULL for one in _state(github, item)[2])


def _state(github: GitHub, item: Created) -> tuple[Any, str | None, list[Changed]]:
    """The pull request of the run, and where its branch stands, None for what is gone; and that it was merged, or that
    others have committed to it."""
    repo, data = github.own(item.data), item.data
    home = github.own({**data, "name": data["home"]})
    listed = repo.pages(f"pulls?state=all&head={quoted(home.owner + ':' + data['branch'])}") if repo.find() else ()
    pull = next((one for one in listed if one["head"]["sha"] == data["head"] or one["state"] == "open"), None)
    head = _head(home, data["branch"]) if repo.find() else None
    if pull is not None and pull.get("merged_at"):
        return pull, head, [Changed(item.name, "the pull request was merged: revert it there, its commits stay")]
    if head in (None, data["head"], data["before"]):
        return pull, head, []
    fate = "it is closed, and the branch deleted" if data["before"] is None else "the branch is put back"
    return pull, head, [Changed(item.name, f"the branch of the pull request has commits made since: {fate}")]


def _take_back(github: GitHub, ctx: StepContext, created: Sequence[Created]) -> None:
    for item in reversed(created):
        if item.kind != PULL:
            continue
        pull, head, changes = _state(github, item)
        refuse_changed(changes, ctx.confirmed)
        repo, home = github.own(item.data), github.own({**item.data, "name": item.data["home"]})
        branch, before = item.data["branch"], item.data["before"]
        if before is not None:
            if head not in (None, before):
                home.send("PATCH", ref_path(branch, "refs"), {"sha": before, "force": True})
                ctx.log(f"The branch {branch} holds what it did before; its pull request stays")
            continue
        if pull is not None and pull["state"] == "open":
            repo.send("PATCH", f"pulls/{pull['number']}", {"state": "closed"}, idempotent=True)
            ctx.log(f"Closed {pull['html_url']}")
        if head is not None:
            home.remote.delete(branch, old=head)  # by git, which refuses when somebody pushed to it just now
            ctx.log(f"Deleted the branch {branch}")
