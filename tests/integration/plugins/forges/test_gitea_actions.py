"""`publish:gitea` on a real Gitea; skipped with what would bring one where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from factories.engines import Gitea
from taxiway.model.errors import ConflictError, InputError, NotFoundError
from taxiway.model.run import Created
from taxiway.plugin import Action
from taxiway.plugin.testing import ActionConformance
from taxiway.plugin.testing.host import memory_host, step_context
from taxiway.plugins.gitea import PLUGIN
from taxiway.plugins.gitea.settings import GiteaSettings


@dataclass
class Publishing:
    """The action, and the API to look at what it did."""

    forge: Gitea
    api: httpx.Client
    action: Any

    @property
    def host(self) -> str:
        return self.forge.url.partition("://")[2]

    def values(self, repo: str, **more: Any) -> dict[str, Any]:
        return {"repoUrl": f"{self.host}?owner=makers&repo={repo}", "description": "What it is for", **more}

    def repository(self, name: str) -> Any:
        found = self.api.get(f"/repos/{name}")
        return found.json() if found.is_success else None


@pytest.fixture(scope="module")
def publishing(forge: Gitea, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publishing]:
    with forge.client() as api, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITEA_TOKEN", forge.token)
        assert api.post("/orgs", json={"username": "makers"}).status_code == 201
        host = {"host": forge.url.partition("://")[2], "scheme": "http", "token": "env:GITEA_TOKEN"}
        settings = GiteaSettings.model_validate({"hosts": [host]})
        context = memory_host(tmp_path_factory.mktemp("host"), "gitea", settings).context
        made: dict[str, Any] = dict(PLUGIN.contribute(context))
        yield Publishing(forge, api, made["action"].made)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    (tmp_path / "README.md").write_text("hello\n")
    (tmp_path / "bin/run.sh").write_text("#!/bin/sh\n")
    (tmp_path / "bin/run.sh").chmod(0o755)
    return tmp_path


def undo(publishing: Publishing, ctx: Any, made: list[Any]) -> None:
    created = [Created(*item) for item in made]
    publishing.action.check_undo(created)
    publishing.action.undo(ctx, created)


def test_a_repository_is_made_and_filled_once_and_undo_archives_and_removes_it(
    publishing: Publishing, workspace: Path
) -> None:
    made: list[Any] = []
    ctx = step_context(workspace, made)
    values = publishing.values("shop", gitAuthorName="Ann", gitAuthorEmail="ann@example.com")
    output = publishing.action.run(ctx, values)
    assert publishing.action.run(replace(ctx, attempt=2), values) == output
    web = f"{publishing.forge.url}/makers/shop"
    assert output == {
        "remoteUrl": f"{web}.git",
        "repoContentsUrl": f"{web}/src/branch/main/",
        "commitHash": output["commitHash"],
    }
    found = publishing.repository("makers/shop")
    assert (found["description"], found["private"], found["default_branch"]) == ("What it is for", False, "main")
    commits = publishing.api.get("/repos/makers/shop/commits").json()
    assert [(one["sha"], one["commit"]["author"]["name"]) for one in commits] == [(output["commitHash"], "Ann")]
    tree = publishing.api.get("/repos/makers/shop/git/trees/main?recursive=true").json()["tree"]
    assert {one["path"]: one["mode"] for one in tree if one["type"] == "blob"} == {
        "README.md": "100644",
        "bin/run.sh": "100755",
    }
    assert {item[:2] for item in made} == {("repository", f"{publishing.host}/makers/shop")}
    assert publishing.forge.token not in str(made)
    lines: list[str] = []
    undo(publishing, replace(ctx, log=lines.append), made)
    assert [line.split(" ")[0] for line in lines] == ["Archived", "Deleted"]
    assert publishing.repository("makers/shop") is None
    undo(publishing, ctx, made)


def test_undo_refuses_commits_of_others_and_leaves_what_it_did_not_make(
    publishing: Publishing, workspace: Path
) -> None:
    made: list[Any] = []
    ctx = step_context(workspace, made)
    publishing.action.run(ctx, publishing.values("busy", repoVisibility="private", defaultBranch="trunk"))
    assert publishing.repository("makers/busy")["private"]
    change = {"content": "aGk=", "message": "by hand", "new_branch": "theirs"}
    assert publishing.api.post("/repos/makers/busy/contents/a.txt", json=change).status_code == 201
    with pytest.raises(ConflictError, match="commits made since on theirs"):
        undo(publishing, ctx, made)
    assert not publishing.repository("makers/busy")["archived"]
    with pytest.raises(ConflictError, match="already"):
        publishing.action.run(step_context(workspace), publishing.values("busy"))
    again: list[Any] = []
    with pytest.raises(ConflictError):
        publishing.action.run(step_context(workspace, again), publishing.values("busy"))
    assert again == []


def test_a_user_gets_a_repository_and_nobody_an_organisation(publishing: Publishing, workspace: Path) -> None:
    values = {"repoUrl": f"{publishing.host}?repo=own", "description": "d", "sourcePath": "bin"}
    assert publishing.action.run(step_context(workspace), values)["remoteUrl"].endswith("/ada/own.git")
    assert publishing.action.names(values) == [("repository", f"{publishing.host}/ada/own", True)]
    with pytest.raises(NotFoundError, match="organisation nobody"):
        publishing.action.run(step_context(workspace), {**values, "repoUrl": f"{publishing.host}?owner=nobody&repo=x"})
    with pytest.raises(NotFoundError, match="hosts"):
        publishing.action.run(step_context(workspace), {**values, "repoUrl": "git.example.com?owner=a&repo=x"})
    with pytest.raises(InputError, match="not signed"):
        publishing.action.run(step_context(workspace), {**values, "signCommit": True})


class TestPublishing(ActionConformance):
    """The contract of actions, on it."""

    @pytest.fixture
    def action(self, publishing: Publishing) -> Action:
        found: Action = publishing.action
        return found

    @pytest.fixture
    def values(self, publishing: Publishing, tmp_path: Path) -> dict[str, Any]:
        (tmp_path / "a.txt").write_text("a")
        return publishing.values("conform")
