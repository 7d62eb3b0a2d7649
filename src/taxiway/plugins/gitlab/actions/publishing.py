"""`publish:gitlab`: a project, made and filled from the workspace; undo archives and removes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from taxiway.model.errors import InputError, TaxiwayError
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, NameTaken, schema
from taxiway.plugin.forging.clients import quoted
from taxiway.plugin.forging.making import RepositoryState, would
from taxiway.plugin.forging.new_repositories import (
    COMMIT_INPUTS,
    NewRepository,
    RepositoryUndo,
    fill,
    first_commit,
    make_repository,
    name_taken,
)
from taxiway.plugin.forging.publishing import AUTHOR_INPUTS, NewCommit
from taxiway.plugin.forging.repo_urls import parse_repo_url
from taxiway.plugins.gitlab.actions.base import (
    AS_WHOM,
    REPO_URL,
    TEXTS,
    GitLab,
    Project,
    Values,
    flag,
    given,
    number,
    sent,
)
from taxiway.plugins.gitlab.actions.variables import variable_path
from taxiway.plugins.gitlab.client import GitLabClient

OWNER_LEVEL = 50
TEXT = {"type": "string"}
BOOLEAN = {"type": "boolean"}
SOURCE = {"type": ["string", "boolean"], "description": f"{COMMIT_INPUTS['sourcePath']}; false: nothing is pushed"}
VISIBILITY = {"type": "string", "enum": ["private", "public", "internal"]}
SETTINGS: dict[str, Any] = {
    "type": "object",
    "description": "More of GitLab's settings of the project",
    "properties": {
        "name": TEXT,
        "path": TEXT,
        "auto_devops_enabled": BOOLEAN,
        "ci_config_path": TEXT,
        "description": TEXT,
        "merge_method": {"type": "string", "enum": ["merge", "rebase_merge", "ff"]},
        "squash_option": {"type": "string", "enum": ["default_off", "default_on", "never", "always"]},
        "topics": TEXTS,
        "visibility": VISIBILITY,
        "only_allow_merge_if_all_discussions_are_resolved": BOOLEAN,
        "only_allow_merge_if_pipeline_succeeds": BOOLEAN,
        "allow_merge_on_skipped_pipeline": BOOLEAN,
    },
}
BRANCHES: dict[str, Any] = {
    "type": "array",
    "description": "Branches that are made (from ref, default master) or protected besides",
    "items": {
        "type": "object",
        "required": ["name"],
        "properties": {"name": TEXT, "protect": BOOLEAN, "create": BOOLEAN, "ref": TEXT},
    },
}
VARIABLES: dict[str, Any] = {
    "type": "array",
    "description": "Variables of its pipelines",
    "items": {
        "type": "object",
        "required": ["key", "value"],
        "properties": {
            "key": TEXT,
            "value": TEXT,
            "description": TEXT,
            "variable_type": {"type": "string", "enum": ["env_var", "file"]},
            "protected": BOOLEAN,
            "masked": BOOLEAN,
            "masked_and_hidden": BOOLEAN,
            "raw": BOOLEAN,
            "environment_scope": TEXT,
        },
    },
}


def make(gitlab: GitLab) -> list[FunctionAction]:
    """The action of this module."""
    undo = RepositoryUndo(lambda: Hosted(gitlab), gitlab.ctx)
    return [
        FunctionAction(
            key="publish:gitlab",
            description="Create a project on GitLab from the workspace",
            function=partial(_publish, gitlab),
            take_back=undo.take_back,
            check_back=undo.check_back,
            name_check=partial(_names, gitlab),
            input_schema=schema(
                ["repoUrl"],
                repoUrl=REPO_URL,
                repoVisibility={**VISIBILITY, "description": "Default private; settings.visibility goes before it"},
                defaultBranch="Name of the first branch; default master",
                **{**COMMIT_INPUTS, "sourcePath": SOURCE},
                **AUTHOR_INPUTS,
                skipExisting=flag("Leave a project that is there as it is, instead of failing"),
                token=AS_WHOM,
                setUserAsOwner=flag("Make the user of the token an owner, with the credential of the settings"),
                ownerUsername="A user who becomes an owner, with the credential of the settings",
                topics={**TEXTS, "description": "Its topics; settings.topics goes before them"},
                settings=SETTINGS,
                branches=BRANCHES,
                projectVariables=VARIABLES,
            ),
            output_schema=schema(
                ["remoteUrl", "repoContentsUrl", "projectId", "commitHash", "created"],
                remoteUrl="URL of the project",
                repoContentsUrl="URL of the root folder",
                projectId=number("Id of the project"),
                commitHash="SHA of the first commit",
                created=flag("Whether this step made it"),
            ),
        )
    ]


def _publish(gitlab: GitLab, ctx: StepContext, values: Values) -> Values:
    client, url = gitlab.client(ctx, values)
    branch = values.get("defaultBranch") or "master"
    new = _commit(ctx, values)
    project = Project(client, url.host, _name(values))
    if ctx.is_dry_run:
        text = f"create {project.place} with {len(new.changes) if new else 0} files"
        web = f"{client.web}/{project.name}"
        return would(ctx, text, {**_output(web, branch), "projectId": 0, "commitHash": "0" * 40, "created": True})
    namespace = client.get(f"namespaces/{quoted(url.owner)}").checked(f"the group or user {url.owner} on {url.host}")
    body = _body(values, url.repo, namespace.json()["id"])
    wanted = NewRepository(
        url.host,
        project.name,
        find=lambda: _kept(project.find()),
        make=lambda: _kept(sent(client, "POST", "projects", body)),
        id_of=lambda found: str(found["id"]),
    )
    made = make_repository(ctx, gitlab.ctx, wanted)
    told = {**_output(made.value["web"], branch), "projectId": made.value["id"], "created": made.is_ours}
    if not made.is_ours:
        if not values.get("skipExisting"):
            raise name_taken(wanted.place)
        ctx.log(f"Leaving {wanted.place} as it is")
        return {**told, **_output(made.value["web"], made.value["branch"] or branch)}
    _owners(gitlab, ctx, client, project, values)
    if new is not None:
        told["commitHash"] = fill(ctx, gitlab.ctx, wanted.place, project.remote, branch, new)
        _branches(ctx, project, values.get("branches") or [])
    for variable in values.get("projectVariables") or []:
        _variable(gitlab, ctx, project, variable)
    return told


def _names(gitlab: GitLab, values: Values) -> list[NameTaken]:
    """The name for a plan, looked for with the credential in the settings."""
    project = gitlab.own({"host": parse_repo_url(values["repoUrl"], "owner", "repo").host, "project": _name(values)})
    is_left = bool(values.get("skipExisting"))
    return [("repository", project.place, not is_left and project.find() is not None)]


def _name(values: Values) -> str:
    """The full path of the project to be."""
    url = parse_repo_url(values["repoUrl"], "owner", "repo")
    return f"{url.owner}/{(values.get('settings') or {}).get('path') or url.repo}"


def _commit(ctx: StepContext, values: Values) -> NewCommit | None:
    source = values.get("sourcePath")
    return None if source is False else first_commit(ctx, values, None if source is True else source)


def _body(values: Values, name: str, namespace: int) -> dict[str, Any]:
    body = {
        "namespace_id": namespace,
        "name": name,
        "path": name,
        "visibility": values.get("repoVisibility", "private"),
    }
    return {**body, **given(topics=values.get("topics") or None), **(values.get("settings") or {})}


def _kept(found: Any) -> Any:
    """What of a project is remembered."""
    if found is None:
        return None
    web = str(found["http_url_to_repo"]).removesuffix(".git")
    return {"id": found["id"], "web": web, "branch": found.get("default_branch") or ""}


def _output(web: str, branch: str) -> dict[str, Any]:
    return {"remoteUrl": web, "repoContentsUrl": f"{web}/-/blob/{branch}"}


def _owners(gitlab: GitLab, ctx: StepContext, client: GitLabClient, project: Project, values: Values) -> None:
    """Owners of a project that this step made, given by who may: the credential of the settings."""
    settings = gitlab.clients.of(project.host)
    if values.get("setUserAsOwner"):
        user = client.get("user").checked(f"the user of the token for {project.host}").json()
        _own(settings, project, int(user["id"]))
    name = values.get("ownerUsername")
    if not name:
        return
    try:
        users = settings.get(f"users?username={quote(name, safe='')}").checked(f"the user {name}").json()
        if not users:
            ctx.log(f"There is no user {name} on {project.host}: no owner is added", "stderr")
            return
        _own(settings, project, int(users[0]["id"]))
    except TaxiwayError as error:  # a warning in Backstage
        if error.retryable:
            raise
        ctx.log(f"{name} was not made an owner: {error.detail}", "stderr")


def _own(client: GitLabClient, project: Project, user: int) -> None:
    answer = client.send("POST", project.path("members"), {"user_id": user, "access_level": OWNER_LEVEL})
    if answer.status != 409:  # a member already
        answer.checked(f"an owner of {project.place}")


def _branches(ctx: StepContext, project: Project, branches: list[Values]) -> None:
    """More branches, at commits that are there; what is there and what is protected already stays."""
    heads: Mapping[str, str] = project.remote.heads() if any(one.get("create") for one in branches) else {}
    for one in branches:
        name, ref = one["name"], one.get("ref") or "master"
        if one.get("create") and name not in heads:
            if ref not in heads:
                raise InputError(
                    f"there is no branch {ref} to make {name} of: name another ref", code="forge.no_branch"
                )
            project.remote.move(name, heads[ref], old=None)
            ctx.log(f"Made the branch {name}")
        if one.get("protect"):
            answer = project.client.send("POST", project.path("protected_branches"), {"name": name})
            if answer.status != 409:
                answer.checked(f"protecting {name} of {project.place}")
            ctx.log(f"Protected the branch {name}")


def _variable(gitlab: GitLab, ctx: StepContext, project: Project, variable: Values) -> None:
    scope = variable.get("environment_scope") or "*"
    if project.find(variable_path(variable["key"], scope)) is None:
        value = gitlab.secret(ctx, variable["value"])
        if variable.get("masked") or variable.get("masked_and_hidden"):
            ctx.hide(value)
        project.send("POST", "variables", {**variable, "value": value, "environment_scope": scope})
        ctx.log(f"Set the variable {variable['key']}")


@dataclass(frozen=True)
class Hosted:
    """Projects as undo sees them, with the credential in the settings."""

    gitlab: GitLab

    def state(self, data: Values) -> RepositoryState | None:
        project = self._project(data)
        found = project.find()
        if found is None or found.get("marked_for_deletion_on") or found.get("marked_for_deletion_at"):
            return None
        name, archived = str(found["path_with_namespace"]), bool(found.get("archived"))
        heads = self.gitlab.remote({"host": data["host"], "project": name}).heads(reading=True)
        return RepositoryState(name, str(found["created_at"]), heads, archived)

    def archive(self, data: Values) -> None:
        self._project(data).send("POST", "archive")

    def remove(self, data: Values) -> None:
        self._project(data).remove("")

    def _project(self, data: Values) -> Project:
        # By its id where that is known: its path may be another one's by now.
        return self.gitlab.own({"host": data["host"], "project": data.get("id") or data["name"]})
