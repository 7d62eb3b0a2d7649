"""`github:branch-protection:create` and `github:repo:rulesets:create`: rules of branches.

Protecting replaces what protects a branch; undo gives a branch the protection back that it had, or takes it off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from taxiway.model.errors import ConflictError, TaxiwayError
from taxiway.model.run import Created
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.making import TakeBack, first_look, make_once, would
from taxiway.plugins.github.actions import schemas
from taxiway.plugins.github.actions.base import GitHub, Repo, Values, given, quoted, soon

PROTECTION, RULESET = "branch_protection", "ruleset"
NEEDS_PLAN = "Upgrade to GitHub Pro or make this repository public to enable this feature"


@dataclass(frozen=True)
class Protection:
    """A branch that is to be protected. With `is_noted` the inventory keeps what protected it before."""

    repo: Repo
    branch: str
    is_noted: bool = True

    @property
    def path(self) -> str:
        return f"branches/{quoted(self.branch)}/protection"


def make(github: GitHub) -> list[FunctionAction]:
    """The actions of this module."""
    return [_protect_action(github), _ruleset_action(github)]


def protection_of(values: Values) -> dict[str, Any]:
    """The request for what a step says, with Backstage's defaults."""
    reviews = given(
        required_approving_review_count=values.get("requiredApprovingReviewCount", 1),
        require_code_owner_reviews=values.get("requireCodeOwnerReviews", False),
        bypass_pull_request_allowances=values.get("bypassPullRequestAllowances"),
        dismiss_stale_reviews=values.get("dismissStaleReviews", False),
        require_last_push_approval=values.get("requireLastPushApproval", False),
    )
    return {
        "required_status_checks": {
            "strict": values.get("requireBranchesToBeUpToDate", True),
            "contexts": values.get("requiredStatusCheckContexts") or [],
        },
        "restrictions": values.get("restrictions"),
        "enforce_admins": values.get("enforceAdmins", True),
        "required_pull_request_reviews": reviews,
        "required_conversation_resolution": values.get("requiredConversationResolution", False),
        "required_linear_history": values.get("requiredLinearHistory", False),
        "block_creations": values.get("blockCreations", False),
    }


def protect(ctx: StepContext, target: Protection, wanted: Values, values: Values) -> None:
    """Protect a branch. What GitHub's free plan does not have is a warning."""
    repo = target.repo

    def call() -> None:
        repo.send("PUT", target.path, wanted)
        if values.get("requiredCommitSigning"):
            repo.send("POST", f"{target.path}/required_signatures", idempotent=True)

    try:
        if target.is_noted:
            before, _ = first_look(ctx, f"protection of {repo.place}#{target.branch}", lambda: _present(target))
            data = {**repo.data, "branch": target.branch, "before": before}
            ctx.created(PROTECTION, f"{repo.place}#{target.branch}", data)
        soon(ctx, call)
    except TaxiwayError as error:
        if NEEDS_PLAN not in error.detail:
            raise
        ctx.log(f"{target.branch} is not protected: private repositories need GitHub Pro for that", "stderr")
        return
    ctx.log(f"Protected the branch {target.branch} of {repo.place}")


def take_back_protection(github: GitHub, ctx: StepContext, created: Sequence[Created]) -> None:
    """Give branches the protection that they had."""
    TakeBack({PROTECTION: lambda step, item: _take_back(github, step, item)})(ctx, created)


def _protect_action(github: GitHub) -> FunctionAction:
    def run(ctx: StepContext, values: Values) -> Values:
        repo = github.repo(ctx, values)
        if ctx.is_dry_run:
            return would(ctx, f"protect {values.get('branch') or 'the default branch'} of {repo.place}")
        branch = values.get("branch") or repo.read()["default_branch"]
        protect(ctx, Protection(repo, branch), protection_of(values), values)
        return {}

    return FunctionAction(
        key="github:branch-protection:create",
        description="Protect a branch on GitHub; undo gives it the protection that it had",
        function=run,
        take_back=lambda ctx, created: take_back_protection(github, ctx, created),
        input_schema=schema(
            ["repoUrl"],
            repoUrl=schemas.REPO_URL,
            branch="The branch; default the repository's own",
            enforceAdmins=schemas.flag("It holds for administrators too", True),
            **schemas.REVIEW,
            blockCreations=schemas.flag("Only those in restrictions may create matching branches", False),
            token=schemas.AS_WHOM,
        ),
        output_schema=schema(),
    )


