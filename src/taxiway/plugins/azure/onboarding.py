"""Azure DevOps' repositories that may get a first descriptor: who committed, and the pull request that brings it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from taxiway.model.errors import ConflictError, NotFoundError
from taxiway.plugin.forging.onboarding import COMMITS, NewFile
from taxiway.plugin.forging.reading import Repository
from taxiway.plugins.azure.repositories import HEAD, AzureApi

NOTHING = "0" * 40


class AzureOnboarding(AzureApi):
    """An `OnboardingApi`."""

    def authors(self, repository: Repository, branch: str) -> Sequence[str]:
        query = {
            "searchCriteria.itemVersion.version": branch,
            "searchCriteria.itemVersion.versionType": "branch",
            "searchCriteria.$top": str(COMMITS),
        }
        found = self._client.values(self._base, f"{_where(repository)}/commits", query)
        return [str((one.get("author") or {}).get("email") or "") for one in found]

    def proposal(self, repository: Repository, branch: str) -> str | None:
        query = {"searchCriteria.sourceRefName": HEAD + branch, "searchCriteria.status": "all"}
        found = self._client.values(self._base, f"{_where(repository)}/pullrequests", query)
        return self._page(repository, found[0]) if found else None

    def add_file(self, repository: Repository, file: NewFile) -> None:
        head = self._head(repository, file.base)
        if head is None:
            raise NotFoundError(f"{repository.name} has no branch {file.base}", code="azure.no_branch")
        tip = self._head(repository, file.branch)
        if tip is None:
            made = [{"name": HEAD + file.branch, "oldObjectId": NOTHING, "newObjectId": head}]
            what = f"the branch {file.branch} of {repository.name}"
            (told,) = self._send(f"{_where(repository)}/refs", made, what).get("value") or [{}]
            if not told.get("success"):  # it is said within an answer of success
                raise ConflictError(
                    f"{what} was not made ({told.get('updateStatus')}): see what the account may do there",
                    code="azure.branch_refused",
                )
        if tip in (None, head):
            text = base64.b64encode(file.content).decode()
            content = {"content": text, "contentType": "base64Encoded"}
            change = {"changeType": "add", "item": {"path": f"/{file.path}"}, "newContent": content}
            push = {
                "refUpdates": [{"name": HEAD + file.branch, "oldObjectId": head}],
                "commits": [{"comment": file.title, "changes": [change]}],
            }
            self._send(f"{_where(repository)}/pushes", push, f"{file.path} of {repository.name}")

    def open_proposal(self, repository: Repository, file: NewFile) -> str:
        body = {
            "sourceRefName": HEAD + file.branch,
            "targetRefName": HEAD + file.base,
            "title": file.title,
            "description": file.body,
        }
        made = self._send(f"{_where(repository)}/pullrequests", body, f"a pull request in {repository.name}")
        return self._page(repository, made)

    def _head(self, repository: Repository, branch: str) -> str | None:
        refs = self._client.values(self._base, f"{_where(repository)}/refs", {"filter": f"heads/{branch}"})
        return next((str(one.get("objectId")) for one in refs if one.get("name") == HEAD + branch), None)

    def _send(self, path: str, body: Any, what: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._client.send("POST", self._base, path, body).checked(what).json()
        return found

    def _page(self, repository: Repository, made: Mapping[str, Any]) -> str:
        organization, project, name = repository.name.split("/", 2)
        return self._client.web(organization, project, "_git", name, "pullrequest", str(made["pullRequestId"]))


def _where(repository: Repository) -> str:
    return f"git/repositories/{quote(repository.key)}"
