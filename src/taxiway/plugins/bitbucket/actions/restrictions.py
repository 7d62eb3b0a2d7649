"""`bitbucketCloud:branchRestriction:create`: who may do what to branches, and what a merge needs."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from taxiway.model.run import Created
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.making import TakeBack, first_look, ours, turn_of, would
from taxiway.plugins.bitbucket.actions.base import AS_WHOM, REPO_URL_CLOUD, Bitbucket, Repo, Values

RESTRICTION = "branch_restriction"
KINDS = (
    "push",
    "force",
    "delete",
    "restrict_merges",
    "require_tasks_to_be_completed",
    "require_approvals_to_merge",
    "require_default_reviewer_approvals_to_merge",
    "require_no_changes_requested",
    "require_passing_builds_to_merge",
    "require_commits_behind",
    "reset_pullrequest_approvals_on_change",
    "smart_reset_pullrequest_approvals",
    "reset_pullrequest_changes_requested_on_change",
    "require_all_dependencies_merged",
    "enforce_merge_checks",
    "allow_auto_merge_when_builds_pass",
)
TYPES = ("feature", "bugfix", "release", "hotfix", "development", "production")


def make(bitbucket: Bitbucket) -> list[FunctionAction]:
    """The action of this module."""

    def listed(name: str, description: str) -> dict[str, Any]:
        one = {"type": "object", "required": [name], "properties": {name: {"type": "string"}}}
        return {"type": "array", "items": one, "description": description}

    return [
        FunctionAction(
            key="bitbucketCloud:branchRestriction:create",
            description="Restrict what may be done to branches of a repository on Bitbucket Cloud",
            function=partial(_create, bitbucket),
            take_back=TakeBack({RESTRICTION: partial(_remove, bitbucket)}),
            input_schema=schema(
                ["repoUrl", "kind"],
                repoUrl=REPO_URL_CLOUD,
                kind={"type": "string", "enum": list(KINDS), "description": "What is restricted"},
                branchMatchKind={
                    "type": "string",
                    "enum": ["glob", "branching_model"],
                    "description": "How branches are named; default branching_model",
                },
                branchType={
                    "type": "string",
                    "enum": list(TYPES),
                    "description": "With branching_model: which branches; default development",
                },
                pattern="With glob: which branches",
                value={"type": ["number", "null"], "description": "How many, for kinds that count; default 1"},
                users=listed("uuid", "Users whom push and restrict_merges leave free"),
                groups=listed("slug", "Groups whom push and restrict_merges leave free"),
                token=AS_WHOM,
            ),
            output_schema=schema(
                json="What Bitbucket answered, as JSON",
                statusCode={"type": "number", "description": "Status of its answer"},
            ),
        )
    ]


def _create(bitbucket: Bitbucket, ctx: StepContext, values: Values) -> Values:
    repo, body = bitbucket.repo(ctx, values, cloud=True), _body(values)
    what = f"{body['kind']} on {body.get('pattern') or body.get('branch_type')}"
    if ctx.is_dry_run:
        return would(ctx, f"restrict {what} in {repo.place}", {"json": "{}", "statusCode": 201})
    # Several restrictions may be alike, so this step's are those that were not there before.
    key = f"restrictions of {repo.place} {turn_of(values)}"
    before, is_again = first_look(ctx, key, lambda: [one["id"] for one in _alike(repo, body)])
    name, noted = f"{repo.place} {what}", {**repo.data, "body": _mark(body), "before": before}
    ctx.created(RESTRICTION, name, noted)
    found = ours(_alike(repo, body), noted) if is_again else None
    if found is None:
        found = repo.send("POST", "branch-restrictions", body)
    ctx.created(RESTRICTION, name, {**noted, "id": found["id"]})
    ctx.log(f"Restricted {what} in {repo.place}")
    return {"json": json.dumps(found), "statusCode": 201}


def _body(values: Values) -> dict[str, Any]:
    by_glob = values.get("branchMatchKind") == "glob"
    return {
        "type": "branchrestriction",
        "kind": values["kind"],
        "branch_match_kind": "glob" if by_glob else "branching_model",
        "pattern": values.get("pattern", "") if by_glob else "",
        **({} if by_glob else {"branch_type": values.get("branchType", "development")}),
        **({} if values["kind"] == "push" else {"value": int(values.get("value") or 1)}),
        "users": [{"type": "user", "uuid": one["uuid"]} for one in values.get("users") or []],
        "groups": [{"type": "group", "slug": one["slug"]} for one in values.get("groups") or []],
    }


def _mark(body: Values) -> dict[str, Any]:
    return {key: body.get(key) or "" for key in ("kind", "branch_match_kind", "pattern", "branch_type")}


def _alike(repo: Repo, body: Values) -> list[Any]:
    found = repo.client.values(repo.path("branch-restrictions"), {"kind": body["kind"]})
    return [one for one in found if _mark(one) == _mark(body)]


def _remove(bitbucket: Bitbucket, ctx: StepContext, item: Created) -> None:
    repo = bitbucket.own(item.data)
    if repo.find() is None:
        return
    made = ours(_alike(repo, item.data["body"]), item.data)
    if made is not None:
        answer = repo.client.send("DELETE", repo.path(f"branch-restrictions/{made['id']}"))
        if answer.status != 404:
            answer.checked(f"the restriction {item.name}")
        ctx.log(f"Removed the restriction {item.name}")