def _ruleset_action(github: GitHub) -> FunctionAction:
    return FunctionAction(
        key="github:repo:rulesets:create",
        description="Create a ruleset of a repository on GitHub",
        function=partial(_create_ruleset, github),
        take_back=TakeBack({RULESET: partial(_remove_ruleset, github)}),
        input_schema=schema(
            ["repoUrl", "name"],
            repoUrl=schemas.REPO_URL,
            name="Name of the ruleset",
            target=schemas.choice("What it is for", "branch", "tag", default="branch"),
            enforcement=schemas.choice("Whether it is enforced", "active", "evaluate", "disabled", default="active"),
            conditions={"type": "object", "description": "Which refs it is for, as GitHub's API says it"},
            rules={
                "type": "array",
                "items": {"type": "object", "required": ["type"]},
                "description": "The rules, as GitHub's API says them",
            },
            bypassActors={
                "type": "array",
                "items": {"type": "object", "required": ["actor_type"]},
                "description": "Who need not keep to it, as GitHub's API says it",
            },
            token=schemas.AS_WHOM,
        ),
        output_schema=schema(["id"], id={"type": "integer", "description": "Number of the ruleset"}),
    )


def _create_ruleset(github: GitHub, ctx: StepContext, values: Values) -> Values:
    repo, name, target = github.repo(ctx, values), values["name"], values.get("target", "branch")
    if ctx.is_dry_run:
        return would(ctx, f"create the ruleset '{name}' of {repo.place}", {"id": 0})
    body = given(
        name=name,
        target=target,
        enforcement=values.get("enforcement", "active"),
        conditions=values.get("conditions"),
        rules=values.get("rules"),
        bypass_actors=values.get("bypassActors"),
    )
    made = make_once(
        ctx,
        RULESET,
        f"{repo.place}/{name}",
        {**repo.data, "ruleset": name, "target": target},
        find=lambda: _ruleset(repo, name, target),
        make=lambda: {"id": repo.send("POST", "rulesets", body)["id"]},
    )
    if not made.is_ours:
        raise ConflictError(f"{repo.place} has a ruleset '{name}' already: choose another name", code="github.taken")
    return {"id": made.value["id"]}


def _remove_ruleset(github: GitHub, ctx: StepContext, item: Created) -> None:
    repo = github.own(item.data)
    found = _ruleset(repo, item.data["ruleset"], item.data["target"])
    if found is not None:
        repo.remove(f"rulesets/{found['id']}")
        ctx.log(f"Removed the ruleset {item.name}")


def _ruleset(repo: Repo, name: str, target: str) -> Values | None:
    for one in repo.pages("rulesets?includes_parents=false"):
        if (one["name"], one.get("target", target)) == (name, target):
            return {"id": one["id"]}
    return None


def _present(target: Protection) -> dict[str, Any] | None:
    found = target.repo.find(target.path)
    if found is None:
        return None
    signed = bool((found.get("required_signatures") or {}).get("enabled"))
    return {"request": as_request(found), "signatures": signed}


def _take_back(github: GitHub, ctx: StepContext, item: Created) -> None:
    target, before = Protection(github.own(item.data), str(item.data["branch"])), item.data["before"]
    if before is None:
        target.repo.remove(target.path)
        ctx.log(f"Took the protection off {item.name}")
        return
    if target.repo.find(f"branches/{quoted(target.branch)}") is None:
        return
    target.repo.send("PUT", target.path, before["request"])
    if not before["signatures"]:
        target.repo.remove(f"{target.path}/required_signatures")
    ctx.log(f"Gave {item.name} the protection that it had")


def as_request(found: Mapping[str, Any]) -> dict[str, Any]:
    """A protection as GitHub tells it, in the form in which it is asked for."""

    def is_on(name: str) -> bool:
        return bool((found.get(name) or {}).get("enabled"))

    checks, reviews, pushers = (
        found.get(name) for name in ("required_status_checks", "required_pull_request_reviews", "restrictions")
    )
    wanted: dict[str, Any] = {
        "required_status_checks": None
        if checks is None
        else {"strict": bool(checks.get("strict")), "contexts": list(checks.get("contexts") or [])},
        "enforce_admins": is_on("enforce_admins"),
        "required_pull_request_reviews": None,
        "restrictions": None if pushers is None else _names(pushers),
    }
    if reviews is not None:
        flags = ("dismiss_stale_reviews", "require_code_owner_reviews", "require_last_push_approval")
        wanted["required_pull_request_reviews"] = given(
            required_approving_review_count=reviews.get("required_approving_review_count"),
            **{name: bool(reviews.get(name)) for name in flags},
            **{
                name: _names(reviews[name])
                for name in ("dismissal_restrictions", "bypass_pull_request_allowances")
                if reviews.get(name)
            },
        )
    switches = (
        "required_linear_history allow_force_pushes allow_deletions block_creations required_conversation_resolution "
        "lock_branch allow_fork_syncing"
    )
    return wanted | {name: is_on(name) for name in switches.split()}


def _names(found: Mapping[str, Any]) -> dict[str, list[str]]:
    keys = {"users": "login", "teams": "slug", "apps": "slug"}
    return {name: [one[key] for one in found.get(name) or []] for name, key in keys.items()}
