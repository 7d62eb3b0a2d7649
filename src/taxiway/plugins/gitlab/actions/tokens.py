"""`gitlab:projectAccessToken:create` and `gitlab:projectDeployToken:create`.

GitLab tells a token once. It is kept as a secret of the run, and the output is its reference: what a step gave is
stored and shown. Actions on GitLab take the reference where they take a token or the value of a variable. A token that
an interrupted step made and did not keep is of no use to anybody: it is revoked, and another one made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from taxiway.model.errors import InputError
from taxiway.model.run import Created
from taxiway.plugin import MICROSECONDS, StepContext
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.making import TakeBack, first_look, ours, turn_of, would
from taxiway.plugins.gitlab.actions.base import (
    AS_WHOM,
    HOST_OF,
    PROJECT_ID,
    SECRET,
    TEXTS,
    GitLab,
    Project,
    Values,
    number,
)

TOKEN = "project_token"  # noqa: S105 a kind of the inventory
LONGEST_DAYS = 365
REFERENCE = "Reference of the token, for inputs of GitLab's actions: tokens themselves are not stored"


def make(gitlab: GitLab) -> list[FunctionAction]:
    """The actions of this module."""
    undo = TakeBack({TOKEN: partial(_revoke, gitlab), SECRET: gitlab.forget})
    return [
        FunctionAction(
            key="gitlab:projectAccessToken:create",
            description="Make an access token of a project on GitLab; undo revokes it",
            function=partial(_access_token, gitlab),
            take_back=undo,
            input_schema=schema(
                ["projectId", "repoUrl"],
                projectId=PROJECT_ID,
                token=AS_WHOM,
                name="Its name; default tokenname",
                repoUrl=HOST_OF,
                accessLevel=number("10 guest, 20 reporter, 30 developer, 40 maintainer (default), 50 owner"),
                scopes={**TEXTS, "description": "What it is for; default read_repository"},
                expiresAt="Last day, YYYY-MM-DD; default in 365 days",
            ),
            output_schema=schema(["access_token"], access_token=REFERENCE),
        ),
        FunctionAction(
            key="gitlab:projectDeployToken:create",
            description="Make a deploy token of a project on GitLab; undo revokes it",
            function=partial(_deploy_token, gitlab),
            take_back=undo,
            input_schema=schema(
                ["repoUrl", "projectId", "name", "scopes"],
                repoUrl=HOST_OF,
                token=AS_WHOM,
                projectId=PROJECT_ID,
                name="Its name",
                username="Name of its user; default GitLab's",
                scopes={**TEXTS, "description": "What it is for"},
            ),
            output_schema=schema(["deploy_token", "user"], deploy_token=REFERENCE, user="Name of its user"),
        ),
    ]


@dataclass(frozen=True)
class _Kind:
    """`access_tokens` or `deploy_tokens`: `place` is where they are listed below the project."""

    place: str

    def listed(self, project: Project, name: str) -> list[Any]:
        """Those of a name that are not revoked."""
        return [one for one in project.pages(self.place) if one.get("name") == name and not one.get("revoked")]


def _access_token(gitlab: GitLab, ctx: StepContext, values: Values) -> Values:
    project, name = gitlab.project(ctx, values), values.get("name") or "tokenname"
    if ctx.is_dry_run:
        return would(ctx, f"make the access token {name} of {project.place}", {"access_token": "secret://…"})
    last = datetime.fromtimestamp(gitlab.ctx.clock.now() / MICROSECONDS, UTC) + timedelta(days=LONGEST_DAYS)
    body = {
        "name": name,
        "scopes": values.get("scopes") or ["read_repository"],
        "expires_at": values.get("expiresAt") or last.date().isoformat(),
        "access_level": int(values.get("accessLevel") or 40),
    }
    made = _make(gitlab, ctx, project, _Kind("access_tokens"), body, lambda answer: {})
    return {"access_token": made["reference"]}


def _deploy_token(gitlab: GitLab, ctx: StepContext, values: Values) -> Values:
    project, name = gitlab.project(ctx, values), values["name"]
    if not values["scopes"]:
        raise InputError(f"the deploy token {name} has no scopes: name some, such as read_repository")
    if ctx.is_dry_run:
        output = {"deploy_token": "secret://…", "user": values.get("username") or "gitlab+deploy-token-0"}
        return would(ctx, f"make the deploy token {name} of {project.place}", output)
    body = {"name": name, "scopes": values["scopes"]}
    if values.get("username"):
        body["username"] = values["username"]
    made = _make(gitlab, ctx, project, _Kind("deploy_tokens"), body, lambda answer: {"user": str(answer["username"])})
    return {"deploy_token": made["reference"], "user": made["user"]}


def _make(
    gitlab: GitLab, ctx: StepContext, project: Project, kind: _Kind, body: Values, more: Callable[[Any], dict[str, str]]
) -> Any:
    """Make a token, once, and keep it: {reference, and what `more` takes from the answer}."""
    name = str(body["name"])
    what = f"{project.place} {kind.place} {name}"
    before, is_again = first_look(ctx, f"before: {what}", lambda: [one["id"] for one in kind.listed(project, name)])
    noted = {**project.data, "place": kind.place, "name": name, "before": before}

    def make() -> dict[str, Any]:
        ctx.created(TOKEN, what, noted)
        lost = ours(kind.listed(project, name), noted) if is_again else None
        if lost is not None:
            project.remove(f"{kind.place}/{lost['id']}")
        answer = project.send("POST", kind.place, body)
        reference = gitlab.keep(ctx, f"gitlab-{kind.place}-{turn_of({'what': what})}", str(answer["token"]))
        ctx.log(f"Made {what}")
        return {"reference": reference, "id": answer["id"], **more(answer)}

    made = ctx.checkpoint(f"made: {what}", make)
    ctx.created(TOKEN, what, {**noted, "id": made["id"]})
    return made


def _revoke(gitlab: GitLab, ctx: StepContext, item: Created) -> None:
    project, kind = gitlab.own(item.data), _Kind(str(item.data["place"]))
    if project.find() is None:
        return
    made = ours(kind.listed(project, str(item.data["name"])), item.data)
    if made is not None:
        project.remove(f"{kind.place}/{made['id']}")
        ctx.log(f"Revoked {item.name}")
