"""What a pull request must pass before it is merged, from its branches, the rule of its base, reviews and checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from taxiway.core.context import OpContext
from taxiway.features.pulls import repository
from taxiway.features.pulls.codeowners import MAX_BYTES, PLACES, missing_owners, parse_codeowners
from taxiway.features.pulls.model import (
    Gate,
    Mergeable,
    Row,
    check_gates,
    latest_verdicts,
    mergeable_state,
    review_gates,
)
from taxiway.features.pulls.service.hosts import forge, pull_host
from taxiway.model.errors import NotFoundError
from taxiway.model.pulls import METHODS, BranchRule, Comparison, MergeMethod, rule_of

MAX_FILES = 100_000


@dataclass(frozen=True)
class Standing:
    """How far a pull request is from being merged. `compared` is None when its commits are gone."""

    state: Mergeable
    gates: Sequence[Gate]
    methods: Sequence[MergeMethod]
    checks: Sequence[Row]
    compared: Comparison | None
    conflicts: Sequence[str] = ()

    @property
    def can_merge(self) -> bool:
        return self.state in ("clean", "unstable")


def standing_of(ctx: OpContext, row: Row) -> Standing:
    """Judge a pull request as it is now; nothing is written."""
    with ctx.platform.store.read() as conn:
        reviews = repository.reviews(conn, row["id"])
        checks = repository.checks(conn, row["repository_uid"], row["head_sha"])
    host, name = pull_host(ctx.platform), row["repository"]
    base = f"refs/heads/{row['base']}" if row["state"] == "open" else row["base_sha"]
    try:
        compared = host.compare(name, base, row["head_sha"], limit=0)
        rule = rule_of(host.rules(name), row["base"])
        if row["state"] != "open":
            return Standing("closed", (), (), checks, compared)
        trial = host.try_merge(name, compared.base, row["head_sha"])
    except NotFoundError:
        return Standing("closed" if row["state"] != "open" else "dirty", (), (), checks, None)
    detail = "" if trial.is_clean else _conflicts(row["base"], trial.conflicts)
    gates = [Gate("conflicts", "No conflicts", "passed" if trial.is_clean else "failed", detail)]
    if row["draft"]:
        gates.append(Gate("draft", "Ready for review", "pending", "it is a draft: mark it as ready"))
    if rule is not None:
        gates += review_gates(rule, reviews, _missing_owners(ctx, row, rule, reviews, compared))
        gates += check_gates(rule.required_checks, checks)
        if rule.require_up_to_date:
            gates.append(_up_to_date(row["base"], compared))
    state = mergeable_state(row["state"], row["draft"], gates, checks)
    return Standing(state, gates, METHODS if rule is None else rule.methods, checks, compared, trial.conflicts)


def _conflicts(base: str, files: Sequence[str]) -> str:
    shown = ", ".join(files[:5]) + (f" and {len(files) - 5} more" if len(files) > 5 else "") or "its history"
    return f"it conflicts with {base} in {shown}: merge {base} into your branch, solve them, and push"


def _up_to_date(base: str, compared: Comparison) -> Gate:
    if compared.behind == 0:
        return Gate("up_to_date", "Up to date", "passed")
    detail = f"it lacks {compared.behind} commits of {base}: merge or rebase {base} into your branch, and push"
    return Gate("up_to_date", "Up to date", "pending", detail)


def _missing_owners(
    ctx: OpContext, row: Row, rule: BranchRule, reviews: Sequence[Row], compared: Comparison
) -> dict[str, list[str]]:
    """Changed paths whose owners have not approved."""
    if not rule.require_code_owners or compared.merge_base is None:
        return {}
    git, name = forge(ctx.platform), row["repository"]
    found = (git.read_file(name, compared.base, place, MAX_BYTES) for place in PLACES)
    text = next((content for content in found if content is not None), None)
    if text is None:
        return {}
    lines = parse_codeowners(text.decode(errors="replace"))
    files = pull_host(ctx.platform).files(name, compared.merge_base, row["head_sha"], limit=MAX_FILES, with_patch=False)
    paths = [path for file in files.files for path in (file.path, file.previous_path) if path]
    approvers = {
        who: ctx.platform.groups_of(who) | {who}
        for who, review in latest_verdicts(reviews).items()
        if review["verdict"] == "approve"
    }
    return missing_owners(lines, paths, approvers)
