"""Actions on GitHub against a fake one that GitHub's own description of its API judges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from factories.github_api import github_api
from factories.github_desk import Desk, desk_for
from factories.github_work import GitHubAtWork
from taxiway.model.errors import UnavailableError
from taxiway.plugins.github.actions import MODULES

EVERYTHING = {
    "description": "A shop", "homepage": "https://shop.example.com", "access": "acme/owners",
    "repoVisibility": "public",
    "collaborators": [{"access": "push", "user": "user:default/ann"}, {"access": "pull", "team": "readers"}],
    "topics": ["Shop", "demo"], "repoVariables": {"STAGE": "test"}, "secrets": {"KEY": "hunter2-and-more"},
    "oidcCustomization": {"useDefault": False, "includeClaimKeys": ["repo"]}, "customProperties": {"tier": "one"},
    "subscribe": True, "hasWiki": False, "allowUpdateBranch": True,
}  # fmt: skip
RULES = {
    "requiredStatusCheckContexts": ["ci"], "requiredCommitSigning": True,
    "bypassPullRequestAllowances": {"users": ["ann"]}, "restrictions": {"users": ["ann"], "teams": ["owners"]},
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """An action with an input. `left` is what undo cannot take back, as keys of the state."""

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)
    has_repository: bool = True
    is_empty: bool = False
    keeps: str = ""


PULL = {"branchName": "feature/change", "title": "Change", "description": "Why", "filesToDelete": ["old.txt", "none"]}
CASES = [
    Case("publish:github", {**EVERYTHING, **RULES}, has_repository=False),
    Case("github:repo:create", {**EVERYTHING, "autoInit": True, "workflowAccess": "user"}, has_repository=False),
    Case("github:repo:push", {"gitAuthorName": "Ann"}, is_empty=True, keeps="its branch"),
    Case(
        "publish:github:pull-request",
        {**PULL, "reviewers": ["ann"], "teamReviewers": ["a", "a"], "assignees": ["bob"], "draft": True},
        keeps="closed pull request",
    ),
    Case("github:actions:dispatch", {
        "workflowId": "ci.yml", "branchOrTagName": "main", "workflowInputs": {"a": "b"},
        "returnWorkflowRunDetails": True,
    }, keeps="cancelled run"),
    Case("github:autolinks:create", {"keyPrefix": "T-", "urlTemplate": "https://t.example.com/<num>"}),
    Case("github:branch-protection:create", {**RULES, "enforceAdmins": False}),
    Case("github:repo:rulesets:create", {
        "name": "main", "rules": [{"type": "deletion"}],
        "conditions": {"ref_name": {"include": ["~ALL"], "exclude": []}},
    }),
    Case("github:deployKey:create", {
        "publicKey": "ssh-ed25519 AAAAC3Nz ann@laptop", "privateKey": "private half", "deployKeyName": "push key",
    }),
    Case("github:environment:create", {
        "name": "prod/eu", "deploymentBranchPolicy": {"protected_branches": False, "custom_branch_policies": True},
        "customBranchPolicyNames": ["release/*"], "customTagPolicyNames": ["v*"], "environmentVariables": {"A": "1"},
        "secrets": {"B": "2-is-secret"}, "waitTimer": 5, "preventSelfReview": True,
        "reviewers": ["ann", "group:default/owners"],
    }),
    Case("github:issues:create", {"title": "Do it", "body": "Soon", "labels": ["x"], "milestone": "1"}, keeps="closed"),
    Case("github:issues:label", {"number": 1, "labels": ["new", "old"]}),
    Case("github:pages:enable", {}),
    Case("github:webhook", {"webhookUrl": "https://hooks.example.com/x", "webhookSecret": "sign-with-me"}),
]  # fmt: skip
IDS = [case.key for case in CASES]


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubAtWork]:
    with github_api(tmp_path_factory.mktemp("hosted") / "git", GitHubAtWork) as running:
        yield running


@pytest.fixture
def desk(forge: GitHubAtWork, tmp_path: Path) -> Desk:
    forge.reset()
    return desk_for(forge, tmp_path)


def prepare(forge: GitHubAtWork, case: Case) -> Any:
    """The state before a step, which is given."""
    forge.reset()
    if case.has_repository:
        forge.add("acme/shop", None if case.is_empty else {"README.md": "# shop\n", "old.txt": "old"})
        issue = {"id": 1, "number": 1, "title": "there", "state": "open", "labels": ["old"], "body": None}
        forge.kept("acme/shop", "issues")["1"] = {**issue, "html_url": "https://example.com/1"}
    return forge.state()


def test_every_action_has_a_case() -> None:
    assert sorted(IDS) == sorted(MODULES)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_dry_run_asks_github_nothing_and_says_what_it_would_do(desk: Desk, case: Case) -> None:
    step = desk.step()
    step.ctx.is_dry_run = True
    desk.forge.system.asked.clear()
    output = desk.run(case.key, case.values, step)
    assert [line for line in step.lines if line.startswith("would ")]
    assert not desk.forge.system.asked
    assert not step.made
    assert set(output) == set(desk.actions[case.key].output_schema["properties"])


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_done_again_behind_any_lost_answer_it_makes_nothing_twice(desk: Desk, case: Case) -> None:
    forge = desk.forge
    prepare(forge, case)
    wanted = desk.run(case.key, case.values)
    state, count = forge.state(), len(forge.changes)
    assert count
    for number in range(1, count + 1):
        prepare(forge, case)
        step, forge.dies_behind = desk.step(), number
        with pytest.raises(UnavailableError):
            desk.run(case.key, case.values, step)
        forge.dies_behind = None
        assert desk.run(case.key, case.values, step) == wanted, forge.changes
        assert forge.state() == state, f"after a lost answer to {forge.changes[number - 1]}"
        assert [value for value in step.hidden if value in repr((step.made, step.lines))] == []


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_undo_takes_back_what_was_made_however_far_it_came(desk: Desk, case: Case) -> None:
    forge = desk.forge
    prepare(forge, case)
    desk.run(case.key, case.values)
    count = len(forge.changes)
    # Behind each change, or some of many: taking back a repository is the same however much is in it.
    ends = range(1, count + 1) if count < 9 else (1, 2, count // 2, count)
    for number in (*ends, None):
        before = prepare(forge, case)
        step, forge.dies_behind = desk.step(), number
        try:
            desk.run(case.key, case.values, step)
        except UnavailableError:
            assert number
        forge.dies_behind = None
        desk.undo(case.key, step)
        desk.undo(case.key, step)
        after = forge.state()
        if case.keeps:
            after, before = (open_things(state, case.keeps) for state in (after, before))
        assert after == before, f"after {number} of {count}: {step.lines}"


def open_things(state: Any, keeps: str) -> Any:
    """What is still open: GitHub deletes no issue, pull request or run, and no default branch."""
    repositories, things, heads = state
    kept = {}
    for name, found in things.items():
        if name.endswith(("reviewers", "assignees")):
            continue
        live = {
            key: one
            for key, one in found.items()
            if not (isinstance(one, dict) and ("closed" in one.values() or one.get("status") == "completed"))
        }
        if live:
            kept[name] = live
    return [repositories, kept, heads if "its branch" not in keeps else None]
