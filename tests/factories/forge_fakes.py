"""A GitHub and a GitLab as scripts over HTTP: the answers have the fields, headers and paging of the real ones.

Each holds repositories as {full name: Files}; a push is an assignment. They refuse a wrong token, answer conditional
requests with 304, and count what they were asked.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from factories.described import Described, judged
from factories.other_system import Asked, OtherSystem, Reply, other_system

TOKEN = "token-of-the-test"


@dataclass
class Repo:
    """A repository of a fake forge."""

    files: dict[str, str | bytes]
    topics: list[str] = field(default_factory=list)
    archived: bool = False
    fork: bool = False
    branch: str = "main"
    pushed_at: str = "2024-01-01T00:00:00Z"
    branches: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """Other branches: what each has beside the default one."""
    pulls: list[dict[str, Any]] = field(default_factory=list)
    mail: str = "gil@example.org"

    @property
    def commit(self) -> str:
        return hashlib.sha1(repr(sorted(self.files.items())).encode()).hexdigest()

    def content(self, path: str) -> bytes:
        found = self.files[path]
        return found if isinstance(found, bytes) else found.encode()

    def blobs(self) -> dict[str, str]:
        return {path: hashlib.sha1(self.content(path)).hexdigest() for path in self.files}


@dataclass
class FakeForge:
    """What a fake forge holds. `fails` answers instead of it, when it answers at all."""

    repositories: dict[str, Repo] = field(default_factory=dict)
    teams: list[dict[str, Any]] = field(default_factory=list)
    members: list[dict[str, Any]] = field(default_factory=list)
    fails: Callable[[Asked], Reply | None] | None = None
    per_page: int = 2
    system: OtherSystem = field(init=False)

    @property
    def host(self) -> str:
        return self.system.host

    def asked(self) -> list[str]:
        """Paths asked for since the last call, without the API's own prefix."""
        found = [one.path.split("/api/v3/")[-1].split("/api/v4/")[-1].split("?")[0] for one in self.system.asked]
        self.system.asked.clear()
        return found


@contextmanager
def github() -> Iterator[FakeForge]:
    with _judged(Described("github", "/api/v3"), _github, "/api/graphql") as forge:
        yield forge


@contextmanager
def gitlab() -> Iterator[FakeForge]:
    with _judged(Described("gitlab", "/api/v4"), _gitlab) as forge:
        yield forge


@contextmanager
def _judged(api: Described, answer: Callable[[FakeForge, Asked], Reply], *beside: str) -> Iterator[FakeForge]:
    """A fake that is held to the published description, as who asks it is."""
    forge = FakeForge()
    with other_system(judged(api, lambda asked: answer(forge, asked), beside)) as forge.system:
        yield forge
    assert not api.problems, api.problems


def _github(forge: FakeForge, asked: Asked) -> Reply:
    if forge.fails is not None and (failed := forge.fails(asked)) is not None:
        return failed
    if asked.headers.get("authorization") != f"Bearer {TOKEN}":
        return Reply({"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest"}, 401)
    parts = urlsplit(asked.path)
    query = {key: values[0] for key, values in parse_qs(parts.query).items()}
    if parts.path == "/api/graphql":
        return _graphql(forge, json.loads(asked.body))
    path = parts.path.removeprefix("/api/v3/")
    if path == "orgs/acme":
        return Reply({"login": "acme", "id": 1})
    if path == "orgs/acme/repos":
        items = [_github_repo(name, repo) for name, repo in sorted(forge.repositories.items())]
        return _paged(forge, parts.path, items, query)
    if match := re.fullmatch(r"repos/([^/]+/[^/]+)(?:/(.*))?", path):
        repo = forge.repositories.get(match[1])
        if repo is None:
            return Reply({"message": "Not Found"}, 404)
        return _github_inside(match[1], repo, match[2] or "", asked)
    return Reply({"message": "Not Found"}, 404)


def _github_repo(name: str, repo: Repo) -> dict[str, Any]:
    return {
        "full_name": name,
        "default_branch": repo.branch,
        "topics": repo.topics,
        "archived": repo.archived,
        "disabled": False,
        "fork": repo.fork,
        "pushed_at": repo.pushed_at,
    }


