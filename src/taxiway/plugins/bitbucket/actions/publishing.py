"""`publish:bitbucketCloud`, `publish:bitbucketServer`, and `publish:bitbucket` for either: a repository made and filled
from the workspace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.making import would
from taxiway.plugin.forging.new_repositories import COMMIT_INPUTS, NewRepository, RepositoryUndo, first_commit, publish
from taxiway.plugin.forging.publishing import AUTHOR_INPUTS
from taxiway.plugins.bitbucket.actions.base import (
    AS_WHOM,
    REPO_URL_CLOUD,
    REPO_URL_OWN,
    Bitbucket,
    Hosted,
    Repo,
    Values,
)

LFS: dict[str, Any] = {"type": "boolean", "description": "Let it keep large files (Git LFS); on a Data Center only"}
OUTPUT = schema(
    remoteUrl="URL for clone and push",
    repoContentsUrl="URL of the root folder",
    commitHash="SHA of the first commit",
)


def make(bitbucket: Bitbucket) -> list[FunctionAction]:
    """The actions of this module."""
    undo = RepositoryUndo(lambda: Hosted(bitbucket), bitbucket.ctx)

    def action(key: str, cloud: bool | None, description: str, repo_url: str, more: Mapping[str, Any]) -> Any:
        return FunctionAction(
            key=key,
            description=description,
            function=_publishing(bitbucket, cloud),
            take_back=undo.take_back,
            check_back=undo.check_back,
            name_check=bitbucket.names,
            input_schema=schema(["repoUrl"], repoUrl=repo_url, **_inputs(), **more),
            output_schema=OUTPUT,
        )

    own = {"enableLFS": LFS, **AUTHOR_INPUTS}
    return [
        action(
            "publish:bitbucketCloud",
            True,
            "Create a repository on Bitbucket Cloud from the workspace; undo removes it for good",
            REPO_URL_CLOUD,
            {},
        ),
        action(
            "publish:bitbucketServer",
            False,
            "Create a repository on a Bitbucket Data Center from the workspace",
            REPO_URL_OWN,
            own,
        ),
        action(
            "publish:bitbucket",
            None,
            "Create a repository on either kind of Bitbucket from the workspace",
            f"{REPO_URL_CLOUD}; no workspace on a Data Center",
            own,
        ),
    ]


def _inputs() -> dict[str, Any]:
    return {
        "description": "What the repository is for",
        "repoVisibility": {"type": "string", "enum": ["private", "public"], "description": "Default private"},
        "defaultBranch": "Name of the first branch; default master",
        "token": AS_WHOM,
        **COMMIT_INPUTS,
    }


def _publishing(bitbucket: Bitbucket, cloud: bool | None) -> Callable[[StepContext, Values], Values]:
    def run(ctx: StepContext, values: Values) -> Values:
        repo = bitbucket.repo(ctx, values, cloud=cloud)
        branch = values.get("defaultBranch") or "master"
        new = first_commit(ctx, values, values.get("sourcePath"))
        if ctx.is_dry_run:
            output = {**_guessed(repo, branch), "commitHash": "0" * 40}
            return would(ctx, f"create {repo.place} with {len(new.changes)} files", output)
        wanted = NewRepository(
            repo.host,
            repo.name,
            find=repo.find,
            make=lambda: _made(repo, values, branch),
            more={"owner": repo.owner, "slug": repo.slug},
            id_of=None if repo.is_cloud else lambda found: str(found["id"]),
        )
        found, commit = publish(ctx, bitbucket.ctx, wanted, branch, new, lambda made: repo.remote)
        if values.get("enableLFS") and not repo.is_cloud:
            path = f"git-lfs/admin/{repo.path()}/enabled"
            repo.client.send_beside("PUT", path).checked(f"Git LFS of {repo.place}")
        return {**_told(repo, found, branch), "commitHash": commit}

    return run


def _made(repo: Repo, values: Values, branch: str) -> Values:
    is_public = values.get("repoVisibility") == "public"
    about = {"description": values["description"]} if values.get("description") else {}
    if repo.is_cloud:
        body = {"scm": "git", "is_private": not is_public, "project": {"key": repo.project}, **about}
        return repo.send("POST", "", body)
    body = {"name": repo.title, "defaultBranch": branch, "public": is_public, **about}
    answer = repo.client.send("POST", repo.path().rpartition("/")[0], body)
    return repo.client.one(answer.checked(f"the repository {repo.place}"))


def _guessed(repo: Repo, branch: str) -> dict[str, str]:
    web = repo.client.web
    if repo.is_cloud:
        page = f"{web}/{repo.name}"
        return {"remoteUrl": f"{page}.git", "repoContentsUrl": f"{page}/src/{branch}"}
    page = f"{web}/projects/{repo.owner}/repos/{repo.slug}/browse"
    return {"remoteUrl": f"{web}/scm/{repo.name}.git", "repoContentsUrl": page}


def _told(repo: Repo, found: Values, branch: str) -> dict[str, str]:
    """The addresses as the forge tells them, guessed where it does not."""
    links, guessed = found.get("links") or {}, _guessed(repo, branch)
    name = "https" if repo.is_cloud else "http"
    clones = [one["href"] for one in links.get("clone") or [] if one.get("name") in (name, "http", "https")]
    remote = str(clones[0]) if clones else guessed["remoteUrl"]
    if repo.is_cloud:
        page = (links.get("html") or {}).get("href")
        return {"remoteUrl": remote, "repoContentsUrl": f"{page}/src/{branch}" if page else guessed["repoContentsUrl"]}
    own = links.get("self") or []
    return {"remoteUrl": remote, "repoContentsUrl": str(own[0]["href"]) if own else guessed["repoContentsUrl"]}
