"""`publish:gitea`: a repository of a Gitea or Forgejo, made and filled from the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from taxiway.plugin import PluginContext, StepContext
from taxiway.plugin.actions import FunctionAction, NameTaken, schema
from taxiway.plugin.forging.making import RepositoryState, action_client, would
from taxiway.plugin.forging.new_repositories import COMMIT_INPUTS, NewRepository, RepositoryUndo, first_commit, publish
from taxiway.plugin.forging.publishing import AUTHOR_INPUTS
from taxiway.plugin.forging.repo_urls import RepoUrl, parse_repo_url
from taxiway.plugins.gitea.client import GiteaClient, GiteaClients

SETTLE_SECONDS = 20.0
LOOK_SECONDS = 0.2
Values = Mapping[str, Any]


def publish_gitea(plugin: PluginContext, clients: GiteaClients) -> FunctionAction:
    """The action."""
    undo = RepositoryUndo(lambda: HostedOnGitea(clients), plugin)
    return FunctionAction(
        key="publish:gitea",
        description="Create a repository on a Gitea or Forgejo from the workspace",
        function=lambda ctx, values: _publish(ctx, values, plugin, clients),
        take_back=undo.take_back,
        check_back=undo.check_back,
        name_check=lambda values: _names(clients, values),
        input_schema=schema(
            ["repoUrl", "description"],
            repoUrl="<host>?owner=…&repo=…; without an owner it belongs to the user of the token",
            description="What the repository is for",
            defaultBranch="Name of the first branch; default main",
            repoVisibility={"type": "string", "enum": ["private", "public"], "description": "Default public"},
            **COMMIT_INPUTS,
            **AUTHOR_INPUTS,
        ),
        output_schema=schema(
            remoteUrl="URL for clone and push",
            repoContentsUrl="URL of the root folder",
            commitHash="SHA of the first commit",
        ),
    )


def _publish(ctx: StepContext, values: Values, plugin: PluginContext, clients: GiteaClients) -> Values:
    url = parse_repo_url(values["repoUrl"], "repo")
    client: GiteaClient = action_client(clients, ctx, url.host, None)
    branch = values.get("defaultBranch") or "main"
    new = first_commit(ctx, values, values.get("sourcePath"))
    if ctx.is_dry_run:
        output = _output(client, f"{url.owner or '<user>'}/{url.repo}", branch, "0" * 40)
        return would(ctx, f"create {url} with {len(new.changes)} files", output)
    where, owner = _owner(client, url)
    name = f"{owner}/{url.repo}"
    body = {
        "name": url.repo,
        "description": values["description"],
        "private": values.get("repoVisibility") == "private",
        "default_branch": branch,
    }
    wanted = NewRepository(
        url.host,
        name,
        find=lambda: _found(client, name),
        make=lambda: client.send("POST", where, body).checked(f"the repository {name}").json(),
    )
    _, commit = publish(ctx, plugin, wanted, branch, new, lambda found: client.remote(_path(name)))
    _await_content(ctx, client, name)
    return _output(client, name, branch, commit)


def _names(clients: GiteaClients, values: Values) -> list[NameTaken]:
    """The name for a plan, looked for with the credential in the settings."""
    url = parse_repo_url(values["repoUrl"], "repo")
    client = clients.of(url.host)
    user = "" if url.owner else str(client.get("user").checked(f"the user of the token for {url.host}").json()["login"])
    name = f"{url.owner or user}/{url.repo}"
    return [("repository", f"{url.host}/{name}", _found(client, name) is not None)]


def _output(client: GiteaClient, name: str, branch: str, commit: str) -> dict[str, Any]:
    web = f"{client.web}/{name}"
    return {"remoteUrl": f"{web}.git", "repoContentsUrl": f"{web}/src/branch/{branch}/", "commitHash": commit}


def _await_content(ctx: StepContext, client: GiteaClient, name: str) -> None:
    """Gitea looks at a push behind its answer; until then its API says that the repository is empty, and so would steps
    that read from it."""
    for _ in range(int(SETTLE_SECONDS / LOOK_SECONDS)):
        found = _found(client, name)
        if found is None or not found.get("empty") or ctx.cancelled.wait(LOOK_SECONDS):
            return
    ctx.log(f"{name} still looks empty to Gitea: steps that read from it may fail")


def _owner(client: GiteaClient, url: RepoUrl) -> tuple[str, str]:
    """Where a repository of an owner is made, and the owner's name. An organisation has to be there already."""
    user = str(client.get("user").checked(f"the user of the token for {url.host}").json()["login"])
    if url.owner.lower() in ("", user.lower()):
        return "user/repos", user
    client.get(f"orgs/{quote(url.owner, safe='')}").checked(f"the organisation {url.owner} on {url.host}")
    return f"orgs/{quote(url.owner, safe='')}/repos", url.owner


def _found(client: GiteaClient, name: str) -> Values | None:
    answer = client.get(f"repos/{_path(name)}")
    if answer.status == 404:
        return None
    found: Values = answer.checked(name).json()
    return found


def _path(name: str) -> str:
    return "/".join(quote(part, safe="") for part in name.split("/"))


@dataclass(frozen=True)
class HostedOnGitea:
    """Repositories as undo sees them."""

    clients: GiteaClients

    def state(self, data: Values) -> RepositoryState | None:
        client = self.clients.of(data["host"])
        found = _found(client, data["name"])
        if found is None:
            return None
        heads = client.remote(_path(data["name"])).heads(reading=True)
        return RepositoryState(found["full_name"], str(found["created_at"]), heads, bool(found.get("archived")))

    def archive(self, data: Values) -> None:
        client = self.clients.of(data["host"])
        client.send("PATCH", f"repos/{_path(data['name'])}", {"archived": True}).checked(data["name"])

    def remove(self, data: Values) -> None:
        answer = self.clients.of(data["host"]).send("DELETE", f"repos/{_path(data['name'])}")
        if answer.status != 404:
            answer.checked(data["name"])