def _github_inside(name: str, repo: Repo, rest: str, asked: Asked) -> Reply:
    if not rest:
        return Reply(_github_repo(name, repo))
    if (written := _github_writing(name, repo, rest, asked)) is not None:
        return written
    if rest.startswith("git/trees/"):
        if not repo.files:
            return Reply({"message": "Git Repository is empty."}, 409)
        if unquote(rest.removeprefix("git/trees/")) != repo.branch:
            return Reply({"message": "Not Found"}, 404)
        blobs = repo.blobs()
        tree = [
            {"path": path, "mode": "100644", "type": "blob", "sha": sha, "size": len(repo.content(path))}
            for path, sha in blobs.items()
        ]
        tag = f'W/"{repo.commit}"'
        if asked.headers.get("if-none-match") == tag:
            return Reply(status=304, headers={"etag": tag})
        return Reply({"sha": repo.commit, "tree": tree, "truncated": False}, headers={"etag": tag})
    paths = {sha: path for path, sha in repo.blobs().items()}
    path = paths.get(rest.removeprefix("git/blobs/")) or unquote(rest.removeprefix("contents/"))
    if path not in repo.files or "raw" not in asked.headers["accept"]:
        return Reply({"message": "Not Found"}, 404)
    return Reply(repo.content(path), headers={"content-type": "application/vnd.github.raw+json"})


def _github_writing(name: str, repo: Repo, rest: str, asked: Asked) -> Reply | None:
    query = {key: values[0] for key, values in parse_qs(urlsplit(asked.path).query).items()}
    body = json.loads(asked.body) if asked.body else {}
    if rest == "commits":
        return Reply([{"sha": repo.commit, "commit": {"author": {"email": repo.mail}}}] * 2)
    if rest == f"git/ref/heads/{repo.branch}":
        return Reply({"ref": f"refs/heads/{repo.branch}", "object": {"sha": repo.commit, "type": "commit"}})
    if rest == "git/refs" and asked.method == "POST":
        branch = body["ref"].removeprefix("refs/heads/")
        if branch in repo.branches or body["sha"] != repo.commit:
            return Reply({"message": "Reference already exists"}, 422)
        repo.branches[branch] = {}
        return Reply({"ref": body["ref"], "object": {"sha": body["sha"]}}, 201)
    if rest.startswith("contents/") and query.get("ref") in repo.branches:
        found = unquote(rest.removeprefix("contents/")) in repo.branches[query["ref"]]
        return Reply({"type": "file"} if found else {"message": "Not Found"}, 200 if found else 404)
    if rest.startswith("contents/") and asked.method == "PUT":
        repo.branches[body["branch"]][unquote(rest.removeprefix("contents/"))] = base64.b64decode(body["content"])
        return Reply({"content": {}, "commit": {}}, 201)
    if rest == "pulls" and asked.method == "POST":
        if body["head"] not in repo.branches or body["base"] != repo.branch:
            return Reply({"message": "Validation Failed"}, 422)
        ends = {end: {"ref": body[end]} for end in ("head", "base")}
        made = {
            "number": len(repo.pulls) + 1,
            "html_url": f"https://forge/{name}/pull/1",
            "title": body["title"],
            **ends,
        }
        repo.pulls.append(made)
        return Reply(made, 201)
    if rest == "pulls":
        owner, _, head = query["head"].partition(":")
        assert (owner, query["state"]) == (name.partition("/")[0], "all")
        return Reply([one for one in repo.pulls if one["head"]["ref"] == head])
    return None


def _graphql(forge: FakeForge, body: Mapping[str, Any]) -> Reply:
    after = int(body["variables"].get("after") or 0)

    def connection(nodes: list[Any]) -> dict[str, Any]:
        end = after + forge.per_page
        page = {"hasNextPage": end < len(nodes), "endCursor": str(end)}
        return {"pageInfo": page, "nodes": nodes[after:end]}

    if "membersWithRole" in body["query"]:
        found: dict[str, Any] = {"name": "Acme", "avatarUrl": "", "membersWithRole": connection(forge.members)}
    else:
        found = {"teams": connection(forge.teams)}
    return Reply({"data": {"organization": found}})


def _gitlab(forge: FakeForge, asked: Asked) -> Reply:
    if forge.fails is not None and (failed := forge.fails(asked)) is not None:
        return failed
    if asked.headers.get("private-token") != TOKEN:
        return Reply({"message": "401 Unauthorized"}, 401)
    parts = urlsplit(asked.path)
    query = {key: values[0] for key, values in parse_qs(parts.query).items()}
    path = parts.path.removeprefix("/api/v4/")
    names = sorted(forge.repositories)
    if path == "groups/acme/projects":
        items = [_project(names.index(name), name, repo) for name, repo in sorted(forge.repositories.items())]
        return _paged(forge, parts.path, items, query)
    if match := re.fullmatch(r"projects/([^/]+)(?:/(.*))?", path):
        named = unquote(match[1])
        name = names[int(named)] if named.isdigit() and int(named) < len(names) else named
        if name not in forge.repositories:
            return Reply({"message": "404 Project Not Found"}, 404)
        repo = forge.repositories[name]
        inside = _project(names.index(name), name, repo) if not match[2] else None
        return Reply(inside) if inside else _gitlab_inside(forge, parts.path, repo, match[2], query, asked)
    if match := re.fullmatch(r"groups/(\w+)(/.*)?", path):
        return _gitlab_group(forge, match[1], match[2] or "", parts.path, query)
    return Reply({"message": "404 Not Found"}, 404)


