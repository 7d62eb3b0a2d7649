"""A Bitbucket of either kind for tests of actions, with real git repositories."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from factories.described import Answer, Call
from factories.git_host import GitHost
from factories.other_system import Asked, Reply

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
        name = self.name(call) if self.is_cloud else f"{self.name(call)}/{call.body['name'].lower().replace(' ', '-')}"
        if name in self.repositories:
            return (400 if self.is_cloud else 409), {"error": {"message": "there is one of that name"}}
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
        """Those from the branch that is asked for, the newest first."""
        if self.is_cloud:
            found = [one for one in self.pulls if call.query["q"] == f'source.branch.name = "{_source(one)}"']
        else:
            found = [one for one in self.pulls if call.query["at"] == _source(one)]
        return 200, self.listed(found[::-1])

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
                f"GET {CLOUD}/branch-restrictions": lambda call: (
                    200,
                    self.listed([one for one in self.restrictions[::-1] if one["kind"] == call.query["kind"]]),
                ),
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

    def prepare(self, *, has_repository: bool) -> None:
        """With a repository of before, where that is wanted."""
        if has_repository:
            name = "acme/shop" if self.is_cloud else "WEB/shop"
            self.git.create(name)
            self.git.commit(name, "main", {"README.md": "old"})
            self.repositories[name] = {"type": "repository"} if self.is_cloud else {"slug": "shop", "id": 1}

    def state(self) -> dict[str, list[Any]]:
        """All that there is, by kind."""
        return {
            "repositories": [[name, one] for name, one in self.repositories.items()],
            "pulls": self.pulls,
            "restrictions": self.restrictions,
            "pipelines": self.pipelines,
        }

    def has(self, name: str) -> bool:
        return name in self.repositories


def _source(pull: dict[str, Any]) -> str:
    asked = pull["asked"]
    return str(asked["source"]["branch"]["name"] if "source" in asked else asked["fromRef"]["id"])
