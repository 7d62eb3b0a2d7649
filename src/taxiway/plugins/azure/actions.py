"""`publish:azure`: a repository of an Azure DevOps project, made and filled from the workspace."""

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
from taxiway.plugins.azure.client import AzureClient, AzureClients

AS_WHOM = "A personal access token to use instead of that of the settings"
Values = Mapping[str, Any]


def publish_azure(plugin: PluginContext, clients: AzureClients) -> FunctionAction:
    """The action."""
    undo = RepositoryUndo(lambda: HostedOnAzure(clients), plugin)
    return FunctionAction(
        key="publish:azure",
        description="Create a repository on Azure DevOps from the workspace",
        function=lambda ctx, values: _publish(ctx, values, plugin, clients),
        take_back=undo.take_back,
        check_back=undo.check_back,
        name_check=lambda values: _names(clients, values),
        input_schema=schema(
            ["repoUrl"],
            repoUrl="<host>?organization=…&project=…&repo=…",
            description="What the repository is for; Azure DevOps keeps none",
            defaultBranch="Name of the first branch; default master",
            token=AS_WHOM,
            **COMMIT_INPUTS,
            **AUTHOR_INPUTS,
        ),
        output_schema=schema(
            remoteUrl="URL for clone and push",
            repoContentsUrl="URL of its page",
            repositoryId="Id of the repository",
            commitHash="SHA of the first commit",
        ),
    )


def _publish(ctx: StepContext, values: Values, plugin: PluginContext, clients: AzureClients) -> Values:
    url = parse_repo_url(values["repoUrl"], "organization", "project", "repo")
    client: AzureClient = action_client(clients, ctx, url.host, values.get("token"))
    branch = values.get("defaultBranch") or "master"
    new = first_commit(ctx, values, values.get("sourcePath"))
    web = client.web(url.organization, url.project, "_git", url.repo)
    if ctx.is_dry_run:
        output = {"remoteUrl": web, "repoContentsUrl": web, "repositoryId": "<id>", "commitHash": "0" * 40}
        return would(ctx, f"create {url} with {len(new.changes)} files", output)
    base = client.web(url.organization, url.project)
    body = {"name": url.repo}
    wanted = NewRepository(
        url.host,
        f"{url.organization}/{url.project}/{url.repo}",
        find=lambda: _found(client, url),
        make=lambda: client.send("POST", base, "git/repositories", body).checked(f"the repository {url}").json(),
        more={"organization": url.organization, "project": url.project, "repo": url.repo},
        id_of=lambda found: str(found["id"]),
    )
    remote = client.remote(url.organization, url.project, url.repo)
    made, commit = publish(ctx, plugin, wanted, branch, new, lambda found: remote)
    return {
        "remoteUrl": made.get("remoteUrl") or web,
        "repoContentsUrl": made.get("webUrl") or web,
        "repositoryId": made["id"],
        "commitHash": commit,
    }


def _names(clients: AzureClients, values: Values) -> list[NameTaken]:
    """The name for a plan, looked for with the credential in the settings."""
    url = parse_repo_url(values["repoUrl"], "organization", "project", "repo")
    return [("repository", str(url), _found(clients.of(url.host), url) is not None)]


def _found(client: AzureClient, url: RepoUrl, number: str | None = None) -> Values | None:
    """The repository, by its id where that is known: a name may be another one's by now."""
    base = client.web(url.organization, url.project)
    answer = client.get(base, f"git/repositories/{quote(number or url.repo, safe='')}", {})
    if answer.status == 404:
        return None
    found: Values = answer.checked(f"the repository {url}").json()
    return found


@dataclass(frozen=True)
class HostedOnAzure:
    """Repositories as undo sees them. There is no archive: what is deleted can be restored for 30 days from the
    project's recycle bin, and a repository that is disabled cannot be looked into any more."""

    clients: AzureClients

    def state(self, data: Values) -> RepositoryState | None:
        url = _url(data)
        client = self.clients.of(url.host)
        found = _found(client, url, data.get("id"))
        if found is None:
            return None
        name = str(found["name"])
        heads = client.remote(url.organization, url.project, name).heads(reading=True)
        # Azure DevOps does not tell when a repository was made: that of this run is known by its id.
        return RepositoryState(f"{url.organization}/{url.project}/{name}", "", heads)

    def archive(self, data: Values) -> None:
        """Nothing: see above."""

    def remove(self, data: Values) -> None:
        url = _url(data)
        client = self.clients.of(url.host)
        base = client.web(url.organization, url.project)
        found = _found(client, url, data.get("id"))
        if found is None:
            return
        answer = client.send("DELETE", base, f"git/repositories/{quote(str(found['id']), safe='')}")
        if answer.status != 404:
            answer.checked(f"the repository {url}")


def _url(data: Values) -> RepoUrl:
    return RepoUrl(data["host"], organization=data["organization"], project=data["project"], repo=data["repo"])