def _project(number: int, name: str, repo: Repo) -> dict[str, Any]:
    forked = {"forked_from_project": {"id": 99}} if repo.fork else {}
    return {
        "id": number,
        "path_with_namespace": name,
        "default_branch": repo.branch,
        "topics": repo.topics,
        "archived": repo.archived,
        "empty_repo": not repo.files,
        **forked,
    }


def _gitlab_inside(forge: FakeForge, base: str, repo: Repo, rest: str, query: Mapping[str, str], asked: Asked) -> Reply:
    if (written := _gitlab_writing(repo, rest, query, asked)) is not None:
        return written
    if rest.startswith("repository/commits/"):
        if unquote(rest.removeprefix("repository/commits/")) != repo.branch:
            return Reply({"message": "404 Commit Not Found"}, 404)
        tag = f'W/"{repo.commit}"'
        if asked.headers.get("if-none-match") == tag:
            return Reply(status=304, headers={"etag": tag})
        return Reply({"id": repo.commit, "short_id": repo.commit[:8]}, headers={"etag": tag})
    if rest == "repository/tree":
        items = [{"id": sha, "name": path, "type": "blob", "path": path} for path, sha in repo.blobs().items()]
        return _paged(forge, base, items, query)
    path = unquote(rest.removeprefix("repository/files/").removesuffix("/raw"))
    return Reply(repo.content(path)) if path in repo.files else Reply({"message": "404 File Not Found"}, 404)


def _gitlab_writing(repo: Repo, rest: str, query: Mapping[str, str], asked: Asked) -> Reply | None:
    body = json.loads(asked.body) if asked.body else {}
    if rest == "repository/commits" and asked.method == "POST":
        if body["branch"] in repo.branches or body["start_branch"] != repo.branch:
            return Reply({"message": "A branch called so already exists."}, 400)
        files = {one["file_path"]: base64.b64decode(one["content"]) for one in body["actions"]}
        repo.branches[body["branch"]] = files
        return Reply({"id": "c" * 40}, 201)
    if rest == "repository/commits":
        return Reply([{"id": repo.commit, "author_email": repo.mail}] * 2)
    if rest.startswith("repository/files/") and query.get("ref") in repo.branches:
        found = unquote(rest.removeprefix("repository/files/")) in repo.branches[query["ref"]]
        return Reply({"file_path": ""} if found else {"message": "404 File Not Found"}, 200 if found else 404)
    if rest == "merge_requests" and asked.method == "POST":
        if body["source_branch"] not in repo.branches or any(
            one["source_branch"] == body["source_branch"] for one in repo.pulls
        ):
            return Reply({"message": ["Another open merge request already exists"]}, 409)
        said = {name: body[name] for name in ("source_branch", "target_branch", "title", "description")}
        repo.pulls.append({"iid": len(repo.pulls) + 1, "web_url": "https://forge/-/merge_requests/1", **said})
        return Reply(repo.pulls[-1], 201)
    if rest == "merge_requests":
        return Reply([one for one in repo.pulls if one["source_branch"] == query["source_branch"]])
    return None


def _gitlab_group(forge: FakeForge, key: str, rest: str, base: str, query: Mapping[str, str]) -> Reply:
    groups = {"acme": forge.teams[0], **{str(group["id"]): group for group in forge.teams}} if forge.teams else {}
    if key not in groups:
        return Reply({"message": "404 Group Not Found"}, 404)
    if rest == "/descendant_groups":
        return _paged(forge, base, forge.teams[1:], query)
    if rest == "/members":
        inside = [one for one in forge.members if groups[key]["id"] in one["groups"]]
        return _paged(forge, base, [{k: v for k, v in one.items() if k != "groups"} for one in inside], query)
    return Reply(groups[key])


def _paged(forge: FakeForge, path: str, items: list[Any], query: Mapping[str, str]) -> Reply:
    page = int(query.get("page") or 1)
    rest = "&".join(f"{key}={value}" for key, value in query.items() if key != "page")
    shown = items[(page - 1) * forge.per_page : page * forge.per_page]
    more = len(items) > page * forge.per_page
    link = f'<{forge.system.url}{path}?{rest}&page={page + 1}>; rel="next"'
    return Reply(shown, headers={"link": link} if more else {})
