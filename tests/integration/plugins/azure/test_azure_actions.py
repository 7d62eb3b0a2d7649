"""`publish:azure` against Azure DevOps' published description, with real pushes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from factories.described import Answer, Call, Described
from factories.forge_steps import ForgeSteps, forge_steps
from factories.git_host import GitHost
from factories.other_system import Asked, Reply
from taxiway.model.errors import ConflictError, InputError
from taxiway.plugin.forging.smart_http import basic
from taxiway.plugins.azure import PLUGIN

BASE = "/{organization}/{project}/_apis/git/repositories"
KEY = "publish:azure"


@dataclass
class FakeAzure:
    """One project."""

    git: GitHost
    url: str = ""
    repositories: dict[str, dict[str, Any]] = field(default_factory=dict)

    def find(self, call: Call) -> Answer:
        asked = call.at["repositoryId"]
        found = [one for one in self.repositories.values() if asked in (one["id"], one["name"])]
        return (200, found[0]) if found else (404, {"message": "TF401019: there is none"})

    def make(self, call: Call) -> Answer:
        name = call.body["name"]
        place = f"{call.at['organization']}/{call.at['project']}"
        web = f"{self.url}/{place}/_git/{name}"
        number = len(self.repositories) + 1
        made = {"id": f"00000000-0000-4000-8000-{number:012}", "name": name, "remoteUrl": web, "webUrl": web}
        self.repositories[name] = made
        self.git.create(quote(f"{place}/{name}"))
        return 201, made

    def remove(self, call: Call) -> Answer:
        self.repositories = {key: one for key, one in self.repositories.items() if one["id"] != call.at["repositoryId"]}
        return 200, None

    def over_git(self, asked: Asked) -> Reply | None:
        place, mark, rest = asked.path.partition("/_git/")
        name, _, service = rest.partition("/")
        return self.git.answer(replace(asked, path=f"{place}/{name}.git/{service}")) if mark else None


@pytest.fixture
def azure(tmp_path: Path) -> FakeAzure:
    return FakeAzure(GitHost(tmp_path / "hosted", {basic("", "token-of-the-test"), basic("", "token-of-a-person")}))


@pytest.fixture
def steps(azure: FakeAzure, tmp_path: Path) -> Iterator[ForgeSteps]:
    handlers = {
        f"GET {BASE}/{{repositoryId}}": azure.find,
        f"POST {BASE}": azure.make,
        f"DELETE {BASE}/{{repositoryId}}": azure.remove,
    }
    with forge_steps(tmp_path, PLUGIN, Described("azure", ""), handlers, azure.over_git) as running:
        azure.url = running.system.url
        (running.workspace / "README.md").write_text("hello\n")
        yield running


def values(steps: ForgeSteps, **more: Any) -> dict[str, Any]:
    return {"repoUrl": f"{steps.system.host}?organization=acme&project=the%20shop&repo=orders", **more}


def test_a_repository_is_made_and_filled_once_and_undo_removes_it(steps: ForgeSteps, azure: FakeAzure) -> None:
    output = steps.run(KEY, values(steps, token="token-of-a-person", gitCommitMessage="begin"))
    assert steps.again(KEY, values(steps, token="token-of-a-person", gitCommitMessage="begin")) == output
    head = azure.git.heads("acme/the%20shop/orders")["master"]
    web = f"{steps.system.url}/acme/the shop/_git/orders"
    made = azure.repositories["orders"]
    assert output == {"remoteUrl": web, "repoContentsUrl": web, "repositoryId": made["id"], "commitHash": head}
    assert (azure.git.pushes, len(azure.repositories)) == (1, 1)
    assert "token-of" not in str(steps.made)
    steps.undo(KEY)
    assert azure.repositories == {}
    steps.undo(KEY)


def test_undo_refuses_commits_of_others_and_leaves_a_repository_of_that_name(
    steps: ForgeSteps, azure: FakeAzure
) -> None:
    steps.run(KEY, values(steps))
    azure.git.commit("acme/the%20shop/orders", "master", {"a": "theirs"})
    with pytest.raises(ConflictError, match="commits made since on master"):
        steps.undo(KEY)
    azure.repositories["orders"]["id"] = "another"
    steps.undo(KEY)
    assert list(azure.repositories) == ["orders"]
    assert "it was not made by this run" in steps.lines[-1]
    with pytest.raises(ConflictError, match="already"):
        steps.run(KEY, values(steps))


def test_a_dry_run_asks_nothing_and_a_repo_url_is_complete(steps: ForgeSteps) -> None:
    assert steps.run(KEY, values(steps), dry=True)["repositoryId"] == "<id>"
    assert (steps.system.asked, steps.made) == ([], [])
    with pytest.raises(InputError, match="does not say its organization"):
        steps.run(KEY, {"repoUrl": f"{steps.system.host}?project=p&repo=r"})
