"""The actions on both kinds of Bitbucket against Atlassian's published descriptions, with real pushes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from factories.described import Answer, Call, Described
from factories.forge_steps import ForgeSteps, forge_steps
from factories.git_host import GitHost
from factories.other_system import Asked, Reply
from taxiway.model.errors import ConflictError, InputError
from taxiway.plugin.forging.smart_http import basic
from taxiway.plugins.bitbucket import PLUGIN

TOKEN, PERSON = "token-of-the-test", "token-of-a-person"
CLOUD, OWN = "/repositories/{workspace}/{repo_slug}", "/api/1.0/projects/{projectKey}/repos"
ONE = OWN + "/{repositorySlug}"


@dataclass
class FakeBitbucket:
    """Repositories, pull requests and the rest of one Bitbucket of either kind."""

    git: GitHost
    is_cloud: bool
    url: str = ""
    repositories: dict[str, dict[str, Any]] = field(default_factory=dict)
    pulls: list[dict[str, Any]] = field(default_factory=list)
    restrictions: list[dict[str, Any]] = field(default_factory=list)
    pipelines: list[dict[str, Any]] = field(default_factory=list)
    large: list[str] = field(default_factory=list)
    fails_once: str = ""

    def name(self, call: Call) -> str:
        return "/".join(
            call.at[key] for key in ("workspace", "projectKey", "repo_slug", "repositorySlug") if key in call.at
        )

    def get(self, call: Call) -> Answer:
        found = self.repositories.get(self.name(call))
        return (200, found) if found else (404, {"error": {"message": "there is none"}})

    def make(self, call: Call) -> Answer:
        name = self.name(call) if self.is_cloud else f"{self.name(call)}/{call.body['name']}"
        page = f"{self.url}/{name}"
        clone = {"name": "https" if self.is_cloud else "http", "href": f"{page}.git"}
        made: dict[str, Any] = {"slug": name.partition("/")[2], "asked": call.body}
        if self.is_cloud:
            made |= {"type": "repository", "created_on": "2099-01-01T00:00:00+00:00"}
            made |= {
                "mainbranch": {"type": "branch", "name": "main"},
                "links": {"clone": [clone], "html": {"href": page}},
            }
        else:
            made |= {
                "id": len(self.repositories) + 1,
                "links": {"clone": [clone], "self": [{"href": f"{page}/browse"}]},
            }
        self.repositories[name] = made
        self.git.create(name)
        return (200 if self.is_cloud else 201), made

    def change(self, call: Call) -> Answer:
        self.repositories[self.name(call)] |= call.body
        return 201, self.repositories[self.name(call)]

    def remove(self, call: Call) -> Answer:
        del self.repositories[self.name(call)]
        return (204 if self.is_cloud else 202), None

    def main(self, call: Call) -> Answer:
        return 200, {"id": "refs/heads/main", "displayId": "main"}

    def listed(self, values: list[Any]) -> dict[str, Any]:
        return {"values": values} if self.is_cloud else {"values": values, "isLastPage": True}

    def list_pulls(self, call: Call) -> Answer:
        return 200, self.listed(self.pulls)

    def open(self, call: Call) -> Answer:
        number = len(self.pulls) + 1
        page = {"href": f"{self.url}/pulls/{number}"}
        links = {"html": page} if self.is_cloud else {"self": [page]}
        made = {"id": number, "state": "OPEN", "version": 3, "links": links, "asked": call.body}
        self.pulls.append({"type": "pullrequest", **made} if self.is_cloud else made)
        if self.fails_once:
            self.fails_once = ""
            return 503, {"error": {"message": "busy"}}
        return 201, self.pulls[-1]

    def decline(self, call: Call) -> Answer:
        pull = self.pulls[int(call.at.get("pull_request_id") or call.at["pullRequestId"]) - 1]
        assert self.is_cloud or call.query["version"] == "3"
        pull["state"] = "DECLINED"
        return 200, pull

    def restrict(self, call: Call) -> Answer:
        self.restrictions.append({"id": len(self.restrictions) + 1, **call.body})
        return 201, self.restrictions[-1]

    def free(self, call: Call) -> Answer:
        self.restrictions = [one for one in self.restrictions if str(one["id"]) != call.at["id"]]
        return 204, None

    def start(self, call: Call) -> Answer:
        self.pipelines.append({"type": "pipeline", "build_number": len(self.pipelines) + 7, **call.body})
        return 201, self.pipelines[-1]

    def keep_large(self, call: Call) -> Answer:
        self.large.append(self.name(call))
        return 204, None

    def over_git(self, asked: Asked) -> Reply | None:
        return self.git.answer(replace(asked, path=asked.path.replace("/scm/", "/", 1)))

    def handlers(self) -> dict[str, Any]:
        if self.is_cloud:
            return {
                f"GET {CLOUD}": self.get,
                f"POST {CLOUD}": self.make,
                f"DELETE {CLOUD}": self.remove,
                f"GET {CLOUD}/pullrequests": self.list_pulls,
                f"POST {CLOUD}/pullrequests": self.open,
                f"POST {CLOUD}/pullrequests/{{pull_request_id}}/decline": self.decline,
                f"GET {CLOUD}/branch-restrictions": lambda call: (200, self.listed(self.restrictions)),
                f"POST {CLOUD}/branch-restrictions": self.restrict,
                f"DELETE {CLOUD}/branch-restrictions/{{id}}": self.free,
                f"GET {CLOUD}/pipelines": lambda call: (200, self.listed(self.pipelines)),
                f"POST {CLOUD}/pipelines": self.start,
            }
        return {
            f"POST {OWN}": self.make,
            f"GET {ONE}": self.get,
            f"PUT {ONE}": self.change,
            f"DELETE {ONE}": self.remove,
            f"GET {ONE}/default-branch": self.main,
            f"GET {ONE}/pull-requests": self.list_pulls,
            f"POST {ONE}/pull-requests": self.open,
            f"POST {ONE}/pull-requests/{{pullRequestId}}/decline": self.decline,
            f"PUT /git-lfs/admin{ONE.removeprefix('/api/1.0')}/enabled": self.keep_large,
        }


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
    parts = "workspace=acme&project=SHOP&repo=orders" if bitbucket.is_cloud else "project=SHOP&repo=orders"
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
    assert (bitbucket.git.pushes, bitbucket.large) == (1, [] if bitbucket.is_cloud else [name])
    assert "token-of" not in str(steps.made)
    bitbucket.git.commit(name, "theirs", {"a": "a"})
    with pytest.raises(ConflictError, match="commits made since on theirs"):
        steps.undo(key)
    bitbucket.git.at(name, "update-ref", "-d", "refs/heads/theirs")
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
    steps.undo(key)
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
    steps.undo(key)
    assert [one["kind"] for one in bitbucket.restrictions] == ["push"]


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
