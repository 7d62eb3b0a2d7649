"""GitHub's repositories that may be given a first descriptor: who committed, and the pull request that brings it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from taxiway.plugin.forging.onboarding import COMMITS, NewFile
from taxiway.plugin.forging.reading import Repository
from taxiway.plugins.github.repositories import GitHubApi

EXISTS = 422
"""What GitHub answers when a branch or a pull request is there already, among other things."""


class GitHubOnboarding(GitHubApi):
    """An `OnboardingApi`."""

    def authors(self, repository: Repository, branch: str) -> Sequence[str]:
        path = f"repos/{repository.name}/commits?sha={quote(branch, safe='')}&per_page={COMMITS}"
        found = self._client.get(path, owner=self._org).checked(repository.name).json()
        return [str((one["commit"].get("author") or {}).get("email") or "") for one in found]

    def proposal(self, repository: Repository, branch: str) -> str | None:
        head = quote(f"{repository.name.partition('/')[0]}:{branch}", safe="")
        found = self._get(f"repos/{repository.name}/pulls?state=all&head={head}")
        return str(found[0]["html_url"]) if found else None

    def add_file(self, repository: Repository, file: NewFile) -> None:
        base = f"repos/{repository.name}"
        head = self._get(f"{base}/git/ref/heads/{quote(file.base)}")
        made = {"ref": f"refs/heads/{file.branch}", "sha": head["object"]["sha"]}
        answer = self._client.send("POST", f"{base}/git/refs", made, owner=self._org)
        if answer.status != EXISTS:
            answer.checked(f"the branch {file.branch} of {repository.name}")
        where = f"{base}/contents/{quote(file.path)}"
        if self._client.get(f"{where}?ref={quote(file.branch, safe='')}", owner=self._org).status == 200:
            return
        text = base64.b64encode(file.content).decode()
        body = {"message": file.title, "content": text, "branch": file.branch}
        put = self._client.send("PUT", where, body, owner=self._org, idempotent=False)
        put.checked(f"{file.path} of {repository.name}")

    def open_proposal(self, repository: Repository, file: NewFile) -> str:
        body = {"title": file.title, "body": file.body, "head": file.branch, "base": file.base}
        answer = self._client.send("POST", f"repos/{repository.name}/pulls", body, owner=self._org)
        found: Mapping[str, Any] = answer.checked(f"a pull request in {repository.name}").json()
        return str(found["html_url"])

    def _get(self, path: str) -> Any:
        return self._client.get(path, owner=self._org).checked(path.partition("?")[0]).json()
