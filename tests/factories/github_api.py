"""A GitHub with repositories that are real git ones. Every request is judged by GitHub's own description of its API,
and so is every answer. It counts what changes something, and can lose the answer to any of that."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from factories.described import Call, Described, Operation
from factories.git_host import GitHost
from factories.openapi import filled
from factories.other_system import Asked, OtherSystem, Reply, other_system
from taxiway.plugin.forging.smart_http import basic

TOKEN = "token-of-the-settings"
Answer = tuple[int, Any]


class MissingError(Exception):
    """404."""


@dataclass
class FakeGitHub:
    """What it holds. `dies_behind` is the number of the changing request that is done and never answered."""

    git: GitHost
    api: Described
    system: OtherSystem = field(init=False)
    tokens: dict[str, str] = field(default_factory=lambda: {TOKEN: "robot"})
    organizations: set[str] = field(default_factory=lambda: {"acme"})
    repositories: dict[str, dict[str, Any]] = field(default_factory=dict)
    things: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    refuses: dict[str, Answer] = field(default_factory=dict)
    dies_behind: int | None = None
    public_key: str = base64.b64encode(b"k" * 32).decode()
    now: str = "2030-01-01T00:00:00Z"

    @property
    def host(self) -> str:
        return self.system.host

    def kept(self, repository: str, kind: str) -> dict[str, Any]:
        """The things of a kind of a repository, by key."""
        return self.things.setdefault((repository, kind), {})

    def state(self) -> Any:
        """Everything that is there, without what is another one each time."""
        things = {f"{name} {kind}": kept for (name, kind), kept in self.things.items() if kept}
        heads = {name: self.git.trees(name) for name in self.repositories}
        text = json.dumps([_stable(self.repositories), _stable(things), heads], sort_keys=True)
        return json.loads(text)

    def reset(self) -> None:
        """Begin anew, at the same address."""
        shutil.rmtree(self.git.root, ignore_errors=True)
        self.repositories.clear()
        self.things.clear()
        self.changes.clear()
        self.dies_behind = None

    def add(self, name: str, files: dict[str, str] | None = None, **facts: Any) -> None:
        """A repository that was there before, with a commit."""
        self.git.create(name)
        if files:
            self.git.commit(name, "main", files)
        self.repositories[name] = self._facts(name, {"created_at": "2020-01-01T00:00:00Z", **facts})

    def respond(self, asked: Asked) -> Reply:
        if (reply := self.git.answer(asked)) is not None:
            return self._died("push") or reply if asked.path.endswith("git-receive-pack") else reply
        parts = urlsplit(asked.path)
        path, method = parts.path.removeprefix("/api/v3"), asked.method
        login = self.tokens.get(asked.headers.get("authorization", "").removeprefix("Bearer "))
        if login is None:
            return Reply({"message": "Bad credentials"}, 401)
        found = self.api.find(method, path)
        if found is None:
            return self._wrong(f"there is no {method} {path}")
        operation, at = found
        try:
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            call = Call(at, query, self.api.judge(operation, query, asked.body), asked.headers)
            status, overlay = self._answer(operation.spec["operationId"], call, login)
            body = self._body(operation, status, overlay)
        except MissingError:
            return Reply({"message": "Not Found", "documentation_url": "https://docs.github.com/rest"}, 404)
        except (AssertionError, ValueError) as error:
            return self._wrong(f"{operation.name} {asked.body[:300]!r}: {error}")
        changed = method != "GET" and status < 300
        died = self._died(operation.spec["operationId"]) if changed else None
        return died or Reply(b"" if body is None else body, status)

    def _wrong(self, problem: str) -> Reply:
        self.api.problems.append(problem)
        return Reply({"message": f"the fake: {problem}"}, 400)

    def _body(self, operation: Operation, status: int, overlay: Any) -> Any:
        """What GitHub requires of the answer, with what the fake has to say in it."""
        if status >= 300:
            return overlay
        content = operation.spec["responses"].get(str(status), {}).get("content", {}).get("application/json")
        body = None if content is None else filled(self.api.document, content["schema"], overlay)
        self.api.judge_answer(operation, (status, body))
        return body

    def _died(self, operation: str) -> Reply | None:
        self.changes.append(operation)
        return Reply(status=500) if len(self.changes) == self.dies_behind else None

    def _answer(self, operation: str, call: Call, login: str) -> Answer:
        if operation in self.refuses:
            return self.refuses[operation]
        handler: Callable[[Call, str], Answer] | None = getattr(self, _name(operation), None)
        assert handler is not None, f"the fake does not do {operation}"
        if "repo" in call.at and self.repositories[self._repo(call)]["archived"]:
            assert re.search("/(get|list)|repos/(update|delete)$", operation), f"{operation} of an archived repository"
        return handler(call, login)

    def _repo(self, call: Call) -> str:
        name = f"{call.at['owner']}/{call.at['repo']}"
        if name not in self.repositories:
            raise MissingError
        return name

    def _facts(self, name: str, more: dict[str, Any]) -> dict[str, Any]:
        owner, _, short = name.partition("/")
        return {
            "id": len(self.repositories) + 1, "name": short, "full_name": name, "owner": {"login": owner},
            "html_url": f"{self.system.url}/{name}", "clone_url": f"{self.system.url}/{name}.git",
            "default_branch": "main", "archived": False, "created_at": self.now,
            "permissions": {"admin": True, "push": True, "pull": True}, **more,
        }  # fmt: skip

    def users_get_by_username(self, call: Call, login: str) -> Answer:
        name = call.at["username"]
        if name.startswith("no-"):
            raise MissingError
        kind = "Organization" if name in self.organizations else "User"
        return 200, {"login": name, "type": kind, "id": len(name)}

    def users_get_authenticated(self, call: Call, login: str) -> Answer:
        return 200, {"login": login, "type": "User"}

    def teams_get_by_name(self, call: Call, login: str) -> Answer:
        if call.at["team_slug"].startswith("no-"):
            raise MissingError
        return 200, {"slug": call.at["team_slug"], "id": 7}

    def teams_add_or_update_repo_permissions_in_org(self, call: Call, login: str) -> Answer:
        self.kept(self._repo(call), "access")[f"team {call.at['team_slug']}"] = call.body["permission"]
        return 204, None

    def repos_get(self, call: Call, login: str) -> Answer:
        return 200, self.repositories[self._repo(call)]

    def repos_create_in_org(self, call: Call, login: str) -> Answer:
        return self._create(f"{call.at['org']}/{call.body['name']}", call.body)

    def repos_create_for_authenticated_user(self, call: Call, login: str) -> Answer:
        return self._create(f"{login}/{call.body['name']}", call.body)

    def _create(self, name: str, body: dict[str, Any]) -> Answer:
        if name in self.repositories:
            detail = {"resource": "Repository", "code": "custom", "message": "name already exists on this account"}
            return 422, {"message": "Repository creation failed.", "errors": [detail]}
        self.git.create(name)
        self.repositories[name] = self._facts(name, {"private": body["private"]})
        if body.get("auto_init"):
            self.git.commit(name, "main", {"README.md": "# made by GitHub"}, "Initial commit")
        return 201, self.repositories[name]

    def repos_update(self, call: Call, login: str) -> Answer:
        self.repositories[self._repo(call)].update(call.body)
        return 200, self.repositories[self._repo(call)]

    def repos_delete(self, call: Call, login: str) -> Answer:
        name = self._repo(call)
        del self.repositories[name]
        shutil.rmtree(self.git.root / f"{name}.git")
        for key in [key for key in self.things if key[0] == name]:
            del self.things[key]
        return 204, None

    def repos_list_branches(self, call: Call, login: str) -> Answer:
        heads = self.git.heads(self._repo(call))
        return 200, [{"name": branch, "commit": {"sha": sha}} for branch, sha in heads.items()]

    def repos_add_collaborator(self, call: Call, login: str) -> Answer:
        self.kept(self._repo(call), "access")[call.at["username"]] = call.body["permission"]
        return 204, None

    def repos_replace_all_topics(self, call: Call, login: str) -> Answer:
        self.kept(self._repo(call), "topics")["names"] = call.body["names"]
        return 200, {"names": call.body["names"]}

    def activity_set_repo_subscription(self, call: Call, login: str) -> Answer:
        self.kept(self._repo(call), "subscription")["is"] = call.body
        return 200, {"subscribed": True}

    def actions_set_workflow_access_to_repository(self, call: Call, login: str) -> Answer:
        self.kept(self._repo(call), "workflow access")["is"] = call.body["access_level"]
        return 204, None

    def actions_set_custom_oidc_sub_claim_for_repo(self, call: Call, login: str) -> Answer:
        self.kept(self._repo(call), "oidc")["is"] = call.body
        return 201, {}

    # Lists of things that have a number each.

    def _numbered(self, call: Call, kind: str, thing: dict[str, Any]) -> dict[str, Any]:
        kept = self.kept(self._repo(call), kind)
        number = max((int(one) for one in kept), default=0) + 1
        kept[str(number)] = {**thing, "id": number}
        return kept[str(number)]

    def _listed(self, call: Call, kind: str) -> list[Any]:
        return list(self.kept(self._repo(call), kind).values())

    def _removed(self, call: Call, kind: str, key: str) -> Answer:
        if self.kept(self._repo(call), kind).pop(key, None) is None:
            raise MissingError
        return 204, None

    def repos_list_webhooks(self, call: Call, login: str) -> Answer:
        return 200, self._listed(call, "hooks")

    def repos_create_webhook(self, call: Call, login: str) -> Answer:
        made = self._numbered(call, "hooks", {key: call.body[key] for key in ("config", "events", "active")})
        return 201, made

    def repos_delete_webhook(self, call: Call, login: str) -> Answer:
        return self._removed(call, "hooks", call.at["hook_id"])

    def repos_list_autolinks(self, call: Call, login: str) -> Answer:
        return 200, self._listed(call, "autolinks")

    def repos_create_autolink(self, call: Call, login: str) -> Answer:
        return 201, self._numbered(call, "autolinks", call.body)

    def repos_delete_autolink(self, call: Call, login: str) -> Answer:
        return self._removed(call, "autolinks", call.at["autolink_id"])

    def repos_list_deploy_keys(self, call: Call, login: str) -> Answer:
        return 200, self._listed(call, "keys")

    def repos_create_deploy_key(self, call: Call, login: str) -> Answer:
        bare = " ".join(call.body["key"].split()[:2])  # GitHub does not keep the comment
        return 201, self._numbered(call, "keys", {"title": call.body["title"], "key": bare})

    def repos_delete_deploy_key(self, call: Call, login: str) -> Answer:
        return self._removed(call, "keys", call.at["key_id"])

    def repos_get_repo_rulesets(self, call: Call, login: str) -> Answer:
        return 200, self._listed(call, "rulesets")

    def repos_create_repo_ruleset(self, call: Call, login: str) -> Answer:
        return 201, self._numbered(call, "rulesets", call.body)

    def repos_delete_repo_ruleset(self, call: Call, login: str) -> Answer:
        return self._removed(call, "rulesets", call.at["ruleset_id"])

    # Branches

    def repos_get_branch(self, call: Call, login: str) -> Answer:
        sha = self._head(call, call.at["branch"])
        return 200, {"name": call.at["branch"], "commit": {"sha": sha}}

    def _head(self, call: Call, branch: str) -> str:
        head = self.git.heads(self._repo(call)).get(branch)
        if head is None:
            raise MissingError
        return head

    def repos_get_branch_protection(self, call: Call, login: str) -> Answer:
        found = self.kept(self._repo(call), "protection").get(call.at["branch"])
        if found is None:
            raise MissingError
        return 200, told_protection(found)

    def repos_update_branch_protection(self, call: Call, login: str) -> Answer:
        self._head(call, call.at["branch"])
        kept = self.kept(self._repo(call), "protection")
        signed = kept.get(call.at["branch"], {}).get("signed", False)
        kept[call.at["branch"]] = {"body": call.body, "signed": signed}
        return 200, {}

    def repos_delete_branch_protection(self, call: Call, login: str) -> Answer:
        return self._removed(call, "protection", call.at["branch"])

    def repos_create_commit_signature_protection(self, call: Call, login: str) -> Answer:
        self.kept(self._repo(call), "protection")[call.at["branch"]]["signed"] = True
        return 200, {"enabled": True}

    def repos_delete_commit_signature_protection(self, call: Call, login: str) -> Answer:
        self.kept(self._repo(call), "protection")[call.at["branch"]]["signed"] = False
        return 204, None


def _stable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _stable(item) for key, item in value.items() if key not in ("sha", "encrypted_value")}
    return re.sub(r"<!-- .* -->", "", value) if isinstance(value, str) else value


def _name(operation: str) -> str:
    return re.sub(r"[/-]", "_", operation)


def told_protection(found: dict[str, Any]) -> dict[str, Any]:
    """A protection as GitHub tells it: names have become objects, and switches have become objects too."""
    body = found["body"]

    def actors(names: dict[str, Any]) -> dict[str, Any]:
        keys = {"users": "login", "teams": "slug", "apps": "slug"}
        return {name: [{key: one} for one in names.get(name) or []] for name, key in keys.items()}

    told: dict[str, Any] = {"required_signatures": {"enabled": found["signed"], "url": "https://example.com/"}}
    switches = [name for name, value in body.items() if isinstance(value, bool)]
    told |= {name: {"enabled": body[name]} for name in switches}
    told["enforce_admins"] = {"enabled": bool(body["enforce_admins"]), "url": "https://example.com/"}
    if body["required_status_checks"] is not None:
        told["required_status_checks"] = {**body["required_status_checks"], "checks": []}
    if body["required_pull_request_reviews"] is not None:
        reviews = dict(body["required_pull_request_reviews"])
        for name in ("bypass_pull_request_allowances", "dismissal_restrictions"):
            if name in reviews:
                reviews[name] = actors(reviews[name])
        told["required_pull_request_reviews"] = reviews
    if body["restrictions"] is not None:
        told["restrictions"] = actors(body["restrictions"])
    return told


@contextmanager
def github_api(root: Path, kind: type[FakeGitHub] = FakeGitHub) -> Iterator[FakeGitHub]:
    """Runs until the block ends; the block fails when anything was asked that GitHub does not know."""
    forge = kind(GitHost(root, {basic("x-access-token", TOKEN)}), Described("github", "/api/v3"))
    with other_system(forge.respond) as forge.system:
        yield forge
    assert not forge.api.problems, forge.api.problems
