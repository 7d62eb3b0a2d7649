"""What actions on GitHub do beyond the plain way: tokens, refusals, what others did meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from factories.github_api import TOKEN, github_api
from factories.github_desk import Desk, desk_for
from factories.github_work import GitHubAtWork
from taxiway.model.errors import ConflictError, InputError, NotAllowedError, NotFoundError, RateLimitedError
from taxiway.plugin.forging.smart_http import basic

PULL = {"branchName": "change", "title": "Change", "description": "Why"}


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubAtWork]:
    with github_api(tmp_path_factory.mktemp("hosted") / "git", GitHubAtWork) as running:
        yield running


@pytest.fixture
def desk(forge: GitHubAtWork, tmp_path: Path) -> Desk:
    forge.reset()
    return desk_for(forge, tmp_path)


def test_a_token_of_the_step_is_used_for_api_and_git_and_is_never_told(desk: Desk, tmp_path: Path) -> None:
    forge, token = desk.forge, "token-of-a-person"
    forge.tokens[token] = "ann"
    forge.git.accepts.add(basic("x-access-token", token))
    poor = desk_for(forge, tmp_path / "poor", has_credential=False)
    step = poor.step()
    poor.run("publish:github", {"token": token, "protectDefaultBranch": False}, step)
    forge.git.accepts.discard(basic("x-access-token", token))
    sent = {one.headers["authorization"] for one in forge.system.asked[-8:]}
    assert sent == {f"Bearer {token}", basic("x-access-token", token)}
    assert token in step.hidden
    assert token not in repr((step.lines, step.made))
    with pytest.raises(InputError, match=r"set one in plugins\.github\.hosts, or give the step a token"):
        poor.run("github:pages:enable", {})
    with pytest.raises(InputError, match="which plans and undo use: set one"):
        poor.undo("publish:github", step)


def test_secrets_are_sealed_and_need_their_extra(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from base64 import b64decode, b64encode

    from nacl.public import PrivateKey, SealedBox

    private, values = PrivateKey.generate(), {"secrets": {"KEY": "hunter2 with ümlauts"}, "protectDefaultBranch": False}
    desk.forge.public_key = b64encode(bytes(private.public_key)).decode()
    step = desk.step()
    desk.run("publish:github", values, step)
    sealed = desk.forge.kept("acme/shop", "secrets")["KEY"]["encrypted_value"]
    assert SealedBox(private).decrypt(b64decode(sealed)).decode() == "hunter2 with ümlauts"
    assert "hunter2" not in repr((step.lines, step.made, [one.body for one in desk.forge.system.asked]))
    desk.forge.reset()
    monkeypatch.setitem(sys.modules, "nacl.public", None)
    with pytest.raises(InputError, match=r"pip install 'taxiway\[github\]'"):
        desk.run("publish:github", values)
    assert not desk.forge.repositories


def test_a_name_that_somebody_has_is_told_by_the_plan_and_never_taken_over(desk: Desk) -> None:
    action: Any = desk.actions["publish:github"]
    place = f"{desk.forge.host}/acme/shop"
    assert action.names({"repoUrl": desk.url}) == [("repository", place, False)]
    desk.forge.add("acme/shop", {"a": "theirs"})
    assert action.names({"repoUrl": desk.url}) == [("repository", place, True)]
    step, before = desk.step(), desk.forge.state()
    for key in ("publish:github", "github:repo:create"):
        with pytest.raises(ConflictError, match="choose another name"):
            desk.run(key, {}, step)
    desk.undo("publish:github", step)
    assert desk.forge.state() == before


def test_names_that_lead_elsewhere_are_refused_before_anything_is_asked(desk: Desk) -> None:
    desk.forge.system.asked.clear()
    for query in ("owner=acme&repo=..", "owner=acme&repo=a/../../b", "owner=a%2Fb&repo=c", "owner=acme&repo=a%3Fb"):
        with pytest.raises(InputError):
            desk.run("publish:github", {"repoUrl": f"{desk.forge.host}?{query}"})
    with pytest.raises(NotFoundError, match="add it to `hosts`"):
        desk.run("publish:github", {"repoUrl": "github.evil.example?owner=acme&repo=shop"})
    assert not desk.forge.system.asked


def test_a_repository_of_another_account_is_not_made_in_that_of_the_credential(desk: Desk) -> None:
    with pytest.raises(InputError, match="the credential is that of robot"):
        desk.run("publish:github", {"repoUrl": f"{desk.forge.host}?owner=ann&repo=shop"})
    done = desk.run("github:repo:create", {"repoUrl": f"{desk.forge.host}?owner=robot&repo=shop"})
    assert done["remoteUrl"] == f"{desk.forge.system.url}/robot/shop.git"


def test_undo_refuses_what_others_have_committed_to(desk: Desk) -> None:
    step = desk.step()
    desk.run("publish:github", {"protectDefaultBranch": False}, step)
    desk.forge.git.commit("acme/shop", "work", {"a": "theirs"})
    with pytest.raises(ConflictError, match="commits made since on work"):
        desk.undo("publish:github", step)
    assert not desk.forge.repositories["acme/shop"]["archived"]
    desk.forge.reset()
    desk.forge.add("acme/shop", id=77, created_at=desk.forge.now)  # deleted, and made anew by somebody, empty so far
    desk.undo("publish:github", step)
    assert desk.forge.repositories


def test_a_repository_that_may_not_be_deleted_stays_archived_and_undo_says_what_to_do(desk: Desk) -> None:
    step = desk.step()
    desk.run("publish:github", {}, step)
    desk.forge.refuses["repos/delete"] = (403, {"message": "Must have admin rights to Repository."})
    for _ in range(2):
        with pytest.raises(NotAllowedError, match="was archived, and the credential may not delete it"):
            desk.undo("publish:github", step)
    assert desk.forge.repositories["acme/shop"]["archived"]
    desk.forge.refuses.clear()
    desk.undo("publish:github", step)
    assert not desk.forge.repositories


def test_repo_create_and_push_are_undone_together_with_what_github_began(desk: Desk) -> None:
    create, push = desk.step(), desk.step()
    desk.run("github:repo:create", {}, create)
    desk.run("github:repo:push", {}, push)
    desk.undo("github:repo:push", push)
    desk.undo("github:repo:create", create)
    assert not desk.forge.repositories
    desk.run("github:repo:create", {"autoInit": True}, create := desk.step())
    with pytest.raises(ConflictError, match="has commits already"):
        desk.run("github:repo:push", {}, push := desk.step())
    desk.undo("github:repo:push", push)  # the branch is not its own
    desk.undo("github:repo:create", create)
    assert not desk.forge.repositories


def test_what_is_not_to_stop_a_run_in_backstage_is_a_warning(desk: Desk) -> None:
    desk.forge.refuses |= {
        "repos/replace-all-topics": (422, {"message": "Validation Failed", "errors": [{"message": "bad topic"}]}),
        "repos/update-branch-protection": (
            403, {"message": "Upgrade to GitHub Pro or make this repository public to enable this feature."}
        ),
        "repos/create-webhook": (403, {"message": "Must have admin rights to Repository."}),
    }  # fmt: skip
    step = desk.step()
    desk.run("publish:github", {"topics": ["x"]}, step)
    desk.run("github:webhook", {"webhookUrl": "https://hooks.example.com/secret-path"}, step)
    made, plan = list(step.made), desk.forge.refuses["repos/update-branch-protection"]
    desk.forge.refuses["repos/get-branch-protection"] = plan
    desk.run("github:branch-protection:create", {}, step)
    desk.forge.refuses.clear()
    assert step.made == made
    told = "\n".join(step.lines)
    assert "secret-path" not in told + repr(made)
    assert "Skipping topics x: " in told
    assert "bad topic" in told
    assert told.count("private repositories need GitHub Pro") == 2
    assert "Skipping the webhook" in told


def test_a_secondary_limit_ends_the_step_with_when_to_come_back(desk: Desk) -> None:
    desk.forge.refuses["repos/create-in-org"] = (403, {"message": "You have exceeded a secondary rate limit"})
    step = desk.step()
    with pytest.raises(RateLimitedError) as limited:
        desk.run("publish:github", {}, step)
    desk.forge.refuses.clear()
    assert 50 < (limited.value.retry_after_seconds or 0) <= 60


def test_protection_that_was_there_comes_back(desk: Desk) -> None:
    forge = desk.forge
    forge.add("acme/shop", {"a": "b"})
    before = {
        "required_status_checks": {"strict": False, "contexts": ["old"]}, "enforce_admins": False,
        "required_pull_request_reviews": {
            "required_approving_review_count": 2, "dismiss_stale_reviews": True, "require_code_owner_reviews": True,
            "require_last_push_approval": True,
            "bypass_pull_request_allowances": {"users": ["a"], "teams": [], "apps": []},
        },
        "restrictions": {"users": ["kim"], "teams": ["owners"], "apps": []},
        "required_linear_history": True, "allow_force_pushes": True, "allow_deletions": False, "block_creations": False,
        "required_conversation_resolution": True, "lock_branch": False, "allow_fork_syncing": False,
    }  # fmt: skip
    forge.kept("acme/shop", "protection")["main"] = {"body": before, "signed": False}
    step = desk.step()
    desk.run("github:branch-protection:create", {"requiredCommitSigning": True}, step)
    assert forge.kept("acme/shop", "protection")["main"]["body"] != before
    desk.undo("github:branch-protection:create", step)
    assert forge.kept("acme/shop", "protection")["main"] == {"body": before, "signed": False}


def test_a_pull_request_holds_what_differs_and_nothing_of_others_is_lost(desk: Desk) -> None:
    forge = desk.forge
    forge.add("acme/shop", {"README.md": "# shop\n", "kept": "k"})
    first = desk.step()
    done = desk.run("publish:github:pull-request", {**PULL, "gitAuthorName": "Ann"}, first)
    assert (done["pullRequestNumber"], done["targetBranchName"]) == (1, "main")
    changed = forge.git.at("acme/shop", "diff-tree", "-r", "--name-status", "main", "change").splitlines()
    assert changed == ["A\tlogo.bin", "A\tsrc/run.sh"]
    assert forge.git.files("acme/shop", "change")["src/run.sh"].startswith("100755 ")
    assert forge.git.at("acme/shop", "log", "-1", "--format=%an", "change") == "Ann"
    refused = desk.step()
    with pytest.raises(ConflictError, match="has an open pull request already"):
        desk.run("publish:github:pull-request", PULL, refused)
    desk.undo("publish:github:pull-request", refused)  # what is there is another run's
    (desk.workspace / "more").write_text("m")
    replaced, before = desk.step(), forge.git.heads("acme/shop")["change"]
    update = {**PULL, "update": True, "title": "Changed"}
    for _ in range(2):
        assert desk.run("publish:github:pull-request", update, replaced)["pullRequestNumber"] == 1
    assert forge.git.heads("acme/shop")["change"] != before
    desk.undo("publish:github:pull-request", replaced)
    desk.undo("publish:github:pull-request", replaced)
    assert (forge.git.heads("acme/shop")["change"], forge.kept("acme/shop", "pulls")["1"]["state"]) == (before, "open")
    desk.run("publish:github:pull-request", update)
    assert forge.kept("acme/shop", "pulls")["1"]["title"] == "Changed"
    with pytest.raises(ConflictError, match="has commits made since"):
        desk.undo("publish:github:pull-request", first)
    forge.git.commit("acme/shop", "change", {"theirs": "t"})
    with pytest.raises(ConflictError, match="commits of others, which would be lost"):
        desk.run("publish:github:pull-request", {**PULL, "update": True, "title": "Again"})


def test_a_merged_pull_request_is_not_undone(desk: Desk) -> None:
    desk.forge.add("acme/shop", {"a": "b"})
    step = desk.step()
    desk.run("publish:github:pull-request", PULL, step)
    desk.forge.kept("acme/shop", "pulls")["1"] |= {"state": "closed", "merged_at": "2030-01-02T00:00:00Z"}
    with pytest.raises(ConflictError, match="was merged: revert it there"):
        desk.undo("publish:github:pull-request", step)


def test_what_is_pushed_while_a_pull_request_is_taken_back_stays(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    forge, step = desk.forge, desk.step()
    forge.add("acme/shop", {"a": "b"})
    desk.run("publish:github:pull-request", PULL, step)
    close = forge.pulls_update

    def close_late(call: Any, login: str) -> Any:
        forge.git.commit("acme/shop", "change", {"theirs": "t"})
        return close(call, login)

    monkeypatch.setattr(forge, "pulls_update", close_late)
    with pytest.raises(ConflictError, match="refused the push"):
        desk.undo("publish:github:pull-request", step)
    assert "theirs" in forge.git.files("acme/shop", "change")


def test_a_pull_request_without_changes_is_opened_only_where_that_is_wanted(desk: Desk) -> None:
    desk.forge.add("acme/shop", {"README.md": "# shop\n"})
    for name in ("src/run.sh", "logo.bin"):
        (desk.workspace / name).unlink()
    assert desk.run("publish:github:pull-request", {**PULL, "createWhenEmpty": False}) == {}
    assert not desk.forge.changes
    assert desk.run("publish:github:pull-request", PULL)["pullRequestNumber"] == 1


def test_a_pull_request_may_come_from_a_fork(desk: Desk) -> None:
    forge = desk.forge
    forge.add("acme/shop", {"a": "b"}, permissions={"admin": False, "push": False, "pull": True})
    step = desk.step()
    desk.run("publish:github:pull-request", PULL, step)
    assert "change" in forge.git.heads("robot/shop")
    assert forge.kept("acme/shop", "pulls")["1"]["label"] == "robot:change"
    desk.undo("publish:github:pull-request", step)
    assert "change" not in forge.git.heads("robot/shop")
    assert forge.kept("acme/shop", "pulls")["1"]["state"] == "closed"


def test_reviewers_that_github_does_not_know_stop_an_environment_from_being_made(desk: Desk) -> None:
    desk.forge.add("acme/shop", {"a": "b"})
    for ref in ("user:default/no-body", "group:default/no-team", "component:default/x"):
        with pytest.raises((NotFoundError, InputError), match="reviewer"):
            desk.run("github:environment:create", {"name": "prod", "reviewers": [ref]})
    assert not desk.forge.kept("acme/shop", "environments")


def test_a_run_that_somebody_else_may_have_started_is_not_cancelled(desk: Desk) -> None:
    desk.forge.add("acme/shop", {"a": "b"})
    wanted = {"workflowId": "ci.yml", "branchOrTagName": "main"}
    known, unknown = desk.step(), desk.step()
    desk.run("github:actions:dispatch", {**wanted, "returnWorkflowRunDetails": True}, known)
    desk.run("github:actions:dispatch", wanted, unknown)
    desk.run("github:actions:dispatch", wanted)
    desk.undo("github:actions:dispatch", unknown)
    assert "2 runs were started since" in "".join(unknown.lines)
    desk.undo("github:actions:dispatch", known)
    runs = desk.forge.kept("acme/shop", "runs").values()
    assert [one["status"] for one in runs] == ["completed", "queued", "queued"]


def test_turns_of_a_loop_make_one_each(desk: Desk) -> None:
    desk.forge.add("acme/shop", {"a": "b"})
    step = desk.step()
    for title in ("one", "two", "one"):
        desk.run("github:issues:create", {"title": title, "body": "x"}, step)
    for value in ("1", "2", "1"):
        inputs = {"workflowId": "ci.yml", "branchOrTagName": "main", "workflowInputs": {"n": value}}
        desk.run("github:actions:dispatch", inputs, step)
    assert [one["title"] for one in desk.forge.kept("acme/shop", "issues").values()] == ["one", "two"]
    assert [one["inputs"]["n"] for one in desk.forge.kept("acme/shop", "runs").values()] == ["1", "2"]


def test_the_credential_is_in_no_error(desk: Desk) -> None:
    desk.forge.add("acme/shop")
    for query in ("owner=acme&repo=none", "owner=acme&repo=shop"):
        with pytest.raises((NotFoundError, ConflictError)) as failed:
            desk.run("publish:github:pull-request", {**PULL, "repoUrl": f"{desk.forge.host}?{query}"})
        assert TOKEN not in repr(failed.value)
