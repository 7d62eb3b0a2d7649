"""`publish:bitbucketCloud:pull-request` and `publish:bitbucketServer:pull-request`: the workspace as a pull request.

A source branch that is there is proposed as it is, as in Backstage; otherwise it is made with the files of the
workspace on top of the target branch. Undo declines the pull request and deletes the branch that the step made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from taxiway.model.errors import Changed, refuse_changed
from taxiway.model.run import Created
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.branches import changed_branches, commit_onto, stood_at, take_back_branches
from taxiway.plugin.forging.making import best_known, first_look, ours, turn_of, would
from taxiway.plugin.forging.publishing import AUTHOR_INPUTS, NewCommit, author_of, folder_changes
from taxiway.plugins.bitbucket.actions.base import (
    AS_WHOM,
    REPO_URL_CLOUD,
    REPO_URL_OWN,
    Bitbucket,
    Repo,
    Values,
)

PULL = "pull_request"
HEADS = "refs/heads/"
MOST_PAGES = 20
STATES = ("OPEN", "MERGED", "DECLINED", "SUPERSEDED")


def make(bitbucket: Bitbucket) -> list[FunctionAction]:
    """The actions of this module."""
    reviewers = {"type": "array", "items": {"type": "string"}, "description": "Names of users who are to review it"}
    return [
        _action(bitbucket, "publish:bitbucketCloud:pull-request", True, REPO_URL_CLOUD, {}),
        _action(bitbucket, "publish:bitbucketServer:pull-request", False, REPO_URL_OWN, {"reviewers": reviewers}),
    ]


def _action(bitbucket: Bitbucket, key: str, cloud: bool, repo_url: str, more: dict[str, Any]) -> FunctionAction:
    where = "Bitbucket Cloud" if cloud else "a Bitbucket Data Center"
    return FunctionAction(
        key=key,
        description=f"Open a pull request on {where} with the files of the workspace",
        function=_opening(bitbucket, cloud),
        take_back=partial(_take_back, bitbucket),
        check_back=partial(_check_back, bitbucket),
        input_schema=schema(
            ["repoUrl", "title", "sourceBranch"],
            repoUrl=repo_url,
            title="What it does",
            description="Why; it is the message of the commit, too",
            targetBranch="Branch to merge into; default the repository's main branch",
            sourceBranch="Branch with the change; made from the workspace where it is not there",
            **more,
            token=AS_WHOM,
            **AUTHOR_INPUTS,
        ),
        output_schema=schema(["pullRequestUrl"] if cloud else [], pullRequestUrl="Where it is"),
    )


def _opening(bitbucket: Bitbucket, cloud: bool) -> Callable[[StepContext, Values], Values]:
    def run(ctx: StepContext, values: Values) -> Values:
        repo, source = bitbucket.repo(ctx, values, cloud=cloud), str(values["sourceBranch"])
        message = values.get("description") or values["title"]
        author = author_of(values.get("gitAuthorName"), values.get("gitAuthorEmail"))
        new = NewCommit(folder_changes(ctx, None), message, author)
        if ctx.is_dry_run:
            url = f"{repo.client.web}/{repo.name}/pull-requests/1"
            text = f"open a pull request from {source} of {repo.place} with {len(new.changes)} files"
            return would(ctx, text, {"pullRequestUrl": url})
        target = values.get("targetBranch") or ctx.checkpoint(f"target in {repo.place}", repo.default_branch)
        branch = repo.branch(source)
        was, base = stood_at(ctx, branch, target, turn_of(values))
        if was is None:
            commit_onto(ctx, bitbucket.ctx, branch, new, was=was, base=base)
        pull = _put(ctx, repo, source, target, values)
        ctx.log(f"The pull request is {_url(pull)}")
        return {"pullRequestUrl": _url(pull)}

    return run


def _put(ctx: StepContext, repo: Repo, source: str, target: str, values: Values) -> Values:
    """The pull request, made unless the step made it before it was interrupted."""
    key = f"{repo.place} {source} → {target}"
    before, is_again = first_look(ctx, f"pull requests {key}", lambda: [one["id"] for one in _pulls(repo, source)])
    noted = {**repo.data, "source": source, "before": before}
    ctx.created(PULL, key, noted)
    path = "pullrequests" if repo.is_cloud else "pull-requests"
    made: Values | None = ours(_pulls(repo, source), noted) if is_again else None
    found = made or repo.send("POST", path, _body(repo, source, target, values))
    ctx.created(PULL, key, {**noted, "id": found["id"]})
    return found


def _body(repo: Repo, source: str, target: str, values: Values) -> dict[str, Any]:
    about = values.get("description") or ""
    if repo.is_cloud:
        return {
            "title": values["title"],
            "summary": {"raw": about},
            "source": {"branch": {"name": source}},
            "destination": {"branch": {"name": target}},
        }
    whole = {"slug": repo.slug, "project": {"key": repo.owner}}
    body: dict[str, Any] = {
        "title": values["title"],
        "description": about,
        "fromRef": {"id": HEADS + source, "repository": whole},
        "toRef": {"id": HEADS + target, "repository": whole},
    }
    if values.get("reviewers"):
        body["reviewers"] = [{"user": {"name": name}} for name in values["reviewers"]]
    return body


def _pulls(repo: Repo, source: str) -> Iterator[Any]:
    """Pull requests from a branch, in any state."""
    if repo.is_cloud:
        text = source.replace("\\", "\\\\").replace('"', '\\"')
        query: dict[str, Any] = {"q": f'source.branch.name = "{text}"', "state": STATES, "pagelen": 50}
        return repo.client.values(repo.path("pullrequests"), query, MOST_PAGES)
    query = {"at": HEADS + source, "direction": "OUTGOING", "state": "ALL", "limit": 100}
    return repo.client.values(repo.path("pull-requests"), query, MOST_PAGES)


def _url(pull: Values) -> str:
    links = pull.get("links") or {}
    if "html" in links:
        return str(links["html"]["href"])
    return str((links.get("self") or [{"href": ""}])[0]["href"])


def _check_back(bitbucket: Bitbucket, created: Sequence[Created]) -> None:
    refuse_changed(_changes(bitbucket, created))


def _changes(bitbucket: Bitbucket, created: Sequence[Created]) -> list[Changed]:
    changes = changed_branches(bitbucket.remote, created)
    for item in best_known(created):
        found = _own_pull(bitbucket, item) if item.kind == PULL else None
        if found is not None and found.get("state") == "MERGED":
            changes.append(Changed(item.name, f"{_url(found)} was merged: revert it there, its commits stay"))
    return changes


def _own_pull(bitbucket: Bitbucket, item: Created) -> Values | None:
    """The pull request of the run; None when it is gone."""
    repo = bitbucket.own(item.data)
    if repo.find() is None:
        return None
    found: Values | None = ours(_pulls(repo, item.data["source"]), item.data)
    return found


def _take_back(bitbucket: Bitbucket, ctx: StepContext, created: Sequence[Created]) -> None:
    refuse_changed(_changes(bitbucket, created), ctx.confirmed)
    for item in best_known(created):
        if item.kind != PULL:
            continue
        pull, repo = _own_pull(bitbucket, item), bitbucket.own(item.data)
        if pull is not None and pull.get("state") == "OPEN":
            if repo.is_cloud:
                repo.send("POST", f"pullrequests/{pull['id']}/decline")
            else:
                repo.send("POST", f"pull-requests/{pull['id']}/decline?version={pull['version']}")
            ctx.log(f"Declined {_url(pull)}")
    take_back_branches(bitbucket.remote, ctx, created)
