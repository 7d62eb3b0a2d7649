"""Azure DevOps' repositories for the catalog: calls, and the source `azure` made of them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pydantic import Field

from taxiway.model.errors import NotFoundError
from taxiway.plugin import HookRequest, PluginContext, RepositorySource, SourceItem, SourceRequest
from taxiway.plugin.forging import (
    Entry,
    ForgeSourceOptions,
    Listing,
    Repository,
    check_token,
    hook_secret,
    payload_of,
    read_repositories,
)

if TYPE_CHECKING:
    from taxiway.plugins.azure.client import AzureClient, AzureClients

MOST_FILES = 200_000
HEAD = "refs/heads/"


class AzureOptions(ForgeSourceOptions):
    """What of an Azure DevOps is read."""

    host: str = Field("dev.azure.com", description="which Azure DevOps of plugins.azure.hosts")
    organization: str = Field(
        pattern=r"^[A-Za-z0-9_.-]+$", description="organisation, or collection of a server, whose repositories are read"
    )
    project: str | None = Field(None, min_length=1, description="only the repositories of this project")


@dataclass
class AzureSource:
    """The source type `azure`."""

    ctx: PluginContext
    clients: AzureClients
    key: str = "azure"
    options: type[AzureOptions] = AzureOptions

    def read(self, request: SourceRequest) -> Iterator[SourceItem]:
        api = AzureApi(self.clients.of(request.options.host), request.options)
        return read_repositories(request, api)

    def hosting(self, name: str, options: Any, kept: Callable[[str], str | None]) -> RepositorySource:
        from taxiway.plugin.forging.onboarding import ForgeRepositories
        from taxiway.plugins.azure.onboarding import AzureOnboarding

        return ForgeRepositories(name, AzureOnboarding(self.clients.of(options.host), options), options, kept)

    def receive(self, request: HookRequest) -> Sequence[Mapping[str, Any]]:
        options: AzureOptions = request.options
        secret = hook_secret(options, self.ctx.secrets)
        check_token(secret, _password(request.headers.get("authorization", "")))
        return hints_of(payload_of(request.body), options)


def hints_of(payload: Mapping[str, Any], options: AzureOptions) -> list[Mapping[str, Any]]:
    """What a service hook touches: the repository that was pushed to (`git.push`)."""
    resource = payload.get("resource")
    repository = resource.get("repository") if isinstance(resource, Mapping) else None
    if payload.get("eventType") != "git.push" or not isinstance(repository, Mapping):
        return []
    project = repository.get("project")
    if not isinstance(project, Mapping) or not project.get("name") or not repository.get("name"):
        return []
    updates = resource.get("refUpdates") if isinstance(resource, Mapping) else None
    branch = HEAD + options.branch if options.branch else repository.get("defaultBranch")
    names = [one.get("name") for one in updates if isinstance(one, Mapping)] if isinstance(updates, list) else []
    if branch and names and branch not in names:
        return []
    return [{"repository": f"{options.organization}/{project['name']}/{repository['name']}"}]


class AzureApi:
    """The calls that reading needs, for one organisation or one project of it."""

    def __init__(self, client: AzureClient, options: AzureOptions) -> None:
        self._client, self._organization = client, options.organization
        self._project = options.project
        self._base = client.web(options.organization, options.project or "")

    def repositories(self) -> Iterator[Repository]:
        for item in self._client.values(self._base, "git/repositories", {}):
            found = self._repository(item)
            if found is not None:
                yield found

    def repository(self, name: str) -> Repository | None:
        organization, _, rest = name.partition("/")
        project, _, repository = rest.partition("/")
        mine = self._project is None or self._project.lower() == project.lower()
        if organization.lower() != self._organization.lower() or not mine or not repository:
            return None
        base = self._client.web(self._organization, project)
        answer = self._client.get(base, f"git/repositories/{quote(repository, safe='')}", {})
        return None if answer.status == 404 else self._repository(answer.checked(name).json())

    def listing(self, repository: Repository, branch: str, kept: Mapping[str, Any]) -> Listing | None:
        where = f"git/repositories/{quote(repository.key)}"
        # The filter matches beginnings of names.
        refs = self._client.values(self._base, f"{where}/refs", {"filter": f"heads/{branch}"})
        commit = next((str(one.get("objectId")) for one in refs if one.get("name") == HEAD + branch), None)
        if commit is None:
            raise NotFoundError(f"{repository.name} has no branch {branch}", code="azure.no_branch")
        if commit == kept.get("commit"):
            return None
        items = self._client.values(self._base, f"{where}/items", {"recursionLevel": "full", **_at(commit, "commit")})
        files = {
            str(one["path"]).lstrip("/"): Entry(str(one.get("objectId") or commit))
            for one in items
            if one.get("gitObjectType") == "blob" and one.get("path")
        }
        return Listing(commit, files if len(files) <= MOST_FILES else None)

    def content(self, repository: Repository, commit: str, path: str, entry: Entry | None, limit: int) -> bytes:
        return content(self._client, self._base, repository.key, _at(commit, "commit"), path, limit)

    def place(self, repository: Repository, branch: str, path: str) -> str:
        organization, project, name = repository.name.split("/", 2)
        web = self._client.web(organization, project, "_git", name)
        return f"{web}?path=/{quote(path)}&version=GB{quote(branch)}"

    def _repository(self, item: Mapping[str, Any]) -> Repository | None:
        project, name = item.get("project"), item.get("name")
        if not isinstance(project, Mapping) or not name or not item.get("id") or item.get("isDisabled"):
            return None
        branch = str(item.get("defaultBranch") or "").removeprefix(HEAD)
        return Repository(
            name=f"{self._organization}/{project.get('name')}/{name}",
            key=str(item["id"]),
            default_branch=branch,
            fork=bool(item.get("isFork")),
            empty=not branch,
        )


def content(client: AzureClient, base: str, key: str, at: Mapping[str, str], path: str, limit: int) -> bytes:
    """A file of the repository `key`. NotFoundError, TooLargeError."""
    from taxiway.plugin.outgoing import Limits

    query = {"path": f"/{path}", **at, "$format": "octetStream"}
    where = f"git/repositories/{quote(key, safe='')}/items"
    return client.get(base, where, query, limits=Limits(body_bytes=limit), raw=True).checked(path).body


def _at(version: str, kind: str) -> dict[str, str]:
    return {"versionDescriptor.version": version, "versionDescriptor.versionType": kind}


def _password(header: str) -> str:
    kind, _, value = header.partition(" ")
    try:
        found = base64.b64decode(value, validate=True) if kind.lower() == "basic" else b""
    except (binascii.Error, ValueError):
        return ""
    return found.partition(b":")[2].decode("utf-8", "replace")
