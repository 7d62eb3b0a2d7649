"""Gitea's repositories for the catalog: calls, and the source `gitea` made of them. Forgejo has the same API."""

from __future__ import annotations

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
    check_hmac,
    hook_secret,
    payload_of,
    read_repositories,
    settled,
)

if TYPE_CHECKING:
    from taxiway.plugins.gitea.client import GiteaClient, GiteaClients

PER_PAGE = 1000
MOST_PAGES = 200


class GiteaOptions(ForgeSourceOptions):
    """What of a Gitea is read."""

    host: str = Field(description="which Gitea of plugins.gitea.hosts")
    org: str = Field(pattern=r"^[A-Za-z0-9_.-]+$", description="organisation or user whose repositories are read")


@dataclass
class GiteaSource:
    """The source type `gitea`."""

    ctx: PluginContext
    clients: GiteaClients
    key: str = "gitea"
    options: type[GiteaOptions] = GiteaOptions

    def read(self, request: SourceRequest) -> Iterator[SourceItem]:
        api = GiteaApi(self.clients.of(request.options.host), request.options.org)
        return read_repositories(request, api)

    def hosting(self, name: str, options: Any, kept: Callable[[str], str | None]) -> RepositorySource:
        from taxiway.plugin.forging.onboarding import ForgeRepositories
        from taxiway.plugins.gitea.onboarding import GiteaOnboarding

        return ForgeRepositories(name, GiteaOnboarding(self.clients.of(options.host), options.org), options, kept)

    def receive(self, request: HookRequest) -> Sequence[Mapping[str, Any]]:
        options: GiteaOptions = request.options
        secret = hook_secret(options, self.ctx.secrets)
        headers = request.headers
        check_hmac(secret, request.body, headers.get("x-gitea-signature") or headers.get("x-forgejo-signature"))
        event = headers.get("x-gitea-event") or headers.get("x-forgejo-event") or ""
        return hints_of(event, payload_of(request.body), options)


def hints_of(event: str, payload: Mapping[str, Any], options: GiteaOptions) -> list[Mapping[str, Any]]:
    """What a webhook touches: the repository that was pushed to, made or deleted."""
    repository = payload.get("repository")
    if not isinstance(repository, Mapping) or not isinstance(repository.get("full_name"), str):
        return []
    name: str = repository["full_name"]
    if name.partition("/")[0].lower() != options.org.lower():
        return []
    branch = options.branch or repository.get("default_branch")
    touched = event == "repository" or (event == "push" and payload.get("ref") == f"refs/heads/{branch}")
    return [{"repository": name}] if touched else []


class GiteaApi:
    """The calls that reading needs, for one organisation."""

    def __init__(self, client: GiteaClient, org: str) -> None:
        self._client, self._org = client, org

    def repositories(self) -> Iterator[Repository]:
        path = f"orgs/{self._org}/repos?limit=50"
        if self._client.get(f"orgs/{self._org}").status == 404:
            self._client.get(f"users/{self._org}").checked(f"{self._org} on {self._client.settings.host}")
            path = f"users/{self._org}/repos?limit=50"
        for item in self._client.pages(path):
            yield self._repository(item)

    def repository(self, name: str) -> Repository | None:
        answer = self._client.get(f"repos/{name}")
        if answer.status == 404:
            return None
        found = self._repository(answer.checked(name).json())
        return found if found.name.partition("/")[0].lower() == self._org.lower() else None

    def listing(self, repository: Repository, branch: str, kept: Mapping[str, Any]) -> Listing | None:
        entries: dict[str, Entry] = {}
        commit = ""
        for page in range(1, MOST_PAGES + 1):
            where = f"git/trees/{quote(branch, safe='')}?recursive=true&per_page={PER_PAGE}&page={page}"
            answer = self._client.get(f"repos/{repository.name}/{where}")
            if answer.status in (404, 409):
                raise NotFoundError(f"{repository.name} has no branch {branch}", code="gitea.no_branch")
            found = answer.checked(repository.name).json()
            commit = commit or str(found["sha"])
            if commit == kept.get("commit"):
                return None
            items = found.get("tree") or []
            entries.update((one["path"], Entry(one["sha"], one.get("size"))) for one in items if one["type"] == "blob")
            if not found.get("truncated") or not items:
                return Listing(commit, entries)
        return Listing(commit, None)

    def content(self, repository: Repository, commit: str, path: str, entry: Entry | None, limit: int) -> bytes:
        return content(self._client, repository.name, commit, path, limit)

    def place(self, repository: Repository, branch: str, path: str) -> str:
        return f"{self._client.web}/{repository.name}/src/branch/{quote(branch)}/{quote(path)}"

    def _repository(self, item: Mapping[str, Any]) -> Repository:
        changed = str(item.get("updated_at") or "")
        return Repository(
            name=item["full_name"],
            key=item["full_name"],
            default_branch=item.get("default_branch") or "",
            topics=item.get("topics") or (),
            archived=bool(item.get("archived")),
            fork=bool(item.get("fork")),
            empty=bool(item.get("empty")),
            mark=settled(changed, self._client.ctx.clock),
        )


def content(client: GiteaClient, name: str, ref: str, path: str, limit: int) -> bytes:
    """A file. NotFoundError, TooLargeError."""
    from taxiway.plugin.outgoing import Limits

    where = f"repos/{name}/raw/{quote(path)}?ref={quote(ref, safe='')}"
    return client.get(where, limits=Limits(body_bytes=limit)).checked(path).body
