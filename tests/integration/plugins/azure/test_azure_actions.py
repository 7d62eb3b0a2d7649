"""`publish:azure` against Azure DevOps' published description, with real pushes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from factories.described import Described
from factories.fake_azure import FakeAzure
from factories.forge_steps import ForgeSteps, forge_steps
from factories.git_host import GitHost
from taxiway.model.errors import ConflictError, InputError
from taxiway.plugin.forging.smart_http import basic
from taxiway.plugins.azure import PLUGIN

KEY = "publish:azure"


@pytest.fixture
def azure(tmp_path: Path) -> FakeAzure:
    return FakeAzure(GitHost(tmp_path / "hosted", {basic("", "token-of-the-test"), basic("", "token-of-a-person")}))


@pytest.fixture
def steps(azure: FakeAzure, tmp_path: Path) -> Iterator[ForgeSteps]:
    with forge_steps(tmp_path, PLUGIN, Described("azure", ""), azure.handlers(), azure.over_git) as running:
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
    azure.git.create("acme/the%20shop/stock")
    azure.repositories["orders"]["name"] = "stock"
    with pytest.raises(ConflictError, match="was renamed to acme/the shop/stock"):
        steps.undo(KEY)
    azure.repositories["orders"] |= {"id": "another", "name": "orders"}
    steps.undo(KEY)
    assert list(azure.repositories) == ["orders"]
    with pytest.raises(ConflictError, match="already"):
        steps.run(KEY, values(steps))


def test_a_dry_run_asks_nothing_and_a_repo_url_is_complete(steps: ForgeSteps) -> None:
    assert steps.run(KEY, values(steps), dry=True)["repositoryId"] == "<id>"
    assert (steps.system.asked, steps.made) == ([], [])
    place = f"{steps.system.host}/acme/the shop/orders"
    assert steps.actions[KEY].names(values(steps)) == [("repository", place, False)]
    with pytest.raises(InputError, match="does not say its organization"):
        steps.run(KEY, {"repoUrl": f"{steps.system.host}?project=p&repo=r"})
