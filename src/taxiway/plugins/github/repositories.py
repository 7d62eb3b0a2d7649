"""GitHub's repositories for the catalog: calls, and the source `github` that is made of them."""

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
from taxiway.plugins.github.settings import PUBLIC

if TYPE_CHECKING:
    from taxiway.plugins.github.client import GitHubClient, GitHubClients

DESCRIBING = frozenset(
    {"created", "deleted", "archived", "unarchived", "renamed", "transferred", "edited", "publicized"}
)


class GitHubOptions(ForgeSourceOptions):
    """What of a GitHub is read."""

    host: str = Field(PUBLIC, description="which GitHub of plugins.github.hosts")
    org: str = Field(pattern=r"^[A-Za-z0-9_.-]+$", description="organisation or user whose repositories are read")


@dataclass
class GitHubSource:
    """The source type `github`."""

    ctx: PluginContext
    clients: GitHubClients
    key: str = "github"
    options: type[GitHubOptions] = GitHubOptions

    def read(self, request: SourceRequest) -> Iterator[SourceItem]:
        api = GitHubApi(self.clients.of(request.options.host), request.options.org)
        return read_repositories(request, api)

    def hosting(self, name: str, options: Any, kept: Callable[[str], str | None]) -> RepositorySource:
        from taxiway.plugin.forging.onboarding import ForgeRepositories
        from taxiway.plugins.github.onboarding import GitHubOnboarding

        return ForgeRepositories(name, GitHubOnboarding(self.clients.of(options.host), options.org), options, kept)

    def receive(self, request: HookRequest) -> Sequence[Mapping[str, Any]]:
        options: GitHubOptions = request.options
        secret = hook_secret(options, self.ctx.secrets)
        check_hmac(secret, request.body, request.headers.get("x-hub-signature-256"))
        payload = payload_of(request.body)
        return hints_of(request.headers.get("x-github-event", ""), payload, options)


def hints_of(event: str, payload: Mapping[str, Any], options: GitHubOptions) -> list[Mapping[str, Any]]:
    """What a webhook touches: the repository that was pushed to or changed, under its old name and owner too."""
    repository = payload.get("repository")
    if not isinstance(repository, Mapping) or not isinstance(repository.get("full_name"), str):
        return []
    full: str = repository["full_name"]
    names = []
    if event == "push":
        branch = options.branch or repository.get("default_branch")
        names = [full] if payload.get("ref") == f"refs/heads/{branch}" else []
    elif event == "repository" and payload.get("action") in DESCRIBING:
        names = list(dict.fromkeys([full, _before(full, payload.get("changes"))]))
    return [{"repository": one} for one in names if one.partition("/")[0].lower() == options.org.lower()]


def _before(full: str, changes: Any) -> str:
    """What a repository was called before it was renamed or transferred."""
    owner, _, name = full.partition("/")
    by = _at(changes, "owner", "from", "user", "login") or _at(changes, "owner", "from", "organization", "login")
    return f"{by or owner}/{_at(changes, 'repository', 'name', 'from') or name}"


def _at(value: Any, *keys: str) -> str:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""


class GitHubApi:
    """The calls that reading needs, for one organisation."""

    def __init__(self, client: GitHubClient, org: str) -> None:
        self._client, self._org = client, org

    def repositories(self) -> Iterator[Repository]:
        path = f"orgs/{self._org}/repos?per_page=100&type=all&sort=full_name"
        first = self._client.get(f"orgs/{self._org}", owner=self._org)
        if first.status == 404:
            path = f"users/{self._org}/repos?per_page=100&type=owner&sort=full_name"
        else:
            first.checked(f"the organisation {self._org} on {self._client.settings.host}")
        for item in self._client.pages(path, owner=self._org):
            yield self._repository(item)

    def repository(self, name: str) -> Repository | None:
        answer = self._client.get(f"repos/{name}", owner=self._org)
        if answer.status in (404, 451):
            return None
        found = self._repository(answer.checked().json())
        return found if found.name.partition("/")[0].lower() == self._org.lower() else None

    def listing(self, repository: Repository, branch: str, kept: Mapping[str, Any]) -> Listing | None:
        path = f"repos/{repository.name}/git/trees/{quote(branch, safe='')}?recursive=1"
        answer = self._client.get(path, owner=self._org, etag=kept.get("etag"))
        if answer.status in (404, 409, 451):  # no such branch, an empty repository, taken down
            raise NotFoundError(f"{repository.name} has no branch {branch}", code="github.no_branch")
        if answer.unchanged:
            return None
        found = answer.checked(repository.name).json()
        if found.get("truncated"):
            return Listing(branch, None, answer.etag)
        entries = {
            item["path"]: Entry(item["sha"], item.get("size")) for item in found["tree"] if item["type"] == "blob"
        }
        return Listing(str(found["sha"]), entries, answer.etag)

    def content(self, repository: Repository, commit: str, path: str, entry: Entry | None, limit: int) -> bytes:
        return content(self._client, repository.name, commit, path, entry, limit)

    def place(self, repository: Repository, branch: str, path: str) -> str:
        return f"{self._client.web}/{repository.name}/blob/{quote(branch)}/{quote(path)}"

    def _repository(self, item: Mapping[str, Any]) -> Repository:
        pushed = str(item.get("pushed_at") or "")
        return Repository(
            name=item["full_name"],
            key=item["full_name"],
            default_branch=item.get("default_branch") or "",
            topics=item.get("topics") or (),
            archived=bool(item.get("archived")) or bool(item.get("disabled")),
            fork=bool(item.get("fork")),
            mark=settled(pushed, self._client.ctx.clock),
        )


def content(client: GitHubClient, name: str, ref: str, path: str, entry: Entry | None, limit: int) -> bytes:
    """A file, by its id where that is known."""
    from taxiway.plugin.outgoing import Limits
    from taxiway.plugins.github.client import RAW

    owner = name.partition("/")[0]
    where = f"git/blobs/{entry.id}" if entry else f"contents/{quote(path)}?ref={quote(ref, safe='')}"
    limits = Limits(body_bytes=limit)
    return client.get(f"repos/{name}/{where}", owner=owner, accept=RAW, limits=limits).checked(path).body
