"""GitLab's projects that may be given a first descriptor: who committed, and the merge request that brings it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from taxiway.plugin.forging.clients import quoted
from taxiway.plugin.forging.onboarding import COMMITS, NewFile
from taxiway.plugin.forging.reading import Repository
from taxiway.plugins.gitlab.repositories import GitLabApi


class GitLabOnboarding(GitLabApi):
    """An `OnboardingApi`."""

    def authors(self, repository: Repository, branch: str) -> Sequence[str]:
        where = f"projects/{repository.key}/repository/commits?ref_name={quote(branch, safe='')}&per_page={COMMITS}"
        return [str(one.get("author_email") or "") for one in self._get(where)]

    def proposal(self, repository: Repository, branch: str) -> str | None:
        found = self._get(f"projects/{repository.key}/merge_requests?source_branch={quote(branch, safe='')}")
        return str(found[0]["web_url"]) if found else None

    def add_file(self, repository: Repository, file: NewFile) -> None:
        base = f"projects/{repository.key}/repository"
        there = f"{base}/files/{quoted(file.path)}?ref={quote(file.branch, safe='')}"
        if self._client.get(there).status == 200:
            return
        text = base64.b64encode(file.content).decode()
        action = {"action": "create", "file_path": file.path, "content": text, "encoding": "base64"}
        body = {"branch": file.branch, "start_branch": file.base, "commit_message": file.title, "actions": [action]}
        self._client.send("POST", f"{base}/commits", body).checked(f"the branch {file.branch} of {repository.name}")

    def open_proposal(self, repository: Repository, file: NewFile) -> str:
        body = {
            "source_branch": file.branch,
            "target_branch": file.base,
            "title": file.title,
            "description": file.body,
            "remove_source_branch": True,
        }
        answer = self._client.send("POST", f"projects/{repository.key}/merge_requests", body)
        return str(answer.checked(f"a merge request in {repository.name}").json()["web_url"])

    def _get(self, path: str) -> Any:
        return self._client.get(path).checked(path.partition("?")[0]).json()
