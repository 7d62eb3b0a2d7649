"""What actions on GitHub have in common: the repository that a step means, calls to it, and warnings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import quote

from taxiway.model.errors import InputError, NotFoundError, TaxiwayError
from taxiway.plugin import PluginContext, StepContext
from taxiway.plugin.forging.making import PushedCommits, action_client, no_credential
from taxiway.plugin.forging.repo_urls import RepoUrl, parse_repo_url
from taxiway.plugin.forging.smart_http import GitRemote
from taxiway.plugin.outgoing import Answer
from taxiway.plugins.github.client import GitHubClient, GitHubClients

NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
SOON_SECONDS = (0.5, 1.0, 2.0, 4.0)
"""GitHub needs a moment until what was just made can be found everywhere."""
EMPTY = "Git Repository is empty"
Values = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Repo:
    """A repository on a GitHub, with the credential of a step. Paths are those below `repos/<owner>/<repo>/`."""

    client: GitHubClient
    place: RepoUrl

    @property
    def owner(self) -> str:
        return self.place.owner

    @property
    def name(self) -> str:
        """Its full name."""
        return f"{self.place.owner}/{self.place.repo}"

    @property
    def data(self) -> dict[str, Any]:
        """What the inventory holds of it, for `GitHub.own`."""
        return {"host": self.place.host, "name": self.name}

    def path(self, path: str = "") -> str:
        return f"repos/{self.name}/{path}".rstrip("/")

    def send(self, method: str, path: str, body: Any = None, *, idempotent: bool | None = None) -> Any:
        """Call, and give what the answer holds; None when it is empty. An error names the call."""
        answer = self.client.send(method, self.path(path), body, owner=self.owner, idempotent=idempotent)
        return _content(answer.checked(f"{method} {self.client.settings.host} {self.path(path)}"))

    def find(self, path: str = "") -> Any:
        """What is at a path, or None."""
        answer = self.client.get(self.path(path), owner=self.owner)
        return None if answer.status == 404 else _content(answer.checked(f"{self.place} {path}".strip()))

    def read(self, path: str = "") -> Any:
        """What is at a path. NotFoundError."""
        return _content(self.client.get(self.path(path), owner=self.owner).checked(f"{self.place} {path}".strip()))

    def remove(self, path: str) -> None:
        """Delete what is at a path; nothing happens when it is gone."""
        answer = self.client.send("DELETE", self.path(path), owner=self.owner)
        if answer.status != 404:
            answer.checked(f"DELETE {self.place} {path}")

    def pages(self, path: str) -> Iterator[Any]:
        """Every item of a list."""
        sign = "&" if "?" in path else "?"
        return self.client.pages(f"{self.path(path)}{sign}per_page=100", owner=self.owner)

    def elsewhere(self, path: str) -> Any:
        """GET of a path of the API that is not below the repository."""
        return _content(self.client.get(path, owner=self.owner).checked(path))

    @cached_property
    def remote(self) -> GitRemote:
        """Its git."""
        return self.client.remote(self.name)


@dataclass(frozen=True)
class GitHub:
    """What an action is made of: the plugin's host side and its clients."""

    ctx: PluginContext
    clients: GitHubClients

    @property
    def pushed(self) -> PushedCommits:
        """The commits that this installation pushed."""
        return PushedCommits(self.ctx.records)

    def repo(self, step: StepContext, values: Values) -> Repo:
        """The repository of a step, with its credential: the step's token, else the one in the settings. In a dry run
        no credential is looked for."""
        place = checked_place(values["repoUrl"])
        client: GitHubClient = action_client(self.clients, step, place.host, values.get("token"))
        if not step.is_dry_run and client.token(place.owner) is None:
            raise no_credential("github", place.host)
        return Repo(client, place)

    def own(self, data: Values) -> Repo:
        """The repository of an entry of the inventory, with the credential in the settings: what plans and undo use."""
        owner, _, name = str(data["name"]).partition("/")
        client = self.clients.of(str(data["host"]))
        if client.token(owner) is None:
            raise InputError(
                f"there is no credential for {data['host']} in plugins.github.hosts, which plans and undo use: set one",
                code="github.credential",
            )
        return Repo(client, RepoUrl(str(data["host"]), owner, name))


def checked_place(repo_url: str) -> RepoUrl:
    """The repository that a `repoUrl` means. InputError for names that GitHub does not have."""
    place = parse_repo_url(repo_url, "owner", "repo")
    for part in (place.owner, place.repo):
        if not NAME.fullmatch(part) or part in (".", ".."):
            raise InputError(
                f"'{part}' is no name on GitHub: use letters, digits, '-', '_' and '.'", code="github.name"
            )
    return place


def quoted(text: str) -> str:
    """A name as one segment of a path."""
    return quote(text, safe="")


def ref_path(branch: str, what: str = "ref") -> str:
    """The path of a branch in GitHub's git API: `ref` to read it, `refs` to change it."""
    return f"git/{what}/{quoted(f'heads/{branch}')}"


def soon(ctx: StepContext, call: Callable[[], T]) -> T:
    """`call`, again after a moment while what was just made is not found yet, or is still empty."""
    for seconds in SOON_SECONDS:
        try:
            return call()
        except TaxiwayError as error:
            is_too_early = isinstance(error, NotFoundError) or EMPTY in error.detail
            if not is_too_early or ctx.cancelled.wait(seconds):
                raise
    return call()


def warned(ctx: StepContext, what: str, call: Callable[[], object]) -> None:
    """`call`, whose failure is a warning in the log, as in Backstage; what can be tried again is raised."""
    try:
        call()
    except TaxiwayError as error:
        if error.retryable:
            raise
        ctx.log(f"Skipping {what}: {error.detail}", "stderr")


def given(**values: Any) -> dict[str, Any]:
    """The values that are there: GitHub takes what is left out as its default, and null as something else."""
    return {name: value for name, value in values.items() if value is not None}


def _content(answer: Answer) -> Any:
    return answer.json() if answer.body.strip() else None
