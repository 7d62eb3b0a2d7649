"""Actions on GitLab, Azure DevOps and Bitbucket whose forge loses an answer, one after the other: done again they make
nothing twice, and undo takes back what was made, however far it came."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from factories.described import Described
from factories.fake_azure import FakeAzure
from factories.fake_bitbucket import FakeBitbucket
from factories.fake_gitlab import FakeGitLab
from factories.forge_steps import ForgeSteps, forge_steps
from factories.git_host import GitHost
from taxiway.model.errors import UnavailableError
from taxiway.plugin.forging.smart_http import basic
from taxiway.plugin.testing.host import memory_host
from taxiway.plugins.azure import PLUGIN as AZURE
from taxiway.plugins.bitbucket import PLUGIN as BITBUCKET
from taxiway.plugins.bitbucket.actions import MODULES as ON_BITBUCKET
from taxiway.plugins.gitlab import PLUGIN as GITLAB
from taxiway.plugins.gitlab.actions import MODULES as ON_GITLAB

TOKEN = "token-of-the-test"
ENDED = frozenset({"closed", "DECLINED", "timeout"})


@dataclass(frozen=True)
class Case:
    """An action on a forge (gitlab, azure, cloud, own) with an input. `is_new`: there is no repository yet."""

    forge: str
    key: str
    values: Mapping[str, Any] = field(default_factory=dict)
    is_new: bool = False


PULL = {"title": "More", "sourceBranch": "more", "targetBranch": "main"}
PROJECT = {"projectId": 100}
CASES = [
    Case("gitlab", "publish:gitlab", {
        "branches": [{"name": "next", "create": True, "ref": "master", "protect": True}], "setUserAsOwner": True,
        "projectVariables": [{"key": "A", "value": "a"}, {"key": "B", "value": "b"}],
    }, is_new=True),
    Case("gitlab", "publish:gitlab:merge-request", {
        "title": "More", "branchName": "more", "assignReviewersFromApprovalRules": True,
    }),
    Case("gitlab", "gitlab:repo:push", {"branchName": "main", "commitMessage": "m"}),
    Case("gitlab", "gitlab:group:ensureExists", {"path": ["acme/a/b"]}),
    Case("gitlab", "gitlab:group:access", {"path": "acme", "userIds": [1, 2], "groupIds": [7]}),
    Case("gitlab", "gitlab:issues:create", {"title": "Do it"}),
    Case("gitlab", "gitlab:issue:edit", {**PROJECT, "issueIid": 1, "title": "Done", "stateEvent": "close"}),
    Case("gitlab", "gitlab:pipeline:trigger", {**PROJECT, "tokenDescription": "t", "branch": "main"}),
    Case("gitlab", "gitlab:projectAccessToken:create", {**PROJECT, "name": "ci"}),
    Case("gitlab", "gitlab:projectDeployToken:create", {**PROJECT, "name": "pull", "scopes": ["read_registry"]}),
    Case("gitlab", "gitlab:projectVariable:create", {**PROJECT, "key": "K", "value": "v", "variableType": "file"}),
    Case("gitlab", "gitlab:group:migrate", {
        "destinationAccessToken": TOKEN, "sourceAccessToken": "t" * 20, "sourceFullPath": "old/shop",
        "sourceUrl": "https://old.example.com",
    }),
    Case("azure", "publish:azure", is_new=True),
    Case("cloud", "publish:bitbucketCloud", is_new=True),
    Case("cloud", "publish:bitbucketCloud:pull-request", PULL),
    Case("cloud", "bitbucketCloud:branchRestriction:create", {"kind": "force"}),
    Case("cloud", "bitbucket:pipelines:run", {"workspace": "acme", "repo_slug": "shop"}),
    Case("own", "publish:bitbucketServer", {"enableLFS": True}, is_new=True),
    Case("own", "publish:bitbucket", is_new=True),
    Case("own", "publish:bitbucketServer:pull-request", PULL),
]  # fmt: skip
URLS = {
    "gitlab": "owner=acme&repo=shop",
    "azure": "organization=acme&project=web&repo=shop",
    "cloud": "workspace=acme&project=WEB&repo=shop",
    "own": "project=WEB&repo=shop",
}


@dataclass
class Bench:
    """One forge, made anew for each try. `fake` is the present one."""

    case: Case
    folder: Path
    api: Described
    handlers: dict[str, Any] = field(default_factory=dict)
    fake: Any = None
    steps: ForgeSteps = field(init=False)

    def prepare(self) -> Any:
        """A forge as it is before the step; its state."""
        self.count = getattr(self, "count", 0) + 1
        kind = self.case.forge
        words = {"gitlab": basic("oauth2", TOKEN), "azure": basic("", TOKEN), "cloud": basic("x-token-auth", TOKEN)}
        git = GitHost(self.folder / f"hosted-{self.count}", {words.get(kind, f"Bearer {TOKEN}")})
        makes: dict[str, Any] = {"gitlab": FakeGitLab, "azure": FakeAzure}
        self.fake = makes[kind](git) if kind in makes else FakeBitbucket(git, kind == "cloud")
        self.fake.url = self.steps.system.url
        self.fake.prepare(has_repository=not self.case.is_new)
        self.handlers.clear()
        self.handlers.update(self.fake.handlers())
        self.api.changes.clear()
        self.api.dies_behind = None
        return self.state()

    def state(self) -> Any:
        return json.loads(json.dumps([self.fake.state(), self.heads()], sort_keys=True))

    def heads(self) -> dict[str, Any]:
        root = self.fake.git.root
        names = sorted(str(path.relative_to(root)).removesuffix(".git") for path in root.rglob("*.git"))
        return {name: self.fake.git.heads(name) for name in names if self.fake.has(name)}

    def values(self) -> dict[str, Any]:
        url = f"{self.steps.system.host}?{URLS[self.case.forge]}"
        named = {"destinationUrl": url} if self.case.key.endswith("migrate") else {"repoUrl": url}
        return {**self.case.values, **({} if self.case.key.endswith("pipelines:run") else named)}


@contextmanager
def bench(case: Case, folder: Path) -> Iterator[Bench]:
    names = {"gitlab": ("gitlab", "/api/v4"), "azure": ("azure", ""), "cloud": ("bitbucket-cloud", "/2.0")}
    name, base = names.get(case.forge, ("bitbucket-data-center", "/rest"))
    plugin = {"gitlab": GITLAB, "azure": AZURE}.get(case.forge, BITBUCKET)
    more = {"cloud": True, "api_path": "/2.0"} if case.forge == "cloud" else {}
    made = Bench(case, folder, Described(name, base))
    with forge_steps(folder, plugin, made.api, made.handlers, lambda asked: made.fake.over_git(asked), **more) as steps:
        made.steps = steps
        (steps.workspace / "README.md").write_text("hello\n")
        yield made


def test_every_action_that_changes_something_has_a_case(tmp_path: Path) -> None:
    azure = {
        value.key for point, value in AZURE.contribute(memory_host(tmp_path, "azure").context) if point == "action"
    }
    known = {*ON_GITLAB, *ON_BITBUCKET, *azure} - {"gitlab:user:info"}
    assert {case.key for case in CASES} == known


@pytest.mark.parametrize("case", CASES, ids=[case.key for case in CASES])
def test_whatever_answer_is_lost_nothing_is_made_twice_and_undo_leaves_nothing(case: Case, tmp_path: Path) -> None:
    with bench(case, tmp_path) as at:
        before = at.prepare()
        output = at.steps.run(case.key, at.values())
        wanted, count = at.state(), len(at.api.changes)
        assert count
        assert wanted != before
        at.steps.undo(case.key)
        assert _open(at.state()) == _open(before), at.steps.lines
        for number in range(1, count + 1):
            at.prepare()
            at.api.dies_behind = number
            with pytest.raises(UnavailableError):
                at.steps.run(case.key, at.values())
            again = at.steps.again(case.key, at.values())
            where = f"behind {at.api.changes[number - 1]}"
            assert (_less(again), at.state()) == (_less(output), wanted), where
            at.prepare()
            at.api.dies_behind = number
            with pytest.raises(UnavailableError):
                at.steps.run(case.key, at.values())
            at.steps.undo(case.key)
            at.steps.undo(case.key)
            assert _open(at.state()) == _open(before), f"{where}: {at.steps.lines}"


def _less(output: Any) -> Any:
    """An output without what differs each time: references of secrets, which name the run, and times."""
    return {name: value for name, value in output.items() if name != "updatedAt" and "secret://" not in str(value)}


def _open(state: Any) -> Any:
    """What is not over: pull requests and issues are closed, and a pipeline that was started is its own."""
    kept, heads = state
    live = {kind: [one for one in found if not _is_over(kind, one)] for kind, found in kept.items()}
    return [{kind: found for kind, found in live.items() if found}, heads]


def _is_over(kind: str, one: Any) -> bool:
    return kind == "pipelines" or (isinstance(one, dict) and (one.get("state") in ENDED or one.get("status") in ENDED))
