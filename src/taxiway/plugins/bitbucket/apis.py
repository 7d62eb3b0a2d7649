"""The calls that reading needs, for both kinds of Bitbucket: Cloud's API 2.0 and Data Center's 1.0."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from taxiway.model.errors import NotFoundError
from taxiway.plugin.forging import Entry, ForgeApi, Listing, Repository, settled

if TYPE_CHECKING:
    from taxiway.plugins.bitbucket.client import BitbucketClient

DEEPEST = 10
"""Folders below each other that Cloud's tree is read into."""
HEAD = "refs/heads/"


def api_of(client: BitbucketClient, workspace: str) -> ForgeApi:
    """The calls for a workspace of Cloud, or a project of a Data Center."""
    return CloudApi(client, workspace) if client.settings.is_cloud else DataCenterApi(client, workspace)


class CloudApi:
    """A workspace of Bitbucket Cloud."""

    def __init__(self, client: BitbucketClient, workspace: str) -> None:
        self._client, self._workspace = client, workspace

    def repositories(self) -> Iterator[Repository]:
        for item in self._client.values(f"repositories/{self._workspace}", {"pagelen": 100}):
            if isinstance(item, dict) and isinstance(item.get("full_name"), str):
                yield self._repository(item)

    def repository(self, name: str) -> Repository | None:
        workspace, _, slug = name.partition("/")
        if workspace.lower() != self._workspace.lower() or not slug:
            return None
        answer = self._client.get(f"repositories/{self._workspace}/{quote(slug, safe='')}")
        return None if answer.status == 404 else self._repository(self._client.one(answer))

    def listing(self, repository: Repository, branch: str, kept: Mapping[str, Any]) -> Listing | None:
        answer = self._client.get(f"repositories/{repository.key}/refs/branches/{quote(branch, safe='')}")
        if answer.status == 404:
            raise NotFoundError(f"{repository.name} has no branch {branch}", code="bitbucket.no_branch")
        target = self._client.one(answer).get("target")
        commit = str(target.get("hash") or "") if isinstance(target, dict) else ""
        if commit and commit == kept.get("commit"):
            return None
        query = {
            "pagelen": 100,
            "max_depth": DEEPEST,
            "q": 'type="commit_file"',
            "fields": "values.path,values.size,next",
        }
        found = self._client.values(f"repositories/{repository.key}/src/{commit}/", query)
        return Listing(commit, _entries(found, commit))

    def content(self, repository: Repository, commit: str, path: str, entry: Entry | None, limit: int) -> bytes:
        return content(self._client, f"repositories/{repository.key}/src/{commit}/{quote(path)}", None, path, limit)

    def place(self, repository: Repository, branch: str, path: str) -> str:
        return f"{self._client.web}/{repository.name}/src/{quote(branch, safe='')}/{quote(path)}"

    def _repository(self, item: Mapping[str, Any]) -> Repository:
        main = item.get("mainbranch")
        branch = str(main.get("name") or "") if isinstance(main, dict) else ""
        name = f"{self._workspace}/{str(item['full_name']).partition('/')[2]}"
        mark = settled(str(item.get("updated_on") or ""), self._client.ctx.clock)
        return Repository(name, name, branch, fork=bool(item.get("parent")), empty=not branch, mark=mark)


class DataCenterApi:
    """A project of a Bitbucket Data Center."""

    def __init__(self, client: BitbucketClient, project: str) -> None:
        self._client, self._project = client, project

    def repositories(self) -> Iterator[Repository]:
        for item in self._client.values(f"projects/{quote(self._project)}/repos", {"limit": 100}):
            if isinstance(item, dict) and isinstance(item.get("slug"), str):
                yield self._repository(item)

    def repository(self, name: str) -> Repository | None:
        project, _, slug = name.partition("/")
        if project.lower() != self._project.lower() or not slug:
            return None
        answer = self._client.get(f"projects/{quote(self._project)}/repos/{quote(slug, safe='')}")
        return None if answer.status == 404 else self._repository(self._client.one(answer))

    def listing(self, repository: Repository, branch: str, kept: Mapping[str, Any]) -> Listing | None:
        query = {"filterText": branch.removeprefix(HEAD), "boostMatches": "true", "limit": 100}
        found = (one for one in self._client.values(f"{repository.key}/branches", query) if isinstance(one, dict))
        commit = next((str(one["latestCommit"]) for one in found if _is_branch(one, branch)), None)
        if commit is None:
            raise NotFoundError(f"{repository.name} has no branch {branch}", code="bitbucket.no_branch")
        if commit == kept.get("commit"):
            return None
        paths = self._client.values(f"{repository.key}/files", {"at": commit, "limit": 1000})
        return Listing(commit, {path: Entry(commit) for path in paths if isinstance(path, str)})

    def content(self, repository: Repository, commit: str, path: str, entry: Entry | None, limit: int) -> bytes:
        return content(self._client, f"{repository.key}/raw/{quote(path)}", {"at": commit}, path, limit)

    def place(self, repository: Repository, branch: str, path: str) -> str:
        where = f"{self._client.web}/{repository.key}/browse/{quote(path)}"
        return f"{where}?at={quote(branch if branch.startswith('refs/') else HEAD + branch, safe='')}"

    def _repository(self, item: Mapping[str, Any]) -> Repository:
        key = f"projects/{quote(self._project)}/repos/{quote(item['slug'])}"
        answer = self._client.get(f"{key}/default-branch")
        # Nothing was pushed yet, or the branch that was named is not there.
        branch = "" if answer.status in (204, 404) else str(self._client.one(answer).get("displayId") or "")
        return Repository(
            f"{self._project}/{item['slug']}",
            key,
            branch,
            archived=bool(item.get("archived")),
            fork=bool(item.get("origin")),
            empty=not branch,
        )


def content(client: BitbucketClient, where: str, query: Mapping[str, Any] | None, path: str, limit: int) -> bytes:
    """A file. NotFoundError, TooLargeError."""
    from taxiway.plugin.outgoing import Limits

    return client.get(where, query, limits=Limits(body_bytes=limit)).checked(path).body


def _entries(items: Iterator[Any], commit: str) -> dict[str, Entry]:
    # Neither kind tells a hash of each file: what was read counts as changed with every push.
    found = (item for item in items if isinstance(item, dict) and isinstance(item.get("path"), str))
    return {item["path"]: Entry(commit, item["size"] if isinstance(item.get("size"), int) else None) for item in found}


def _is_branch(item: Mapping[str, Any], branch: str) -> bool:
    return bool(item.get("latestCommit")) and item.get("id") in (branch, HEAD + branch)
