"""What actions on Bitbucket have in common: the repository that a step means, on either kind of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from taxiway.model.errors import InputError
from taxiway.plugin import PluginContext, StepContext
from taxiway.plugin.actions import NameTaken
from taxiway.plugin.forging.branches import Branch
from taxiway.plugin.forging.making import RepositoryState, action_client
from taxiway.plugin.forging.new_repositories import ANOTHER
from taxiway.plugin.forging.repo_urls import RepoUrl, parse_repo_url
from taxiway.plugin.forging.smart_http import GitRemote
from taxiway.plugins.bitbucket.client import BitbucketClient, BitbucketClients

Values = Mapping[str, Any]
REPO_URL_CLOUD = "<host>?workspace=…&project=…&repo=…"
REPO_URL_OWN = "<host>?project=…&repo=…"
AS_WHOM = "A token to use instead of that of the settings"


@dataclass(frozen=True)
class Repo:
    """A repository. `owner` is its workspace on Cloud, and the key of its project on a Data Center; a new one gets
    `title` and `project`."""

    client: BitbucketClient
    host: str
    owner: str
    slug: str
    title: str = ""
    project: str = ""

    @property
    def is_cloud(self) -> bool:
        return self.client.settings.is_cloud

    @property
    def name(self) -> str:
        """Its full name."""
        return f"{self.owner}/{self.slug}"

    @property
    def place(self) -> str:
        """Its name in the inventory."""
        return f"{self.host}/{self.name}"

    @property
    def data(self) -> dict[str, str]:
        """What the inventory holds of it, for `Bitbucket.own`."""
        return {"host": self.host, "owner": self.owner, "slug": self.slug}

    def path(self, more: str = "") -> str:
        """A path of the API below the repository."""
        owner, slug = quote(self.owner, safe="~"), quote(self.slug, safe="")
        base = f"repositories/{owner}/{slug}" if self.is_cloud else f"projects/{owner}/repos/{slug}"
        return f"{base}/{more}".rstrip("/")

    @property
    def remote(self) -> GitRemote:
        """Its git."""
        path = f"{quote(self.owner, safe='~')}/{quote(self.slug, safe='')}.git"
        return self.client.remote(path if self.is_cloud else f"scm/{path}")

    def find(self) -> Values | None:
        """What the API tells of it, or None."""
        answer = self.client.get(self.path())
        return None if answer.status == 404 else self.client.one(answer)

    def read(self) -> Values:
        """What the API tells of it. NotFoundError."""
        return self.client.one(self.client.get(self.path()).checked(f"the repository {self.place}"))

    def send(self, method: str, more: str, body: Any = None) -> Values:
        """Call, and give the object that it answers with."""
        answer = self.client.send(method, self.path(more), body)
        return self.client.one(answer.checked(f"{method} {self.place} {more}"))

    def default_branch(self) -> str:
        """Its main branch. InputError when there is none yet."""
        if self.is_cloud:
            main = self.read().get("mainbranch")
            found = main.get("name") if isinstance(main, dict) else None
        else:
            answer = self.client.get(self.path("default-branch"))
            found = None if answer.status in (204, 404) else self.client.one(answer).get("displayId")
        if not found:
            raise InputError(f"{self.place} has no main branch: say targetBranch", code="bitbucket.no_branch")
        return str(found)

    def branch(self, name: str) -> Branch:
        return Branch(self.place, name, self.remote, self.data)


@dataclass(frozen=True)
class Bitbucket:
    """What an action is made of: the plugin's host side and its clients."""

    ctx: PluginContext
    clients: BitbucketClients

    def repo(self, step: StepContext, values: Values, *, cloud: bool | None = None) -> Repo:
        """The repository of a step, with its credential. `cloud` is the kind that the action is for; None: either.
        InputError when the host is of the other kind, or the repoUrl lacks a part."""
        url = parse_repo_url(values["repoUrl"])
        client: BitbucketClient = action_client(self.clients, step, url.host, values.get("token"))
        is_cloud = client.settings.is_cloud
        if cloud is not None and cloud != is_cloud:
            kind = "Bitbucket Cloud" if is_cloud else "a Bitbucket Data Center"
            raise InputError(f"{url.host} is {kind}: use the action for that", code="bitbucket.other_kind")
        return self._repo(client, values["repoUrl"], is_cloud)

    def own(self, data: Values) -> Repo:
        """The repository of an entry of the inventory, with the credential in the settings: what undo uses."""
        return Repo(self.clients.of(data["host"]), data["host"], data["owner"], data["slug"])

    def remote(self, data: Values) -> GitRemote:
        """Its git."""
        return self.own(data).remote

    def names(self, values: Values) -> list[NameTaken]:
        """The name of a repository for a plan, looked for with the credential in the settings."""
        client = self.clients.of(parse_repo_url(values["repoUrl"]).host)
        repo = self._repo(client, values["repoUrl"], client.settings.is_cloud)
        return [("repository", repo.place, repo.find() is not None)]

    def _repo(self, client: BitbucketClient, text: str, is_cloud: bool) -> Repo:
        url: RepoUrl = parse_repo_url(text, *(("workspace", "project", "repo") if is_cloud else ("project", "repo")))
        owner = url.workspace if is_cloud else url.project
        # A Data Center makes the slug out of the name itself.
        slug = url.repo if is_cloud else re.sub(r"[^a-z0-9_.-]+", "-", url.repo.lower())
        return Repo(client, url.host, owner, slug, url.repo, url.project)


@dataclass(frozen=True)
class Hosted:
    """Repositories as undo sees them, with the credential in the settings. Cloud has no archive."""

    bitbucket: Bitbucket

    def state(self, data: Values) -> RepositoryState | None:
        repo = self.bitbucket.own(data)
        found = repo.find()
        if found is None:
            return None
        # A Data Center does not tell when a repository was made: that of this run is known by its id.
        is_another = "id" in data and str(found["id"]) != data["id"]
        at = str(found["created_on"]) if repo.is_cloud else ANOTHER if is_another else ""
        is_archived = bool(found.get("archived"))
        name = f"{repo.owner}/{found.get('slug') or repo.slug}"
        return RepositoryState(name, at, repo.remote.heads(reading=True), is_archived)

    def archive(self, data: Values) -> None:
        repo = self.bitbucket.own(data)
        if not repo.is_cloud:
            repo.send("PUT", "", {"archived": True})

    def remove(self, data: Values) -> None:
        repo = self.bitbucket.own(data)
        answer = repo.client.send("DELETE", repo.path())
        if answer.status != 404:
            answer.checked(f"the repository {repo.place}")
