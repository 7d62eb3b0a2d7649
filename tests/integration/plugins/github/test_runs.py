"""A golden path that publishes to GitHub: planned, run although answers are lost, undone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from factories.github_api import TOKEN, github_api
from factories.github_work import GitHubAtWork
from factories.scaffolding import Desk, desk

PLUGINS = ("git_local", "github", "secrets_local")


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubAtWork]:
    with github_api(tmp_path_factory.mktemp("hosted") / "git", GitHubAtWork) as running:
        yield running


@pytest.fixture(scope="module")
def server(forge: GitHubAtWork) -> Iterator[Desk]:
    host = {"host": forge.host, "scheme": "http", "token": "env:TAXIWAY_TEST_GITHUB"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAXIWAY_TEST_GITHUB", TOKEN)
        with desk(plugins=PLUGINS, plugin_settings={"github": {"hosts": [host]}}) as running:
            yield running


def path_of(forge: GitHubAtWork, server: Desk) -> str:
    url = f"{forge.host}?owner=acme&repo=${{{{ parameters.name }}}}"
    steps = [
        {"id": "write", "action": "roadiehq:utils:fs:write", "input": {"path": "README.md", "content": "# shop"}},
        {
            "id": "publish",
            "action": "publish:github",
            "input": {"repoUrl": url, "secrets": {"KEY": "${{ secrets.KEY }}"}},
        },
        {"id": "issue", "action": "github:issues:create", "input": {"repoUrl": url, "title": "Look at it"}},
    ]
    output = {"links": [{"title": "Repository", "url": "${{ steps.publish.output.remoteUrl }}"}]}
    parameters = {"type": "object", "properties": {"name": {"type": "string"}}}
    return server.template({"parameters": parameters, "steps": steps, "output": output})


def test_a_plan_changes_nothing_and_tells_whether_the_name_is_free(forge: GitHubAtWork, server: Desk) -> None:
    ref = path_of(forge, server)
    forge.add("acme/taken", {"a": "theirs"})
    before = forge.state()

    def plan(name: str) -> Any:
        with server.client() as client:
            body = {"template_ref": ref, "values": {"name": name}, "secrets": {"KEY": "hunter2-and-more"}}
            answer = client.post("/api/scaffolder/v1/plans", json=body)
            assert answer.status_code == 201, answer.text
            return answer.json()

    free = plan("shop")
    assert free["names"] == [{"kind": "repository", "name": f"{forge.host}/acme/shop", "taken": False}]
    assert [one for one in free["checks"] if one["verdict"] == "failed"] == []
    assert plan("taken")["names"][0]["taken"]
    assert forge.state() == before
    assert not forge.changes


def test_a_run_whose_answers_are_lost_makes_nothing_twice_and_undo_leaves_nothing(
    forge: GitHubAtWork, server: Desk
) -> None:
    forge.reset()
    forge.dies_behind = 1
    made = server.post(path_of(forge, server), values={"name": "shop"}, secrets={"KEY": "hunter2-and-more"})
    assert made.status_code == 201, made.text
    run = server.end(made.json()["id"])
    assert run.state == "succeeded", run
    assert run.steps[1].attempt == 2
    assert forge.changes.count("repos/create-in-org") == 1
    assert list(forge.repositories) == ["acme/shop"]
    assert len(forge.kept("acme/shop", "issues")) == 1
    assert run.output is not None
    assert run.output["links"][0]["url"] == f"{forge.system.url}/acme/shop.git"
    told = server.log(run.id) + repr(run)
    assert TOKEN not in told
    assert "hunter2" not in told
    stored = [path.read_bytes() for path in server.served.platform.settings.data.rglob("*") if path.is_file()]
    assert stored
    assert not any(secret in content for content in stored for secret in (TOKEN.encode(), b"hunter2"))
    assert server.undo(run.id).state == "undone"
    assert forge.repositories == {}
