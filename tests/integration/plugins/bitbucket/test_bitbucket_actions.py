"""The actions on both kinds of Bitbucket against Atlassian's published descriptions, with real pushes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from factories.described import Described
from factories.fake_bitbucket import FakeBitbucket
from factories.forge_steps import ForgeSteps, forge_steps
from factories.git_host import GitHost
from taxiway.model.errors import ConflictError, InputError
from taxiway.plugin.forging.smart_http import basic
from taxiway.plugin.testing.host import memory_host
from taxiway.plugins.bitbucket import PLUGIN
from taxiway.plugins.bitbucket.settings import BitbucketSettings

TOKEN, PERSON = "token-of-the-test", "token-of-a-person"


@pytest.fixture(params=["cloud", "own"])
def bitbucket(request: pytest.FixtureRequest, tmp_path: Path) -> FakeBitbucket:
    is_cloud = request.param == "cloud"
    accepts = {basic("x-token-auth", token) if is_cloud else f"Bearer {token}" for token in (TOKEN, PERSON)}
    return FakeBitbucket(GitHost(tmp_path / "hosted", accepts), is_cloud)


@pytest.fixture
def steps(bitbucket: FakeBitbucket, tmp_path: Path) -> Iterator[ForgeSteps]:
    name, base = ("bitbucket-cloud", "/2.0") if bitbucket.is_cloud else ("bitbucket-data-center", "/rest")
    api = Described(name, base)
    more = {"cloud": True, "api_path": "/2.0"} if bitbucket.is_cloud else {}
    with forge_steps(tmp_path, PLUGIN, api, bitbucket.handlers(), bitbucket.over_git, **more) as made:
        bitbucket.url = made.system.url
        (made.workspace / "README.md").write_text("hello\n")
        yield made


def values(steps: ForgeSteps, bitbucket: FakeBitbucket, **more: Any) -> dict[str, Any]:
    parts = "workspace=acme&project=SHOP&repo=orders" if bitbucket.is_cloud else "project=SHOP&repo=Orders"
    return {"repoUrl": f"{steps.system.host}?{parts}", **more}


def full_name(bitbucket: FakeBitbucket) -> str:
    return "acme/orders" if bitbucket.is_cloud else "SHOP/orders"


@pytest.mark.parametrize("old_name", [False, True])
def test_a_repository_is_made_and_filled_once_and_undo_removes_it(
    steps: ForgeSteps, bitbucket: FakeBitbucket, old_name: bool
) -> None:
    key = "publish:bitbucket" if old_name else f"publish:bitbucket{'Cloud' if bitbucket.is_cloud else 'Server'}"
    asked = values(steps, bitbucket, description="What for", token=PERSON)
    output = steps.run(key, asked | ({} if bitbucket.is_cloud else {"enableLFS": True}))
    assert steps.again(key, asked) == output
    name = full_name(bitbucket)
    page = f"{bitbucket.url}/{name}"
    contents = f"{page}/src/master" if bitbucket.is_cloud else f"{page}/browse"
    head = bitbucket.git.heads(name)["master"]
    assert output == {"remoteUrl": f"{page}.git", "repoContentsUrl": contents, "commitHash": head}
    assert steps.actions[key].names(values(steps, bitbucket)) == [("repository", f"{steps.system.host}/{name}", True)]
    assert (bitbucket.git.pushes, bitbucket.large) == (1, [] if bitbucket.is_cloud else [name])
    wanted = bitbucket.repositories[name]["asked"]
    assert wanted.get("name") == (None if bitbucket.is_cloud else "Orders")
    assert (wanted["description"], wanted.get("is_private", not wanted.get("public"))) == ("What for", True)
    assert "token-of" not in str(steps.made)
    bitbucket.git.commit(name, "theirs", {"a": "a"})
    with pytest.raises(ConflictError, match="commits made since on theirs"):
        steps.undo(key)
    bitbucket.git.at(name, "update-ref", "-d", "refs/heads/theirs")
    bitbucket.repositories[name]["slug"] = "stock"
    with pytest.raises(ConflictError, match="was renamed to"):
        steps.undo(key)
    bitbucket.repositories[name]["slug"] = "orders"
    steps.undo(key)
    assert bitbucket.repositories == {}
    assert [line.split(" ")[0] for line in steps.lines[-2:]] == (
        ["Published", "Deleted"] if bitbucket.is_cloud else ["Archived", "Deleted"]
    )


def test_a_pull_request_is_opened_once_and_undo_declines_it(steps: ForgeSteps, bitbucket: FakeBitbucket) -> None:
    key = f"publish:bitbucket{'Cloud' if bitbucket.is_cloud else 'Server'}:pull-request"
    publish = key.removesuffix(":pull-request")
    steps.run(publish, values(steps, bitbucket, defaultBranch="main"))
    name = full_name(bitbucket)
    main = bitbucket.git.heads(name)["main"]
    (steps.workspace / "more.txt").write_text("more\n")
    asked = values(steps, bitbucket, title="More", sourceBranch="more", description="Because")
    if not bitbucket.is_cloud:
        asked["reviewers"] = ["ann"]
    bitbucket.fails_once = "as a server that made it, and died"
    with pytest.raises(Exception, match="503"):
        steps.run(key, asked)
    output = steps.again(key, asked)
    assert output == {"pullRequestUrl": f"{bitbucket.url}/pulls/1"}
    assert len(bitbucket.pulls) == 1
    heads = bitbucket.git.heads(name)
    assert set(bitbucket.git.files(name, heads["more"])) == {"README.md", "more.txt"}
    assert bitbucket.git.at(name, "rev-parse", "more^") == main
    bitbucket.pulls[0]["state"] = "MERGED"
    with pytest.raises(ConflictError, match="was merged"):
        steps.undo(key)
    bitbucket.pulls[0]["state"] = "OPEN"
    bitbucket.pulls.append({**bitbucket.pulls[0], "id": 2})
    steps.undo(key)
    assert bitbucket.pulls[1]["state"] == "OPEN", "somebody else's, from the same branch"
    assert (bitbucket.pulls[0]["state"], bitbucket.git.heads(name)) == ("DECLINED", {"main": main})
    steps.undo(key)


def test_a_branch_that_is_there_is_proposed_as_it_is(steps: ForgeSteps, bitbucket: FakeBitbucket) -> None:
    kind = "Cloud" if bitbucket.is_cloud else "Server"
    steps.run(f"publish:bitbucket{kind}", values(steps, bitbucket, defaultBranch="main"))
    theirs = bitbucket.git.commit(full_name(bitbucket), "more", {"a": "a"})
    key = f"publish:bitbucket{kind}:pull-request"
    steps.run(key, values(steps, bitbucket, title="More", sourceBranch="more", targetBranch="main"))
    steps.undo(key)
    assert bitbucket.git.heads(full_name(bitbucket))["more"] == theirs


def test_what_is_for_the_other_kind_is_refused_and_a_dry_run_asks_nothing(
    steps: ForgeSteps, bitbucket: FakeBitbucket
) -> None:
    right, wrong = ("Cloud", "Server") if bitbucket.is_cloud else ("Server", "Cloud")
    with pytest.raises(InputError, match="use the action for that"):
        steps.run(f"publish:bitbucket{wrong}", values(steps, bitbucket))
    for key in (f"publish:bitbucket{right}", f"publish:bitbucket{right}:pull-request"):
        assert steps.run(key, values(steps, bitbucket, title="t", sourceBranch="s"), dry=True)
    assert (steps.system.asked, steps.made) == ([], [])


@pytest.mark.parametrize("bitbucket", ["cloud"], indirect=True)
def test_branches_are_restricted_and_undo_frees_them(steps: ForgeSteps, bitbucket: FakeBitbucket) -> None:
    key = "bitbucketCloud:branchRestriction:create"
    steps.run("publish:bitbucketCloud", values(steps, bitbucket))
    asked = values(steps, bitbucket, kind="push", branchMatchKind="glob", pattern="main", users=[{"uuid": "{1}"}])
    output = steps.run(key, asked)
    assert (output["statusCode"], json.loads(output["json"])["pattern"]) == (201, "main")
    assert steps.again(key, asked) == output
    steps.made[:] = []
    counted = values(steps, bitbucket, kind="require_approvals_to_merge", value=2)
    steps.run(key, counted)
    assert [(one["kind"], one.get("value"), one.get("branch_type")) for one in bitbucket.restrictions] == [
        ("push", None, None),
        ("require_approvals_to_merge", 2, "development"),
    ]
    bitbucket.restrictions.append({**bitbucket.restrictions[1], "id": 9})
    steps.undo(key)
    assert [one["id"] for one in bitbucket.restrictions] == [1, 9]


@pytest.mark.parametrize("bitbucket", ["cloud"], indirect=True)
def test_a_pipeline_is_started_once(steps: ForgeSteps, bitbucket: FakeBitbucket) -> None:
    steps.run("publish:bitbucketCloud", values(steps, bitbucket))
    body = {
        "target": {"type": "pipeline_ref_target", "ref_type": "branch", "ref_name": "master"},
        "variables": [{"key": "A", "value": "a", "secured": True}],
    }
    asked = {"workspace": "acme", "repo_slug": "orders", "body": body}
    page = f"{steps.system.url}/acme/orders"
    output = {"buildNumber": 7, "repoUrl": page, "pipelinesUrl": f"{page}/pipelines"}
    assert steps.run("bitbucket:pipelines:run", asked) == output
    assert steps.again("bitbucket:pipelines:run", asked) == output
    assert len(bitbucket.pipelines) == 1


def test_each_kind_of_token_goes_where_bitbucket_wants_it(tmp_path: Path) -> None:
    from taxiway.plugins.bitbucket.client import clients_of

    context = memory_host(tmp_path, "bitbucket").context
    token = context.secrets.put("token", "t0ken")
    ann = {"token": token, "username": "ann@example.com"}
    hosts = [{"token": token}, {**ann, "host": "b.example.com", "cloud": True}, {**ann, "host": "own.example.com"}]
    settings = BitbucketSettings.model_validate({"hosts": hosts})
    clients = clients_of(replace(context, settings=settings))
    found = {host.host: clients.of(host.host).remote("a/b.git").authorization for host in settings.hosts}
    assert found == {
        "bitbucket.org": basic("x-token-auth", "t0ken"),
        "b.example.com": basic("x-bitbucket-api-token-auth", "t0ken"),
        "own.example.com": basic("ann@example.com", "t0ken"),
    }
    person = clients.of("own.example.com").acting("hers")
    assert person.remote("a/b.git").authorization == "Bearer hers"
    assert "hers" not in repr(person)
