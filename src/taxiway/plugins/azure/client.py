"""Calls of Azure DevOps' REST API: repositories, heads, trees and files. Loaded when a source is read."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from taxiway.model.errors import UnavailableError
from taxiway.plugin import MAX_SOURCE_FILE
from taxiway.plugin.outgoing import Answer, Hosts, Limits, Outgoing
from taxiway.plugins.azure.settings import AzureOptions

VERSION = "7.0"
MOST_FILES = 200_000


@dataclass(frozen=True)
class Repository:
    """A repository; `web` is where people see it, `branch` is empty when nothing was pushed."""

    id: str
    name: str
    project: str
    web: str
    branch: str


class Client:
    """One organisation. Close it when done."""

    def __init__(self, options: AzureOptions, token: str) -> None:
        self._base = options.url.rstrip("/")
        credential = base64.b64encode(f":{token}".encode()).decode()
        self._outgoing = Outgoing(
            hosts=Hosts([urlsplit(options.url).netloc], only=True),
            # Without the second one, a token that is not accepted leads to a page to sign in.
            headers={"authorization": f"Basic {credential}", "x-tfs-fedauthredirect": "Suppress"},
            limits=Limits(body_bytes=100_000_000),
        )

    def close(self) -> None:
        """Close every connection."""
        self._outgoing.close()

    def repositories(self) -> Iterator[Repository]:
        """Every repository that is not switched off."""
        for item in self._values("git/repositories"):
            project = item.get("project")
            name, identifier = item.get("name"), item.get("id")
            if item.get("isDisabled") or not isinstance(project, Mapping) or not name or not identifier:
                continue
            branch = str(item.get("defaultBranch") or "").removeprefix("refs/heads/")
            web = str(item.get("webUrl") or f"{self._base}/{quote(str(project['name']))}/_git/{quote(str(name))}")
            yield Repository(str(identifier), str(name), str(project["name"]), web, branch)

    def head(self, repository: Repository, branch: str) -> str | None:
        """The commit of a branch, or None when there is no such branch."""
        # The filter matches beginnings of names.
        found = self._values(f"git/repositories/{quote(repository.id)}/refs", filter=f"heads/{branch}")
        wanted = f"refs/heads/{branch}"
        return next((str(item["objectId"]) for item in found if item.get("name") == wanted), None)

    def files(self, repository: Repository, commit: str) -> Sequence[str]:
        """The paths of all files at a commit, in order."""
        items = self._values(f"git/repositories/{quote(repository.id)}/items", recursionLevel="Full", **_at(commit))
        if len(items) > MOST_FILES:
            raise UnavailableError(f"{repository.name} has more than {MOST_FILES} files: leave it out")
        return sorted(str(item["path"]).lstrip("/") for item in items if item.get("gitObjectType") == "blob")

    def file(self, repository: Repository, commit: str, path: str) -> bytes:
        """A file at a commit."""
        query = {"path": f"/{path}", **_at(commit), "api-version": VERSION, "$format": "octetStream"}
        url = f"{self._base}/_apis/git/repositories/{quote(repository.id)}/items?{urlencode(query)}"
        headers = {"accept": "application/octet-stream"}
        answer = self._outgoing.get(url, headers=headers, limits=Limits(body_bytes=MAX_SOURCE_FILE))
        return _signed_in(answer).checked(f"{path} in {repository.name}").body

    def _values(self, path: str, **query: str) -> list[Mapping[str, Any]]:
        url = f"{self._base}/_apis/{path}?{urlencode({**query, 'api-version': VERSION})}"
        answer = _signed_in(self._outgoing.get(url)).checked(f"{self._base}/_apis/{path}")
        body = answer.json()
        found = body.get("value") if isinstance(body, dict) else None
        if not isinstance(found, list):
            raise UnavailableError(
                f"{self._base} did not answer as Azure DevOps does: give the address of an organisation",
                code="azure.answer",
            )
        return [item for item in found if isinstance(item, dict)]


def _at(commit: str) -> dict[str, str]:
    return {"versionDescriptor.version": commit, "versionDescriptor.versionType": "commit"}


def _signed_in(answer: Answer) -> Answer:
    # A token that ran out is told of with a status of success.
    if answer.status == 203:
        return Answer(401, answer.headers, b"", answer.url)
    return answer
