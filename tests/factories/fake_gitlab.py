"""A GitLab for tests of actions: it keeps what it is told, and answers as GitLab's description says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from factories.described import Answer, Call
from factories.git_host import GitHost
from factories.other_system import Asked, Reply

PROJECT, GROUP = "/projects/{id}", "/groups/{id}"
REQUEST, ISSUE = f"{PROJECT}/merge_requests/{{merge_request_iid}}", f"{PROJECT}/issues/{{issue_iid}}"
NONE: Answer = (404, {"message": "404 Not found"})
USERS = {"ann": 11, "bob": 12}


@dataclass
class FakeGitLab:
    """Lists of what there is, each thing as it was sent, with what GitLab adds. `dies` makes the next creation of a
    kind (`POST path`) happen and answer 503, as a server that ends in the middle of it."""

    git: GitHost
    url: str = ""
    things: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    projects: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    levels: dict[str, dict[int, int]] = field(default_factory=dict)
    dies: str = ""
    asked: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return self.things.setdefault(kind, [])

    def named(self, **fields: Any) -> list[list[Any]]:
        """Some fields of each thing, by kind."""
        return [[one.get(name) for name in names] for kind, names in fields.items() for one in self.of(kind)]

    def project(self, name: str) -> dict[str, Any] | None:
        return self.projects.get(name) or next((p for p in self.projects.values() if str(p["id"]) == name), None)

    def add_project(self, name: str, **more: Any) -> dict[str, Any]:
        made = {
            "id": len(self.projects) + 100,
            "path_with_namespace": name,
            "http_url_to_repo": f"{self.url}/{name}.git",
            "created_at": "2099-01-01T00:00:00.000Z",
            "default_branch": "main",
            **more,
        }
        self.projects[name] = made
        self.git.create(name)
        return made

    def make_project(self, call: Call) -> Answer:
        group = next(path for path, one in self.groups.items() if one["id"] == call.body["namespace_id"])
        if f"{group}/{call.body['path']}" in self.projects:
            return 400, {"message": {"path": ["has already been taken"]}}
        asked = {key: call.body[key] for key in call.body if key != "path"}
        return 201, self.add_project(f"{group}/{call.body['path']}", asked=asked, archived=False)

    def get_project(self, call: Call) -> Answer:
        found = self.project(call.at["id"])
        return NONE if found is None else (200, found)

    def archive(self, call: Call) -> Answer:
        found = self.project(call.at["id"])
        assert found is not None
        found["archived"] = True
        return 201, found

    def remove_project(self, call: Call) -> Answer:
        found = self.project(call.at["id"])
        assert found is not None
        del self.projects[found["path_with_namespace"]]
        for kind in ("members", "protected_branches", "variables"):
            self.things.pop(kind, None)
        return 202, {"message": "202 Accepted"}

    def make_group(self, call: Call) -> Answer:
        parents = [path for path, one in self.groups.items() if one["id"] == call.body.get("parent_id")]
        path = "/".join([*parents, call.body["path"]])
        if path in self.groups:
            return 400, {"message": "Failed to save group {:path=>['has already been taken']}"}
        self.groups[path] = {"id": len(self.groups) + 1, "full_path": path, "shared_with_groups": []}
        return 201, self.groups[path]

    def get_group(self, call: Call) -> Answer:
        found = self.groups.get(call.at["id"])
        return NONE if found is None else (200, found)

    def remove_group(self, call: Call) -> Answer:
        del self.groups[call.at["id"]]
        return 204, None

    def inside(self, call: Call, things: Mapping[str, Any]) -> Answer:
        prefix = f"{call.at['id']}/"
        return 200, [one for path, one in things.items() if path.startswith(prefix) and "/" not in path[len(prefix) :]]

    def get_level(self, call: Call) -> Answer:
        level = self.levels.get(call.at["id"], {}).get(int(call.at["user_id"]))
        return NONE if level is None else (200, {"access_level": level})

    def set_level(self, call: Call) -> Answer:
        user = int(call.at.get("user_id") or call.body["user_id"])
        self.levels.setdefault(call.at["id"], {})[user] = call.body["access_level"]
        return (200 if "user_id" in call.at else 201), {"access_level": call.body["access_level"]}

    def drop_level(self, call: Call) -> Answer:
        del self.levels[call.at["id"]][int(call.at["user_id"])]
        return 204, None

    def share(self, call: Call) -> Answer:
        one = {"group_id": call.body["group_id"], "group_access_level": call.body["group_access"]}
        self.groups[call.at["id"]]["shared_with_groups"].append(one)
        return 201, self.groups[call.at["id"]]

    def unshare(self, call: Call) -> Answer:
        group = self.groups[call.at["id"]]
        group["shared_with_groups"] = [
            one for one in group["shared_with_groups"] if str(one["group_id"]) != call.at["group_id"]
        ]
        return 204, None

    def lists(self, kind: str, *match: str) -> Callable[[Call], Answer]:
        """The things of a kind whose fields are as the query says, the newest first."""

        def answer(call: Call) -> Answer:
            return 200, [
                one
                for one in reversed(self.of(kind))
                if all(one.get(name) == call.query[name] for name in match if name in call.query)
            ]

        return answer

    def makes(
        self, kind: str, number: str = "id", code: int = 201, unique: str = "", **more: Any
    ) -> Callable[[Call], Answer]:
        def answer(call: Call) -> Answer:
            marks = unique.split(" ") if unique else []
            if marks and any(all(one.get(name) == call.body.get(name) for name in marks) for one in self.of(kind)):
                return 409, {"message": "it is there already"}
            count = len(self.of(kind)) + 1
            made = {number: count, "id": count + 500 if number == "iid" else count, **(call.body or {}), **more}
            self.of(kind).append({key: value(count) if callable(value) else value for key, value in made.items()})
            if self.dies == kind:
                self.dies = ""
                return 503, {"message": "it ended"}
            return code, self.of(kind)[-1]

        return answer

    def finds(self, kind: str, parameter: str, number: str = "id") -> Callable[[Call], Answer]:
        def answer(call: Call) -> Answer:
            found = [one for one in self.of(kind) if str(one[number]) == call.at[parameter]]
            return (200, found[0]) if found else NONE

        return answer

    def removes(self, kind: str, parameter: str, number: str = "id") -> Callable[[Call], Answer]:
        def answer(call: Call) -> Answer:
            self.things[kind] = [one for one in self.of(kind) if str(one[number]) != call.at[parameter]]
            return 204, None

        return answer

    def variable(self, call: Call) -> list[dict[str, Any]]:
        mark = (call.at["key"], call.query["filter[environment_scope]"])
        return [one for one in self.of("variables") if (one["key"], one["environment_scope"]) == mark]

    def get_variable(self, call: Call) -> Answer:
        found = self.variable(call)
        return (200, found[0]) if found else NONE

    def remove_variable(self, call: Call) -> Answer:
        gone = self.variable(call)
        self.things["variables"] = [one for one in self.of("variables") if one not in gone]
        return 204, None

    def changes(self, kind: str, parameter: str, events: Mapping[str, str]) -> Callable[[Call], Answer]:
        def answer(call: Call) -> Answer:
            one = next(one for one in self.of(kind) if str(one["iid"]) == call.at[parameter])
            for name, value in call.body.items():
                if name == "state_event":
                    one["state"] = events[value]
                elif name == "assignee_ids":
                    one["assignees"] = [{"id": user} for user in value]
                elif name == "reviewer_ids":
                    one["reviewers"] = [{"id": user} for user in value]
                elif name == "labels":
                    one["labels"] = [label for label in value.split(",") if label]
                elif name == "add_labels":
                    one["labels"] = [*one.get("labels", []), *value.split(",")]
                else:
                    one[name] = value
            one["updated_at"] = f"2026-01-01T00:00:{len(self.asked):02}Z"
            self.asked.append(f"{kind} {one['iid']}: {', '.join(sorted(call.body))}")
            return 200, one

        return answer

    def merge(self, call: Call) -> Answer:
        one = next(one for one in self.of("merge_requests") if str(one["iid"]) == call.at["merge_request_iid"])
        assert call.body == {"auto_merge": True, "merge_when_pipeline_succeeds": True}
        return 200, {**one, "merge_when_pipeline_succeeds": True}

    def trigger(self, call: Call) -> Answer:
        assert call.body["token"] in [one["token"] for one in self.of("triggers")]
        return self.makes("pipelines", ref=call.at["ref"], source="trigger", web_url=lambda n: f"{self.url}/p/{n}")(
            call
        )

    def cancel(self, call: Call) -> Answer:
        found = next(one for one in self.of("bulk_imports") if str(one["id"]) == call.at["import_id"])
        found["status"] = "timeout"
        return 200, found

    def handlers(self) -> dict[str, Callable[[Call], Answer]]:
        page: dict[str, Any] = {"web_url": lambda count: f"{self.url}/{count}", "state": "opened"}
        more = {"project_id": 100, "updated_at": "2026-01-01T00:00:00Z"}
        opened = {"close": "closed", "reopen": "opened"}
        user = {"id": 11, "username": "ann", "name": "Ann", "state": "active", "web_url": f"{self.url}/ann"}
        return {
            "GET /namespaces/{id}": self.get_group,
            "GET /user": lambda call: (200, user),
            "GET /users/{id}": lambda call: (200, {**user, "public_email": "ann@example.com"}),
            "GET /users": lambda call: (200, [{"id": USERS[n]} for n in _one(call.query["username"]) if n in USERS]),
            "POST /projects": self.make_project,
            f"GET {PROJECT}": self.get_project,
            f"DELETE {PROJECT}": self.remove_project,
            f"POST {PROJECT}/archive": self.archive,
            f"POST {PROJECT}/members": self.makes("members", unique="user_id"),
            f"POST {PROJECT}/protected_branches": self.makes("protected_branches", unique="name"),
            f"POST {PROJECT}/variables": self.makes("variables", unique="key environment_scope"),
            f"GET {PROJECT}/variables/{{key}}": self.get_variable,
            f"DELETE {PROJECT}/variables/{{key}}": self.remove_variable,
            f"GET {PROJECT}/merge_requests": self.lists("merge_requests", "source_branch"),
            f"POST {PROJECT}/merge_requests": self.makes("merge_requests", "iid", **page),
            f"GET {REQUEST}": self.finds("merge_requests", "merge_request_iid", "iid"),
            f"PUT {REQUEST}": self.changes("merge_requests", "merge_request_iid", opened),
            f"PUT {REQUEST}/merge": self.merge,
            f"GET {REQUEST}/approval_rules": lambda call: (200, [{"eligible_approvers": [{"id": 12}, {"id": 13}]}]),
            f"GET {PROJECT}/issues": lambda call: (
                200,
                [one for one in self.of("issues")[::-1] if call.query["search"] in one["title"]],
            ),
            f"POST {PROJECT}/issues": self.makes("issues", "iid", **page, **more),
            f"GET {ISSUE}": self.finds("issues", "issue_iid", "iid"),
            f"PUT {ISSUE}": self.changes("issues", "issue_iid", opened),
            f"GET {PROJECT}/access_tokens": self.lists("access_tokens"),
            f"POST {PROJECT}/access_tokens": self.makes("access_tokens", token=lambda count: f"glpat-secret-{count}"),
            f"DELETE {PROJECT}/access_tokens/{{token_id}}": self.removes("access_tokens", "token_id"),
            f"GET {PROJECT}/deploy_tokens": self.lists("deploy_tokens"),
            f"POST {PROJECT}/deploy_tokens": self.makes(
                "deploy_tokens", token=lambda count: f"gldt-secret-{count}", username=lambda count: f"deployer-{count}"
            ),
            f"DELETE {PROJECT}/deploy_tokens/{{token_id}}": self.removes("deploy_tokens", "token_id"),
            f"GET {PROJECT}/triggers": self.lists("triggers"),
            f"POST {PROJECT}/triggers": self.makes("triggers", token=lambda count: f"glptt-secret-{count}"),
            f"DELETE {PROJECT}/triggers/{{trigger_id}}": self.removes("triggers", "trigger_id"),
            f"GET {PROJECT}/pipelines": self.lists("pipelines", "ref", "source"),
            f"POST {PROJECT}/ref/{{ref}}/trigger/pipeline": self.trigger,
            "POST /groups": self.make_group,
            f"GET {GROUP}": self.get_group,
            f"DELETE {GROUP}": self.remove_group,
            f"GET {GROUP}/projects": lambda call: self.inside(call, self.projects),
            f"GET {GROUP}/subgroups": lambda call: self.inside(call, self.groups),
            f"GET {GROUP}/members/{{user_id}}": self.get_level,
            f"POST {GROUP}/members": self.set_level,
            f"PUT {GROUP}/members/{{user_id}}": self.set_level,
            f"DELETE {GROUP}/members/{{user_id}}": self.drop_level,
            f"POST {GROUP}/share": self.share,
            f"DELETE {GROUP}/share/{{group_id}}": self.unshare,
            "GET /bulk_imports": self.lists("bulk_imports"),
            "POST /bulk_imports": self.makes("bulk_imports", code=200, source_url="", status="created"),
            "GET /bulk_imports/{import_id}": self.finds("bulk_imports", "import_id"),
            "POST /bulk_imports/{import_id}/cancel": self.cancel,
        }

    def over_git(self, asked: Asked) -> Reply | None:
        return self.git.answer(asked)

    def prepare(self, *, has_repository: bool) -> None:
        """With a group, and a project and an issue of before, where that is wanted."""
        self.groups["acme"] = {"id": 1, "full_path": "acme", "shared_with_groups": []}
        self.levels["acme"] = {1: 10}
        if has_repository:
            self.add_project("acme/shop")
            self.git.commit("acme/shop", "main", {"README.md": "old"})
            issue = {"iid": 1, "id": 501, "title": "there", "state": "opened", "project_id": 100}
            self.of("issues").append({**issue, "web_url": "", "updated_at": ""})

    def state(self) -> dict[str, list[Any]]:
        """All that there is, by kind, but for when it was changed."""
        things = {**self.things, "projects": list(self.projects.values()), "groups": list(self.groups.values())}
        plain = {
            kind: [{key: value for key, value in one.items() if key != "updated_at"} for one in found]
            for kind, found in things.items()
            if found
        }
        return {**plain, "levels": [[name, sorted(found.items())] for name, found in self.levels.items()]}

    def has(self, name: str) -> bool:
        return name in self.projects


def _one(value: str) -> Iterable[str]:
    return [value]
