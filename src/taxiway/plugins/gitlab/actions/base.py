"""What actions on GitLab have in common: the GitLab and project that a step means, calls, and secrets of the run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from taxiway.model.errors import InputError
from taxiway.model.run import Created
from taxiway.plugin import PluginContext, StepContext
from taxiway.plugin.forging.branches import Branch
from taxiway.plugin.forging.clients import quoted
from taxiway.plugin.forging.making import action_client
from taxiway.plugin.forging.repo_urls import RepoUrl, parse_repo_url
from taxiway.plugin.forging.smart_http import GitRemote
from taxiway.plugins.gitlab.client import GitLabClient, GitLabClients

Values = Mapping[str, Any]
REPO_URL = "<host>?owner=<group or user>&repo=…"
HOST_OF = "<host>?…: which GitLab; the rest of it is not looked at"
AS_WHOM = "A token to use instead of that of the settings"
PROJECT_ID: dict[str, Any] = {"type": ["number", "string"], "description": "Id or full path of the project"}
SECRET = "secret"  # noqa: S105 a kind of the inventory
TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
NUMBERS: dict[str, Any] = {"type": "array", "items": {"type": "number"}}


def flag(description: str, default: bool | None = None) -> dict[str, Any]:
    """The schema of a boolean."""
    return {"type": "boolean", "description": description} | ({} if default is None else {"default": default})


def number(description: str) -> dict[str, Any]:
    """The schema of a number."""
    return {"type": "number", "description": description}


def given(**values: Any) -> dict[str, Any]:
    """The values that are there: GitLab takes what is left out as its default, and null as something else."""
    return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class Project:
    """A project by its full path or id, with the credential of a step."""

    client: GitLabClient
    host: str
    name: str

    @property
    def place(self) -> str:
        """Its name in the inventory."""
        return f"{self.host}/{self.name}"

    @property
    def data(self) -> dict[str, str]:
        """What the inventory holds of it, for `GitLab.own`."""
        return {"host": self.host, "project": self.name}

    def path(self, more: str = "") -> str:
        """A path of the API below the project."""
        return f"projects/{quoted(self.name)}/{more}".rstrip("/")

    def find(self, more: str = "") -> Any:
        """What is at a path, or None."""
        answer = self.client.get(self.path(more))
        return None if answer.status == 404 else answer.checked(f"{self.place} {more}".strip()).json()

    def read(self, more: str = "") -> Any:
        """What is at a path. NotFoundError."""
        return self.client.get(self.path(more)).checked(f"{self.place} {more}".strip()).json()

    def send(self, method: str, more: str, body: Any = None) -> Any:
        """Call, and give what the answer holds."""
        return sent(self.client, method, self.path(more), body)

    def pages(self, more: str) -> Iterator[Any]:
        """Every item of a list."""
        sign = "&" if "?" in more else "?"
        return self.client.pages(f"{self.path(more)}{sign}per_page=100")

    def remove(self, more: str) -> None:
        """Delete what is at a path; nothing happens when it is gone."""
        answer = self.client.send("DELETE", self.path(more))
        if answer.status != 404:
            answer.checked(f"DELETE {self.place} {more}")

    @property
    def remote(self) -> GitRemote:
        """Its git. The project is named by its path, not its id."""
        return self.client.remote("/".join(quoted(part) for part in self.name.split("/")))

    def branch(self, name: str) -> Branch:
        return Branch(self.place, name, self.remote, self.data)


@dataclass(frozen=True)
class GitLab:
    """What an action is made of: the plugin's host side and its clients."""

    ctx: PluginContext
    clients: GitLabClients

    def client(self, step: StepContext, values: Values) -> tuple[GitLabClient, RepoUrl]:
        """The GitLab of a step, with its credential, and the step's `repoUrl` in parts."""
        url = parse_repo_url(values["repoUrl"])
        token = values.get("token")
        client: GitLabClient = action_client(self.clients, step, url.host, token and self.secret(step, token))
        if not step.is_dry_run:
            client.token()  # an action without a credential could only fail later, and less clearly
        return client, url

    def project(self, step: StepContext, values: Values) -> Project:
        """The project of a step: `projectId` where it has one, else what the `repoUrl` says."""
        client, url = self.client(step, values)
        name = values.get("projectId") or url.project
        if not name and url.owner and url.repo:
            name = f"{url.owner}/{url.repo}"
        if not name:
            raise InputError(
                f"'{values['repoUrl']}' names no project: add owner=… and repo=…, or say projectId",
                code="forge.repo_url",
            )
        return Project(client, url.host, _id_text(name))

    def by_path(self, step: StepContext, values: Values) -> Project:
        """The project of a step by its full path, which git needs."""
        project = self.project(step, values)
        if not project.name.isdigit() or step.is_dry_run:
            return project
        return Project(project.client, project.host, str(project.read()["path_with_namespace"]))

    def own(self, data: Values) -> Project:
        """The project of an entry of the inventory, with the credential in the settings: what undo uses."""
        return Project(self.clients.of(data["host"]), data["host"], data["project"])

    def remote(self, data: Values) -> GitRemote:
        """Its git."""
        return self.own(data).remote

    def secret(self, step: StepContext, value: str) -> str:
        """`value`, or the secret behind it where it is a reference to one of this run. Others' are never looked up."""
        is_own = re.fullmatch(rf"secret://[^/]+/golden-paths/{re.escape(step.run_id)}/[^/]+", value)
        return step.resolve_secret(value) if is_own else value

    def keep(self, step: StepContext, name: str, value: str) -> str:
        """Keep a secret that GitLab made, as one of this run, and return its reference."""
        step.hide(value)
        reference = self.ctx.secrets.put(f"golden-paths/{step.run_id}/{name}", value)
        step.created(SECRET, reference, {"reference": reference})
        return reference

    def forget(self, step: StepContext, item: Created) -> None:
        """Undo of `keep`."""
        self.ctx.secrets.delete(item.data["reference"])
        step.log(f"Forgot {item.name}")


def sent(client: GitLabClient, method: str, path: str, body: Any = None) -> Any:
    """Call, and give what the answer holds; None when it is empty. An error names the call."""
    answer = client.send(method, path, body).checked(f"{method} {client.settings.host} {path}")
    return answer.json() if answer.body.strip() else None


def _id_text(name: Any) -> str:
    # A number may come as 12.0 out of a template.
    return str(int(name)) if isinstance(name, float) else str(name).strip("/")
