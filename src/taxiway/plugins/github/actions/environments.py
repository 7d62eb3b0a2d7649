"""`github:environment:create`: a deployment environment with its rules, variables and secrets."""

from __future__ import annotations

from functools import partial
from typing import Any

from taxiway.model.entity import parse_ref
from taxiway.model.errors import InputError, NotFoundError
from taxiway.model.run import Created
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.making import TakeBack, make_once, would
from taxiway.plugins.github.actions import schemas
from taxiway.plugins.github.actions.base import GitHub, Repo, Values, given, quoted
from taxiway.plugins.github.actions.values import (
    SECRET,
    VARIABLE,
    hide_all,
    put_secrets,
    put_variables,
    take_back_secret,
    take_back_variable,
)

ENVIRONMENT, POLICY = "deployment_environment", "deployment_policy"


def make(github: GitHub) -> list[FunctionAction]:
    """The action of this module."""
    return [
        FunctionAction(
            key="github:environment:create",
            description="Create a deployment environment of a repository on GitHub, or give one what it lacks",
            function=partial(_create, github),
            take_back=TakeBack(
                {
                    ENVIRONMENT: partial(_remove, github),
                    POLICY: partial(_remove_policy, github),
                    VARIABLE: partial(take_back_variable, github),
                    SECRET: partial(take_back_secret, github),
                }
            ),
            input_schema=schema(
                ["repoUrl", "name"],
                repoUrl=schemas.REPO_URL,
                name="Name of the environment",
                deploymentBranchPolicy={
                    "type": "object",
                    "required": ["protected_branches", "custom_branch_policies"],
                    "properties": {"protected_branches": schemas.BOOLEAN, "custom_branch_policies": schemas.BOOLEAN},
                    "description": "Which branches may deploy: protected ones, or those of the patterns; default all",
                },
                customBranchPolicyNames={**schemas.STRINGS, "description": "Patterns of branches that may deploy"},
                customTagPolicyNames={**schemas.STRINGS, "description": "Patterns of tags that may deploy"},
                environmentVariables={**schemas.TEXTS, "description": "Its variables"},
                secrets={**schemas.TEXTS, "description": "Its secrets; they are sealed before they are sent"},
                waitTimer={"type": "number", "minimum": 0, "description": "Minutes that a deployment waits"},
                preventSelfReview=schemas.flag("Who started a deployment may not review it"),
                reviewers={**schemas.STRINGS, "description": "Who reviews deployments: references of users and groups"},
                token=schemas.AS_WHOM,
            ),
            output_schema=schema(),
        )
    ]


def _remove(github: GitHub, ctx: StepContext, item: Created) -> None:
    github.own(item.data).remove(str(item.data["path"]))
    ctx.log(f"Removed {item.name}")


def _remove_policy(github: GitHub, ctx: StepContext, item: Created) -> None:
    repo, data = github.own(item.data), item.data
    found = _policy(repo, data["path"], data["type"], data["pattern"]) if repo.find(data["path"]) else None
    if found is not None:
        repo.remove(f"{data['path']}/deployment-branch-policies/{found['id']}")


def _create(github: GitHub, ctx: StepContext, values: Values) -> Values:
    repo, name = github.repo(ctx, values), values["name"]
    hide_all(ctx, values.get("secrets"))
    if ctx.is_dry_run:
        return would(ctx, f"create the environment '{name}' of {repo.place}")
    path = f"environments/{quoted(name)}"
    body = given(
        deployment_branch_policy=values.get("deploymentBranchPolicy"),
        wait_timer=None if values.get("waitTimer") is None else int(values["waitTimer"]),
        prevent_self_review=values.get("preventSelfReview"),
        reviewers=[_reviewer(repo, ref) for ref in values.get("reviewers") or []] or None,
    )
    made = make_once(
        ctx,
        ENVIRONMENT,
        f"{repo.place}/{name}",
        {**repo.data, "path": path},
        find=lambda: None if repo.find(path) is None else {},
        make=lambda: _put(repo, path, body),
    )
    if not made.is_ours:
        _put(repo, path, body)
        ctx.log(f"The environment '{name}' was there: its rules are replaced, and undo leaves it")
    for kind in ("branch", "tag"):
        for pattern in values.get(f"custom{kind.capitalize()}PolicyNames") or []:
            _allow(ctx, repo, path, kind, pattern)
    put_variables(ctx, repo, path, values.get("environmentVariables") or {}, is_noted=True)
    put_secrets(ctx, repo, path, values.get("secrets") or {}, is_noted=True)
    ctx.log(f"The environment '{name}' of {repo.place} is as it should be")
    return {}


def _put(repo: Repo, path: str, body: Values) -> Values:
    repo.send("PUT", path, body)
    return {}


def _allow(ctx: StepContext, repo: Repo, path: str, kind: str, pattern: str) -> None:
    data = {**repo.data, "path": path, "type": kind, "pattern": pattern}
    make_once(
        ctx,
        POLICY,
        f"{repo.place}/{path}: {kind} {pattern}",
        data,
        find=lambda: _policy(repo, path, kind, pattern),
        make=lambda: _kept(repo.send("POST", f"{path}/deployment-branch-policies", {"name": pattern, "type": kind})),
    )


def _policy(repo: Repo, path: str, kind: str, pattern: str) -> Values | None:
    listed = repo.pages(f"{path}/deployment-branch-policies")
    found = (one for one in listed if one["name"] == pattern and one.get("type", "branch") == kind)
    return next((_kept(one) for one in found), None)


def _kept(found: Values) -> Values:
    return {"id": found["id"]}


def _reviewer(repo: Repo, ref: str) -> dict[str, Any]:
    """A reviewer as GitHub knows it. An environment without the review that a template asks for is not made at all."""
    try:
        entity = parse_ref(ref, default_kind="user")
        if entity.kind == "user":
            return {"type": "User", "id": repo.elsewhere(f"users/{quoted(entity.name)}")["id"]}
        if entity.kind == "group":
            return {
                "type": "Team",
                "id": repo.elsewhere(f"orgs/{quoted(repo.owner)}/teams/{quoted(entity.name)}")["id"],
            }
    except NotFoundError as error:
        raise NotFoundError(
            f"the reviewer '{ref}' is neither a user of GitHub nor a team of {repo.owner}: name one that is",
            code="github.reviewer",
        ) from error
    raise InputError(f"the reviewer '{ref}' is neither a user nor a group: name one", code="github.reviewer")
