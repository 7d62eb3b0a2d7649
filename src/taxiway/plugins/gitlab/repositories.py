"""GitLab's projects for the catalog: calls, and the source `gitlab` that is made of them.

GitLab lists files a hundred at a time, so a project is asked for its newest commit (one conditional call); only when
that is another one its files are asked for: by name where the settings name them, else from the listing.
"""

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
    check_token,
    hook_secret,
    payload_of,
    read_repositories,
)
from taxiway.plugin.forging.trees import is_pattern
from taxiway.plugins.gitlab.settings import PUBLIC

if TYPE_CHECKING:
    from taxiway.plugins.gitlab.client import GitLabClient, GitLabClients

MAX_LISTED = 100_000
"""Files of a project beyond which a listing is not read to its end."""
PROJECT_EVENTS = frozenset(
    {"project_create", "project_destroy", "project_rename", "project_transfer", "project_update"}
)


class GitLabOptions(ForgeSourceOptions):
    """What of a GitLab is read."""

    host: str = Field(PUBLIC, description="which GitLab of plugins.gitlab.hosts")
    group: str = Field(
        pattern=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", description="group whose projects are read, with its subgroups"
    )


@dataclass
class GitLabSource:
    """The source type `gitlab`."""

    ctx: PluginContext
    clients: GitLabClients
    key: str = "gitlab"
    options: type[GitLabOptions] = GitLabOptions

    def read(self, request: SourceRequest) -> Iterator[SourceItem]:
        api = GitLabApi(self.clients.of(request.options.host), request.options)
        return read_repositories(request, api)

    def hosting(self, name: str, options: Any, kept: Callable[[str], str | None]) -> RepositorySource:
        from taxiway.plugin.forging.onboarding import ForgeRepositories
        from taxiway.plugins.gitlab.onboarding import GitLabOnboarding

        listed = options.model_copy(update={"paths": ("**/*",)})  # every file is looked at, not only descriptors
        return ForgeRepositories(name, GitLabOnboarding(self.clients.of(options.host), listed), options, kept)

    def receive(self, request: HookRequest) -> Sequence[Mapping[str, Any]]:
        options: GitLabOptions = request.options
        secret = hook_secret(options, self.ctx.secrets)
        check_token(secret, request.headers.get("x-gitlab-token"))
        return hints_of(payload_of(request.body), options)


def hints_of(payload: Mapping[str, Any], options: GitLabOptions) -> list[Mapping[str, Any]]:
    """What a webhook of a project, a group or the whole system touches."""
    event = payload.get("object_kind") or payload.get("event_name")
    project = payload.get("project")
    names: list[Any] = []
    if event == "push" and isinstance(project, Mapping):
        branch = options.branch or project.get("default_branch")
        if payload.get("ref") == f"refs/heads/{branch}":
            names = [project.get("path_with_namespace")]
    elif event in PROJECT_EVENTS:
        names = [payload.get("path_with_namespace"), payload.get("old_path_with_namespace")]
    inside = f"{options.group}/".lower()
    return [{"repository": name} for name in names if isinstance(name, str) and name.lower().startswith(inside)]


class GitLabApi:
    """The calls that reading needs, for one group."""

    def __init__(self, client: GitLabClient, options: GitLabOptions) -> None:
        self._client, self._options = client, options

    def repositories(self) -> Iterator[Repository]:
        from taxiway.plugin.forging.clients import quoted

        archived = "" if self._options.archived else "&archived=false"
        path = f"groups/{quoted(self._options.group)}/projects?include_subgroups=true&with_shared=false&per_page=100"
        for item in self._client.pages(f"{path}&order_by=id&sort=asc{archived}"):
            yield _repository(item)

    def repository(self, name: str) -> Repository | None:
        from taxiway.plugin.forging.clients import quoted

        answer = self._client.get(f"projects/{quoted(name)}")
        if answer.status == 404:
            return None
        found = _repository(answer.checked(name).json())
        return found if found.name.lower().startswith(f"{self._options.group}/".lower()) else None

    def listing(self, repository: Repository, branch: str, kept: Mapping[str, Any]) -> Listing | None:
        path = f"projects/{repository.key}/repository/commits/{quote(branch, safe='')}"
        answer = self._client.get(path, etag=kept.get("etag"))
        if answer.status in (403, 404):  # no such branch, or the project has its repository switched off
            raise NotFoundError(f"{repository.name} has no branch {branch}", code="gitlab.no_branch")
        if answer.unchanged:
            return None
        commit = str(answer.checked(repository.name).json()["id"])
        if commit == kept.get("commit"):
            return None
        globs = any(is_pattern(path) for path in self._options.paths)
        return Listing(commit, files(self._client, repository.key, commit) if globs else None, answer.etag)

    def content(self, repository: Repository, commit: str, path: str, entry: Entry | None, limit: int) -> bytes:
        return content(self._client, repository.key, commit, path, limit)

    def place(self, repository: Repository, branch: str, path: str) -> str:
        return f"{self._client.web}/{repository.name}/-/blob/{quote(branch)}/{quote(path)}"


def files(client: GitLabClient, project: str, ref: str) -> Mapping[str, Entry] | None:
    """The files of a project; None when there are more than MAX_LISTED."""
    path = f"projects/{project}/repository/tree?recursive=true&per_page=100&pagination=keyset"
    found: dict[str, Entry] = {}
    for item in client.pages(f"{path}&ref={quote(ref, safe='')}"):
        if item["type"] == "blob":
            found[item["path"]] = Entry(item["id"])
        if len(found) > MAX_LISTED:
            return None
    return found


def content(client: GitLabClient, project: str, ref: str, path: str, limit: int) -> bytes:
    """A file. NotFoundError, TooLargeError."""
    from taxiway.plugin.forging.clients import quoted
    from taxiway.plugin.outgoing import Limits

    where = f"projects/{project}/repository/files/{quoted(path)}/raw?ref={quote(ref, safe='')}"
    return client.get(where, limits=Limits(body_bytes=limit)).checked(path).body


def _repository(item: Mapping[str, Any]) -> Repository:
    return Repository(
        name=item["path_with_namespace"],
        key=str(item["id"]),
        default_branch=item.get("default_branch") or "",
        topics=item.get("topics") or item.get("tag_list") or (),
        archived=bool(item.get("archived")),
        fork="forked_from_project" in item,
        empty=bool(item.get("empty_repo")) or item.get("repository_access_level") == "disabled",
    )
