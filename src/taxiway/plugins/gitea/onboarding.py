"""Gitea's repositories that may be given a first descriptor: who committed, and the pull request that brings it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from taxiway.plugin.forging.onboarding import COMMITS, NewFile
from taxiway.plugin.forging.reading import Repository
from taxiway.plugins.gitea.repositories import GiteaApi


class GiteaOnboarding(GiteaApi):
    """An `OnboardingApi`."""

    def authors(self, repository: Repository, branch: str) -> Sequence[str]:
        where = f"commits?sha={quote(branch, safe='')}&limit={COMMITS}&stat=false&verification=false&files=false"
        found = self._client.get(f"repos/{repository.name}/{where}").checked(repository.name).json()
        return [str((one["commit"].get("author") or {}).get("email") or "") for one in found]

    def proposal(self, repository: Repository, branch: str) -> str | None:
        base = quote(repository.default_branch, safe="")
        answer = self._client.get(f"repos/{repository.name}/pulls/{base}/{quote(branch, safe='')}")
        return None if answer.status == 404 else str(answer.checked(repository.name).json()["html_url"])

    def add_file(self, repository: Repository, file: NewFile) -> None:
        where = f"repos/{repository.name}/contents/{quote(file.path)}"
        if self._client.get(f"{where}?ref={quote(file.branch, safe='')}").status == 200:
            return
        text = base64.b64encode(file.content).decode()
        body = {"content": text, "message": file.title, "branch": file.base, "new_branch": file.branch}
        self._client.send("POST", where, body).checked(f"the branch {file.branch} of {repository.name}")

    def open_proposal(self, repository: Repository, file: NewFile) -> str:
        body = {"title": file.title, "body": file.body, "head": file.branch, "base": file.base}
        answer = self._client.send("POST", f"repos/{repository.name}/pulls", body)
        found: Any = answer.checked(f"a pull request in {repository.name}").json()
        return str(found["html_url"])
