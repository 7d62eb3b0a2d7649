"""The other half of the fake GitHub: work on a repository, git through the API, environments and values."""

from __future__ import annotations

import base64
import shutil
import tempfile
from typing import Any

from factories.described import Call
from factories.github_api import Answer, FakeGitHub, MissingError


class GitHubAtWork(FakeGitHub):
    """A GitHub that people work on."""

    def issues_create(self, call: Call, login: str) -> Answer:
        return 201, self._issue(call, {"labels": call.body.get("labels", [])})

    def _issue(self, call: Call, more: dict[str, Any]) -> dict[str, Any]:
        name = self._repo(call)
        thing = {"title": call.body["title"], "body": call.body.get("body"), "state": "open", **more}
        made = self._numbered(call, "issues", thing)
        made |= {"number": made["id"], "html_url": f"{self.system.url}/{name}/issues/{made['id']}"}
        return made

    def issues_list_for_repo(self, call: Call, login: str) -> Answer:
        return 200, self._listed(call, "issues")

    def issues_update(self, call: Call, login: str) -> Answer:
        found = self.kept(self._repo(call), "issues")[call.at["issue_number"]]
        found |= call.body
        return 200, found

    def issues_list_labels_on_issue(self, call: Call, login: str) -> Answer:
        found = self._numbered_one(call, "issues", "issue_number")
        return 200, [{"name": label} for label in found["labels"]]

    def issues_add_labels(self, call: Call, login: str) -> Answer:
        found = self._numbered_one(call, "issues", "issue_number")
        found["labels"] = list(dict.fromkeys([*found["labels"], *call.body["labels"]]))
        return 200, [{"name": label} for label in found["labels"]]

    def issues_remove_label(self, call: Call, login: str) -> Answer:
        found = self._numbered_one(call, "issues", "issue_number")
        if call.at["name"] not in found["labels"]:
            raise MissingError
        found["labels"].remove(call.at["name"])
        return 200, []

    def issues_add_assignees(self, call: Call, login: str) -> Answer:
        self.kept(self._repo(call), "assignees")[call.at["issue_number"]] = call.body["assignees"]
        return 201, {}

    def _numbered_one(self, call: Call, kind: str, parameter: str) -> dict[str, Any]:
        found: dict[str, Any] | None = self.kept(self._repo(call), kind).get(call.at[parameter])
        if found is None:
            raise MissingError
        return found

    # Workflows and pages

    def actions_list_workflow_runs(self, call: Call, login: str) -> Answer:
        runs = [run for run in self._listed(call, "runs") if run["head_branch"] == call.query["branch"]]
        return 200, {"total_count": len(runs), "workflow_runs": runs[::-1]}

    def actions_create_workflow_dispatch(self, call: Call, login: str) -> Answer:
        thing = {"head_branch": call.body["ref"], "status": "queued", "event": "workflow_dispatch"}
        made = self._numbered(call, "runs", {**thing, "inputs": call.body.get("inputs")})
        url = f"{self.system.url}/{self._repo(call)}/actions/runs/{made['id']}"
        made |= {"url": f"{url}?api", "html_url": url}
        if not call.body.get("return_run_details"):
            return 204, None
        return 200, {"workflow_run_id": made["id"], "run_url": made["url"], "html_url": made["html_url"]}

    def actions_cancel_workflow_run(self, call: Call, login: str) -> Answer:
        self._numbered_one(call, "runs", "run_id")["status"] = "completed"
        return 202, {}

    def repos_get_pages(self, call: Call, login: str) -> Answer:
        found = self.kept(self._repo(call), "pages")
        if not found:
            raise MissingError
        return 200, found["is"]

    def repos_create_pages_site(self, call: Call, login: str) -> Answer:
        self.kept(self._repo(call), "pages")["is"] = call.body
        return 201, call.body

    def repos_delete_pages_site(self, call: Call, login: str) -> Answer:
        return self._removed(call, "pages", "is")

    # git through the API

    def git_get_ref(self, call: Call, login: str) -> Answer:
        branch = call.at["ref"].removeprefix("heads/")
        return 200, {"ref": f"refs/heads/{branch}", "object": {"sha": self._head(call, branch), "type": "commit"}}

    def git_create_ref(self, call: Call, login: str) -> Answer:
        ref = call.body["ref"]
        if ref.removeprefix("refs/heads/") in self.git.heads(self._repo(call)):
            return 422, {"message": "Reference already exists"}
        self.git.at(self._repo(call), "update-ref", ref, call.body["sha"])
        return 201, {"ref": ref, "object": {"sha": call.body["sha"]}}

    def git_update_ref(self, call: Call, login: str) -> Answer:
        self.git.at(self._repo(call), "update-ref", f"refs/{call.at['ref']}", call.body["sha"])
        return 200, {"ref": f"refs/{call.at['ref']}", "object": {"sha": call.body["sha"]}}

    def git_delete_ref(self, call: Call, login: str) -> Answer:
        self.git.at(self._repo(call), "update-ref", "-d", f"refs/{call.at['ref']}")
        return 204, None

    def git_get_commit(self, call: Call, login: str) -> Answer:
        sha = call.at["commit_sha"]
        return 200, {"sha": sha, "tree": {"sha": self.git.at(self._repo(call), "rev-parse", f"{sha}^{{tree}}")}}

    def git_get_tree(self, call: Call, login: str) -> Answer:
        sha = call.at["tree_sha"]
        rows = (row.split(None, 3) for row in self.git.at(self._repo(call), "ls-tree", "-r", sha).splitlines())
        entries = [{"path": path, "mode": mode, "type": kind, "sha": blob} for mode, kind, blob, path in rows]
        return 200, {"sha": sha, "truncated": False, "tree": entries}

    def git_create_blob(self, call: Call, login: str) -> Answer:
        content = base64.b64decode(call.body["content"])
        return 201, {"sha": self.git.at(self._repo(call), "hash-object", "-w", "--stdin", given=content)}

    def git_create_tree(self, call: Call, login: str) -> Answer:
        name, lines = self._repo(call), []
        there = {row.split("\t")[1] for row in self.git.at(name, "ls-tree", "-r", call.body["base_tree"]).splitlines()}
        for entry in call.body["tree"]:
            sha = entry.get("sha")
            if "content" in entry:
                sha = self.git.at(name, "hash-object", "-w", "--stdin", given=entry["content"].encode())
            assert sha is not None or entry["path"] in there, "GitRPC::BadObjectState"
            lines.append(f"{entry['mode'] if sha else '0'} {sha or '0' * 40}\t{entry['path']}")
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": f"{folder}/index"}
            self.git.at(name, "read-tree", call.body["base_tree"], env=index)
            self.git.at(name, "update-index", "--index-info", given=("\n".join(lines) + "\n").encode(), env=index)
            return 201, {"sha": self.git.at(name, "write-tree", env=index), "truncated": False, "tree": []}

    def git_create_commit(self, call: Call, login: str) -> Answer:
        author = call.body.get("author") or {"name": login, "email": f"{login}@users.noreply.github.com"}
        who = ["-c", f"user.name={author['name']}", "-c", f"user.email={author['email']}"]
        parents = [part for parent in call.body["parents"] for part in ("-p", parent)]
        message = ["-m", call.body["message"]]
        sha = self.git.at(self._repo(call), *who, "commit-tree", call.body["tree"], *parents, *message)
        return 201, {"sha": sha}

    # Pull requests and forks

    def pulls_list(self, call: Call, login: str) -> Answer:
        found = [
            one
            for one in self._listed(call, "pulls")
            if one["label"] == call.query["head"] and call.query["state"] in (one["state"], "all")
        ]
        return 200, [self._pull(one) for one in found]

    def _pull(self, one: dict[str, Any]) -> dict[str, Any]:
        owner, _, branch = one["label"].partition(":")
        sha = self.git.heads(f"{owner}/{one['home']}").get(branch, one["sha"])
        return {**one, "head": {"ref": branch, "sha": sha}}

    def pulls_create(self, call: Call, login: str) -> Answer:
        name, body = self._repo(call), call.body
        owner, _, branch = body["head"].partition(":")
        home = call.at["repo"]
        thing = {
            "label": body["head"], "home": home, "sha": self.git.heads(f"{owner}/{home}")[branch], "state": "open",
            "title": body["title"], "body": body["body"], "base": {"ref": body["base"]}, "draft": body["draft"],
            "merged_at": None,
        }  # fmt: skip
        made = self._numbered(call, "pulls", thing)
        made |= {"number": made["id"], "html_url": f"{self.system.url}/{name}/pull/{made['id']}"}
        return 201, self._pull(made)

    def pulls_update(self, call: Call, login: str) -> Answer:
        found, change = self._numbered_one(call, "pulls", "pull_number"), dict(call.body)
        found |= {**change, "base": {"ref": change["base"]}} if "base" in change else change
        return 200, self._pull(found)

    def pulls_request_reviewers(self, call: Call, login: str) -> Answer:
        self.kept(self._repo(call), "reviewers")[call.at["pull_number"]] = call.body
        return 201, self._pull(self._numbered_one(call, "pulls", "pull_number"))

    def repos_create_fork(self, call: Call, login: str) -> Answer:
        of = self._repo(call)
        name = f"{login}/{call.at['repo']}"
        if name not in self.repositories:
            shutil.copytree(self.git.root / f"{of}.git", self.git.root / f"{name}.git")
            self.repositories[name] = self._facts(name, {"fork": True, "parent": {"full_name": of}})
        return 202, self.repositories[name]

    # Environments, variables and secrets

    def repos_get_environment(self, call: Call, login: str) -> Answer:
        name = call.at["environment_name"]
        if name not in self.kept(self._repo(call), "environments"):
            raise MissingError
        return 200, {"name": name}

    def repos_create_or_update_environment(self, call: Call, login: str) -> Answer:
        name = call.at["environment_name"]
        self.kept(self._repo(call), "environments")[name] = call.body
        return 200, {"name": name}

    def repos_delete_an_environment(self, call: Call, login: str) -> Answer:
        name = call.at["environment_name"]
        for key in [key for key in self.things if key[0] == self._repo(call) and key[1].startswith(f"{name}/")]:
            del self.things[key]
        return self._removed(call, "environments", name)

    def repos_list_deployment_branch_policies(self, call: Call, login: str) -> Answer:
        listed = self._listed(call, f"{call.at['environment_name']}/policies")
        return 200, {"total_count": len(listed), "branch_policies": listed}

    def repos_create_deployment_branch_policy(self, call: Call, login: str) -> Answer:
        return 200, self._numbered(call, f"{call.at['environment_name']}/policies", call.body)

    def repos_delete_deployment_branch_policy(self, call: Call, login: str) -> Answer:
        kind = f"{call.at['environment_name']}/policies"
        return self._removed(call, kind, call.at["branch_policy_id"])

    def _values(self, call: Call, kind: str) -> dict[str, Any]:
        environment = call.at.get("environment_name")
        if environment is not None and environment not in self.kept(self._repo(call), "environments"):
            raise MissingError
        return self.kept(self._repo(call), f"{environment}/{kind}" if environment else kind)

    def actions_create_repo_variable(self, call: Call, login: str) -> Answer:
        kept = self._values(call, "variables")
        if call.body["name"] in kept:
            return 409, {"message": "Already exists - Variable already exists"}
        kept[call.body["name"]] = call.body["value"]
        return 201, {}

    def actions_get_repo_variable(self, call: Call, login: str) -> Answer:
        name = call.at["name"]
        if name not in self._values(call, "variables"):
            raise MissingError
        return 200, {"name": name, "value": self._values(call, "variables")[name]}

    def actions_update_repo_variable(self, call: Call, login: str) -> Answer:
        self._values(call, "variables")[call.at["name"]] = call.body["value"]
        return 204, None

    def actions_delete_repo_variable(self, call: Call, login: str) -> Answer:
        return self._forgotten(call, "variables", call.at["name"])

    def actions_get_repo_public_key(self, call: Call, login: str) -> Answer:
        return 200, {"key": self.public_key, "key_id": "568250167242549743"}

    def actions_get_repo_secret(self, call: Call, login: str) -> Answer:
        name = call.at["secret_name"]
        if name not in self._values(call, "secrets"):
            raise MissingError
        return 200, {"name": name}

    def actions_create_or_update_repo_secret(self, call: Call, login: str) -> Answer:
        is_new = call.at["secret_name"] not in self._values(call, "secrets")
        self._values(call, "secrets")[call.at["secret_name"]] = call.body
        return (201, {}) if is_new else (204, None)

    def actions_delete_repo_secret(self, call: Call, login: str) -> Answer:
        return self._forgotten(call, "secrets", call.at["secret_name"])

    def _forgotten(self, call: Call, kind: str, name: str) -> Answer:
        if self._values(call, kind).pop(name, None) is None:
            raise MissingError
        return 204, None

    actions_create_environment_variable = actions_create_repo_variable
    actions_get_environment_variable = actions_get_repo_variable
    actions_update_environment_variable = actions_update_repo_variable
    actions_delete_environment_variable = actions_delete_repo_variable
    actions_get_environment_public_key = actions_get_repo_public_key
    actions_get_environment_secret = actions_get_repo_secret
    actions_create_or_update_environment_secret = actions_create_or_update_repo_secret
    actions_delete_environment_secret = actions_delete_repo_secret
