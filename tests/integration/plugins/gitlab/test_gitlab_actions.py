"""The actions on GitLab against its published description, with real pushes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from factories.described import Described
from factories.fake_gitlab import FakeGitLab
from factories.forge_steps import ForgeSteps, forge_steps
from factories.git_host import GitHost
from taxiway.model.errors import ConflictError, InputError, NotFoundError, TaxiwayError
from taxiway.plugin.forging.smart_http import basic
from taxiway.plugins.gitlab import PLUGIN
from taxiway.plugins.gitlab.actions import MODULES

TOKENS = ("token-of-the-test", "token-of-a-person", "glpat-secret-1")


@pytest.fixture
def gitlab(tmp_path: Path) -> FakeGitLab:
    return FakeGitLab(GitHost(tmp_path / "hosted", {basic("oauth2", token) for token in TOKENS}))


@pytest.fixture
def steps(gitlab: FakeGitLab, tmp_path: Path) -> Iterator[ForgeSteps]:
    api = Described("gitlab", "/api/v4")
    with forge_steps(tmp_path, PLUGIN, api, gitlab.handlers(), gitlab.git.answer) as made:
        gitlab.url = made.system.url
        gitlab.groups["acme"] = {"id": 1, "full_path": "acme", "shared_with_groups": []}
        (made.workspace / "README.md").write_text("hello\n")
        yield made


@pytest.fixture
def shop(steps: ForgeSteps, gitlab: FakeGitLab) -> str:
    """A project with a commit on main; its head."""
    gitlab.add_project("acme/shop")
    return gitlab.git.commit("acme/shop", "main", {"README.md": "old\n", "kept": "k\n"})


def values(steps: ForgeSteps, repo: str = "shop", **more: Any) -> dict[str, Any]:
    return {"repoUrl": f"{steps.system.host}?owner=acme&repo={repo}", **more}


def test_a_project_is_made_and_filled_once_and_undo_archives_and_removes_it(
    steps: ForgeSteps, gitlab: FakeGitLab
) -> None:
    asked = values(
        steps,
        token="token-of-a-person",
        topics=["python"],
        settings={"description": "What for", "visibility": "internal"},
        branches=[{"name": "next", "create": True, "protect": True}],
        projectVariables=[{"key": "REGION", "value": "eu"}, {"key": "KEY", "value": "k-of-it", "masked": True}],
        setUserAsOwner=True,
        ownerUsername="bob",
    )
    output = steps.run("publish:gitlab", asked)
    assert steps.again("publish:gitlab", asked) == output
    head = gitlab.git.heads("acme/shop")["master"]
    web = f"{gitlab.url}/acme/shop"
    contents = {"remoteUrl": web, "repoContentsUrl": f"{web}/-/blob/master"}
    assert output == {**contents, "projectId": 100, "commitHash": head, "created": True}
    assert (gitlab.git.heads("acme/shop"), gitlab.git.pushes) == ({"master": head, "next": head}, 2)
    assert gitlab.projects["acme/shop"]["asked"] == {
        "namespace_id": 1,
        "name": "shop",
        "visibility": "internal",
        "topics": ["python"],
        "description": "What for",
    }
    variables = [["REGION", "eu", "*"], ["KEY", "k-of-it", "*"]]
    assert gitlab.named(variables=["key", "value", "environment_scope"]) == variables
    assert set(steps.hidden) == {"token-of-a-person", "k-of-it"}
    assert {(one["user_id"], one["access_level"]) for one in gitlab.of("members")} == {(11, 50), (12, 50)}
    assert "token-of" not in str(steps.made)
    gitlab.git.commit("acme/shop", "next", {"a": "theirs"})
    with pytest.raises(ConflictError, match="commits made since on next"):
        steps.undo("publish:gitlab")
    gitlab.git.at("acme/shop", "update-ref", "refs/heads/next", head)
    gitlab.projects["acme/store"] = gitlab.projects.pop("acme/shop") | {"path_with_namespace": "acme/store"}
    gitlab.git.create("acme/store")
    with pytest.raises(ConflictError, match="was renamed to acme/store"):
        steps.undo("publish:gitlab")
    gitlab.projects["acme/shop"] = gitlab.projects.pop("acme/store") | {"path_with_namespace": "acme/shop", "id": 7}
    steps.undo("publish:gitlab")
    assert not gitlab.projects["acme/shop"]["archived"], "another one of that name"
    gitlab.projects["acme/shop"]["id"] = 100
    steps.undo("publish:gitlab")
    assert [line.split(" ")[0] for line in steps.lines[-2:]] == ["Archived", "Deleted"]
    assert gitlab.projects == {}
    steps.undo("publish:gitlab")


def test_a_project_that_is_there_is_left_or_refused(steps: ForgeSteps, gitlab: FakeGitLab, shop: str) -> None:
    with pytest.raises(ConflictError, match="already"):
        steps.run("publish:gitlab", values(steps))
    told = [steps.actions["publish:gitlab"].names(values(steps, name))[0][1:] for name in ("shop", "other")]
    assert told == [(f"{steps.system.host}/acme/shop", True), (f"{steps.system.host}/acme/other", False)]
    output = steps.run("publish:gitlab", values(steps, skipExisting=True))
    assert output == {
        "remoteUrl": f"{gitlab.url}/acme/shop",
        "repoContentsUrl": f"{gitlab.url}/acme/shop/-/blob/main",
        "projectId": 100,
        "created": False,
    }
    steps.undo("publish:gitlab")
    assert "acme/shop" in gitlab.projects
    assert steps.run("publish:gitlab", values(steps, "empty", sourcePath=False))["created"]
    assert gitlab.git.heads("acme/empty") == {}
    with pytest.raises(NotFoundError, match="group or user nobody"):
        steps.run("publish:gitlab", {"repoUrl": f"{steps.system.host}?owner=nobody&repo=x"})


def test_a_merge_request_is_opened_once_and_undo_closes_it(steps: ForgeSteps, gitlab: FakeGitLab, shop: str) -> None:
    asked = values(
        steps,
        title="More",
        branchName="more",
        description="Because",
        labels="a, b",
        assignee="ann",
        reviewers=["bob", "nobody"],
        assignReviewersFromApprovalRules=True,
        autoMerge=True,
    )
    gitlab.dies = "merge_requests"
    with pytest.raises(TaxiwayError, match="503"):
        steps.run("publish:gitlab:merge-request", asked)
    output = steps.again("publish:gitlab:merge-request", asked)
    told = {"projectid": "acme/shop", "projectPath": "acme/shop", "targetBranchName": "main"}
    assert output == {**told, "mergeRequestUrl": f"{gitlab.url}/1"}
    (request,) = gitlab.of("merge_requests")
    assert (request["labels"], request["assignee_id"], request["reviewer_ids"]) == (["a", "b"], 11, [12])
    assert {one["id"] for one in request["reviewers"]} == {12, 13}
    assert gitlab.git.files("acme/shop", "more") == {"README.md": "100644 hello", "kept": "100644 k"}
    assert gitlab.git.at("acme/shop", "log", "-1", "--format=%s %P", "more") == f"More {shop}"
    request["state"] = "merged"
    with pytest.raises(ConflictError, match="was merged"):
        steps.undo("publish:gitlab:merge-request")
    request["state"] = "opened"
    gitlab.of("merge_requests").append({**request, "iid": 2, "id": 2, "target_branch": "next"})
    steps.undo("publish:gitlab:merge-request")
    assert gitlab.named(merge_requests=["iid", "state"]) == [[1, "closed"], [2, "opened"]]
    assert (request["state"], gitlab.git.heads("acme/shop")) == ("closed", {"main": shop})


def test_a_branch_that_is_there_is_proposed_only_as_it_is(steps: ForgeSteps, gitlab: FakeGitLab, shop: str) -> None:
    theirs = gitlab.git.commit("acme/shop", "more", {"a": "theirs"})
    asked = values(steps, title="More", branchName="more")
    with pytest.raises(ConflictError, match="is there already"):
        steps.run("publish:gitlab:merge-request", asked)
    steps.run("publish:gitlab:merge-request", {**asked, "commitAction": "skip"})
    steps.undo("publish:gitlab:merge-request")
    assert gitlab.git.heads("acme/shop") == {"main": shop, "more": theirs}
    assert gitlab.of("merge_requests")[0]["state"] == "closed"


def test_the_workspace_is_committed_to_a_branch_and_undo_puts_it_back(
    steps: ForgeSteps, gitlab: FakeGitLab, shop: str
) -> None:
    asked = values(steps, branchName="main", commitMessage="Renew", targetPath="docs")
    output = steps.run("gitlab:repo:push", asked)
    assert steps.again("gitlab:repo:push", asked) == output
    assert gitlab.git.pushes == 1
    assert set(gitlab.git.files("acme/shop", output["commitHash"])) == {"README.md", "kept", "docs/README.md"}
    undone = list(steps.made)
    assert "commitHash" not in steps.run("gitlab:repo:push", asked)
    assert steps.run("gitlab:repo:push", {**asked, "allowEmpty": True})["commitHash"] != output["commitHash"]
    steps.undo("gitlab:repo:push")
    steps.made[:] = undone
    steps.undo("gitlab:repo:push")
    assert gitlab.git.heads("acme/shop") == {"main": shop}
    steps.run("gitlab:repo:push", {**asked, "branchName": "new"})
    gitlab.git.commit("acme/shop", "new", {"a": "theirs"})
    with pytest.raises(ConflictError, match="commits made since"):
        steps.undo("gitlab:repo:push")
    for action, target, problem in (
        ("create", "", "are there already"),
        ("update", "nowhere", "are not there"),
        ("delete", "kept", "are not there"),  # below a file
    ):
        with pytest.raises(InputError, match=problem):
            steps.run("gitlab:repo:push", {**asked, "targetPath": target, "commitAction": action})
    removed = steps.run("gitlab:repo:push", {**asked, "targetPath": ".", "commitAction": "delete"})
    assert set(gitlab.git.files("acme/shop", removed["commitHash"])) == {"kept"}


def test_tokens_are_kept_as_secrets_of_the_run_and_undo_revokes_them(
    steps: ForgeSteps, gitlab: FakeGitLab, shop: str
) -> None:
    asked = values(steps, projectId=100, name="ci", scopes=["api"], expiresAt="2027-01-01")
    gitlab.dies = "access_tokens"
    with pytest.raises(TaxiwayError, match="503"):
        steps.run("gitlab:projectAccessToken:create", asked)
    output = steps.again("gitlab:projectAccessToken:create", asked)
    reference = output["access_token"]
    assert reference.startswith("secret://")
    assert steps.host.context.secrets.get(reference) == "glpat-secret-1"
    assert "glpat" not in str(steps.made)
    assert gitlab.named(access_tokens=["name", "scopes", "expires_at", "access_level"]) == [
        ["ci", ["api"], "2027-01-01", 40]
    ]
    # Within the run the reference is a token, and the value of a variable.
    mine = {**steps.actions}["gitlab:user:info"].run(steps.ctx, {**values(steps), "token": reference})
    assert (mine["username"], steps.system.asked[-1].headers["authorization"]) == ("ann", "Bearer glpat-secret-1")
    other = steps.run("gitlab:user:info", values(steps, token=reference, userId=11))
    assert steps.system.asked[-1].headers["authorization"] == f"Bearer {reference}"
    assert other["publicEmail"] == "ann@example.com"
    deploy = values(steps, projectId="acme/shop", name="pull", scopes=["read_registry"], username="puller")
    output = steps.run("gitlab:projectDeployToken:create", deploy)
    assert (output["user"], steps.again("gitlab:projectDeployToken:create", deploy)) == ("deployer-1", output)
    gitlab.of("deploy_tokens").append({**gitlab.of("deploy_tokens")[0], "id": 2})
    steps.undo("gitlab:projectDeployToken:create")
    assert gitlab.named(deploy_tokens=["id"]) == [[2]], "that of another run"
    with pytest.raises(NotFoundError):
        steps.host.context.secrets.get(output["deploy_token"])


def test_a_variable_is_set_once_and_undo_removes_it(steps: ForgeSteps, gitlab: FakeGitLab, shop: str) -> None:
    key = "gitlab:projectVariable:create"
    asked = values(steps, projectId=100, key="KEY", value="v", variableType="env_var", masked=True)
    assert (steps.run(key, asked), steps.again(key, asked)) == ({}, {})
    assert gitlab.named(variables=["key", "masked", "environment_scope"]) == [["KEY", True, "*"]]
    assert "v" in steps.hidden
    gitlab.of("variables").append({"key": "KEY", "environment_scope": "production"})
    made = list(steps.made)
    with pytest.raises(ConflictError, match="already"):
        steps.run(key, asked)
    assert steps.made == []
    steps.made[:] = made
    steps.undo(key)
    assert gitlab.named(variables=["environment_scope"]) == [["production"]]
    with pytest.raises(InputError, match="env_var or file"):
        steps.run(key, {**asked, "variableType": "other"})


def test_a_pipeline_is_started_once_and_its_trigger_is_removed(
    steps: ForgeSteps, gitlab: FakeGitLab, shop: str
) -> None:
    asked = values(steps, projectId=100, tokenDescription="t", branch="feature/x", variables={"A": "a"})
    gitlab.dies = "pipelines"
    with pytest.raises(TaxiwayError, match="503"):
        steps.run("gitlab:pipeline:trigger", asked)
    assert steps.again("gitlab:pipeline:trigger", asked) == {"pipelineUrl": f"{gitlab.url}/p/1"}
    assert gitlab.named(pipelines=["ref", "variables"], triggers=["id"]) == [["feature/x", {"A": "a"}]]
    gitlab.of("triggers").append({"id": 9, "description": "t", "token": "that of another run"})
    steps.undo("gitlab:pipeline:trigger")
    assert gitlab.named(triggers=["id"]) == [[9]]


def test_groups_are_made_where_they_are_not_there_and_empty_ones_removed(steps: ForgeSteps, gitlab: FakeGitLab) -> None:
    key = "gitlab:group:ensureExists"
    asked = values(steps, path=["acme/shop", {"name": "The Team", "slug": "team"}], description="d")
    assert steps.run(key, asked) == steps.again(key, asked) == {"groupId": 3}
    assert list(gitlab.groups) == ["acme", "acme/shop", "acme/shop/team"]
    gitlab.add_project("acme/shop/team/x")
    with pytest.raises(ConflictError, match="has projects"):
        steps.undo(key)
    gitlab.projects.clear()
    steps.undo(key)
    assert list(gitlab.groups) == ["acme"]


def test_access_to_a_group_is_given_and_undo_puts_back_what_was(steps: ForgeSteps, gitlab: FakeGitLab) -> None:
    key = "gitlab:group:access"
    gitlab.levels["acme"] = {1: 10, 2: 40}
    asked = values(steps, path="acme", userIds=[1, 3], groupIds=[7], accessLevel="Maintainer")
    output = steps.run(key, asked)
    assert output == {"path": "acme", "userIds": [1, 3], "groupIds": [7], "accessLevel": 40}
    assert steps.again(key, asked) == output
    assert gitlab.levels["acme"] == {1: 40, 2: 40, 3: 40}
    assert gitlab.groups["acme"]["shared_with_groups"] == [{"group_id": 7, "group_access_level": 40}]
    gitlab.levels["acme"][3] = 50
    steps.undo(key)
    assert (gitlab.levels["acme"], gitlab.groups["acme"]["shared_with_groups"]) == ({1: 10, 2: 40, 3: 50}, [])
    assert any("Leaving" in line and "changed since" in line for line in steps.lines)
    steps.run(key, values(steps, path="acme", userIds=[2], action="remove"))
    assert 2 not in gitlab.levels["acme"]
    steps.undo(key)
    assert gitlab.levels["acme"][2] == 40
    for wrong, problem in (({"userIds": [1], "accessLevel": "king"}, "no accessLevel"), ({}, "nobody")):
        with pytest.raises(InputError, match=problem):
            steps.run(key, values(steps, path="acme", **wrong))


def test_an_issue_is_opened_once_and_undo_closes_it(steps: ForgeSteps, gitlab: FakeGitLab, shop: str) -> None:
    other = {"iid": 90, "id": 9, "title": "Do it", "state": "opened"}
    gitlab.things["issues"] = [{**other, "project_id": 100, "web_url": "", "updated_at": ""}]
    asked = values(
        steps, title="Do it", assignees=[11.0], dueDate="2027-01-31T00:00:00Z", labels="a,b", issueType="task"
    )
    gitlab.dies = "issues"
    with pytest.raises(TaxiwayError, match="503"):
        steps.run("gitlab:issues:create", asked)
    output = steps.again("gitlab:issues:create", asked)
    assert output == {"issueUrl": f"{gitlab.url}/2", "issueId": 502, "issueIid": 2}
    assert gitlab.named(issues=["iid", "due_date", "assignee_ids"])[1:] == [[2, "2027-01-31", [11]]]
    made = gitlab.of("issues")[1]
    gitlab.of("issues").append({**made, "iid": 91, "id": 10})
    made["title"] = "Doing it"
    steps.undo("gitlab:issues:create")
    assert gitlab.named(issues=["iid", "state"]) == [[90, "opened"], [2, "closed"], [91, "opened"]]


def test_an_issue_is_changed_and_undo_puts_it_back_unless_it_changed_since(
    steps: ForgeSteps, gitlab: FakeGitLab, shop: str
) -> None:
    steps.run("gitlab:issues:create", values(steps, title="Do it", description="d"))
    issue = gitlab.of("issues")[0]
    issue["labels"] = ["a"]
    asked = values(steps, projectId=100, issueIid=1, title="Done", stateEvent="close", addLabels="b", assignees=[12])
    output = steps.run("gitlab:issue:edit", asked)
    assert steps.again("gitlab:issue:edit", asked) == output
    assert (output["state"], output["title"], issue["labels"], issue["description"]) == (
        "closed",
        "Done",
        ["a", "b"],
        "d",
    )
    issue["title"] = "Somebody else's"
    with pytest.raises(ConflictError, match="was changed since"):
        steps.undo("gitlab:issue:edit")
    issue["title"] = "Done"
    steps.undo("gitlab:issue:edit")
    assert (issue["title"], issue["state"], issue["labels"], issue["assignees"]) == ("Do it", "opened", ["a"], [])
    steps.undo("gitlab:issue:edit")
    assert len(gitlab.asked) == 2


def test_a_migration_is_started_once_and_undo_cancels_it(steps: ForgeSteps, gitlab: FakeGitLab) -> None:
    asked = {
        "destinationAccessToken": "token-of-a-person",
        "destinationUrl": f"{steps.system.host}?owner=acme&repo=shop",
        "sourceAccessToken": "token-of-the-source",
        "sourceFullPath": "old/shop",
        "sourceUrl": "https://old.example.com",
    }
    gitlab.dies = "bulk_imports"
    with pytest.raises(TaxiwayError, match="503"):
        steps.run("gitlab:group:migrate", asked)
    place = f"{steps.system.host}/acme/shop"
    assert steps.again("gitlab:group:migrate", asked) == {"importedRepoUrl": place, "migrationId": 1}
    assert "token-of" not in str(steps.made)
    steps.undo("gitlab:group:migrate")
    assert gitlab.named(bulk_imports=["status"]) == [["timeout"]]


def test_a_dry_run_asks_nothing_and_makes_nothing(steps: ForgeSteps) -> None:
    whole = values(
        steps,
        projectId=100,
        title="t",
        branchName="b",
        commitMessage="m",
        path="acme",
        userIds=[1],
        name="n",
        scopes=["api"],
        key="K",
        value="v",
        variableType="file",
        tokenDescription="d",
        branch="main",
        issueIid=1,
        destinationAccessToken="t",
        destinationUrl=f"{steps.system.host}?owner=a&repo=b",
        sourceAccessToken="t",
        sourceFullPath="p",
        sourceUrl="https://old.example.com",
    )
    for key in MODULES:
        asked = {**whole, "path": ["a/b"]} if key.endswith("ensureExists") else whole
        output = steps.run(key, asked, dry=True)
        assert set(steps.actions[key].output_schema.get("required", [])) <= set(output), key
        assert any(line.startswith("would ") for line in steps.lines), key
        assert (steps.system.asked, steps.made) == ([], []), key
