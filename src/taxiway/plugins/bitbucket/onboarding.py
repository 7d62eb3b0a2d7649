"""Bitbucket's repositories that may be given a first descriptor: who committed, and the pull request that brings it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from taxiway.model.errors import UnavailableError
from taxiway.plugin.forging.onboarding import COMMITS, NewFile, OnboardingApi
from taxiway.plugin.forging.reading import Repository
from taxiway.plugins.bitbucket.apis import HEAD, CloudApi, DataCenterApi

if TYPE_CHECKING:
    from taxiway.plugins.bitbucket.client import BitbucketClient

MAIL = re.compile(r"<([^<>]*)>\s*$")


def onboarding_of(client: BitbucketClient, workspace: str) -> OnboardingApi:
    """The calls for a workspace of Cloud, or a project of a Data Center."""
    kind = CloudOnboarding if client.settings.is_cloud else DataCenterOnboarding
    return kind(client, workspace)


class CloudOnboarding(CloudApi):
    """A workspace of Bitbucket Cloud."""

    def authors(self, repository: Repository, branch: str) -> Sequence[str]:
        found = self._one(f"{_cloud(repository)}/commits/{quote(branch, safe='')}", {"pagelen": COMMITS})
        raw = [str((one.get("author") or {}).get("raw") or "") for one in found.get("values") or []]
        return [match[1] for match in map(MAIL.search, raw) if match]

    def proposal(self, repository: Repository, branch: str) -> str | None:
        states = " OR ".join(f'state="{state}"' for state in ("OPEN", "MERGED", "DECLINED", "SUPERSEDED"))
        query = {"q": f'source.branch.name="{branch}" AND ({states})'}
        found = self._one(f"{_cloud(repository)}/pullrequests", query).get("values")
        return str(found[0]["links"]["html"]["href"]) if found else None

    def add_file(self, repository: Repository, file: NewFile) -> None:
        base = f"{_cloud(repository)}/refs/branches"
        if self._client.get(f"{base}/{quote(file.branch, safe='')}").status == 200:
            return  # it comes into being with its only commit
        parent = self._one(f"{base}/{quote(file.base, safe='')}", {})["target"]["hash"]
        fields = {"message": file.title, "branch": file.branch, "parents": parent, f"/{file.path}": file.content}
        answer = self._client.send_form("POST", f"{_cloud(repository)}/src", fields)
        answer.checked(f"the branch {file.branch} of {repository.name}")

    def open_proposal(self, repository: Repository, file: NewFile) -> str:
        body = {
            "title": file.title,
            "description": file.body,
            "source": {"branch": {"name": file.branch}},
            "destination": {"branch": {"name": file.base}},
            "close_source_branch": True,
        }
        answer = self._client.send("POST", f"{_cloud(repository)}/pullrequests", body)
        return str(answer.checked(f"a pull request in {repository.name}").json()["links"]["html"]["href"])

    def _one(self, path: str, query: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._client.one(self._client.get(path, query))


class DataCenterOnboarding(DataCenterApi):
    """A project of a Bitbucket Data Center."""

    def authors(self, repository: Repository, branch: str) -> Sequence[str]:
        query = {"until": HEAD + branch, "limit": COMMITS}
        found = self._client.one(self._client.get(f"{repository.key}/commits", query)).get("values") or []
        return [str((one.get("author") or {}).get("emailAddress") or "") for one in found]

    def proposal(self, repository: Repository, branch: str) -> str | None:
        query = {"at": HEAD + branch, "direction": "OUTGOING", "state": "ALL", "limit": 1}
        found = self._client.one(self._client.get(f"{repository.key}/pull-requests", query)).get("values")
        return _link(found[0]) if found else None

    def add_file(self, repository: Repository, file: NewFile) -> None:
        query = {"filterText": file.branch, "limit": 100}
        answer = self._client.one(self._client.get(f"{repository.key}/branches", query))
        if any(one.get("id") == HEAD + file.branch for one in answer.get("values") or []):
            return  # it comes into being with its only commit
        fields: dict[str, str | bytes] = {
            "content": file.content,
            "message": file.title,
            "branch": file.branch,
            "sourceBranch": file.base,
        }
        made = self._client.send_form("PUT", f"{repository.key}/browse/{quote(file.path)}", fields)
        made.checked(f"the branch {file.branch} of {repository.name}")

    def open_proposal(self, repository: Repository, file: NewFile) -> str:
        project, _, slug = repository.name.partition("/")
        place = {"slug": slug, "project": {"key": project}}
        body = {
            "title": file.title,
            "description": file.body,
            "fromRef": {"id": HEAD + file.branch, "repository": place},
            "toRef": {"id": HEAD + file.base, "repository": place},
        }
        answer = self._client.send("POST", f"{repository.key}/pull-requests", body)
        return _link(answer.checked(f"a pull request in {repository.name}").json())


def _cloud(repository: Repository) -> str:
    return f"repositories/{repository.key}"


def _link(pull: Mapping[str, Any]) -> str:
    links = (pull.get("links") or {}).get("self") or []
    if not links:
        raise UnavailableError("it did not say where the pull request is: look for it there", code="bitbucket.answer")
    return str(links[0]["href"])
