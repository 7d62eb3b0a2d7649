"""Values and rules of pull requests without I/O: what the caller sends, and what keeps a pull request from merging."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from taxiway.model.access import Principal
from taxiway.model.pulls import BranchRule

Row = Mapping[str, Any]
State = Literal["open", "closed", "merged"]
ReviewVerdict = Literal["approve", "request_changes", "comment"]
CheckState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
GateVerdict = Literal["passed", "failed", "pending"]
Mergeable = Literal["clean", "unstable", "blocked", "behind", "dirty", "draft", "closed"]
MAX_TITLE, MAX_BODY = 256, 65_536


@dataclass(frozen=True)
class NewPull:
    """A pull request to be opened. `base` None: the default branch; `title` None: that of the newest commit."""

    repository: str
    head: str
    base: str | None = None
    title: str | None = None
    body: str = ""
    draft: bool = False


@dataclass(frozen=True)
class NewReview:
    """A review to be given. `commit` is what was looked at, None: the head as it is; `path` and `line` make it a remark
    on a line of a file."""

    verdict: ReviewVerdict
    body: str = ""
    commit: str | None = None
    path: str | None = None
    line: int | None = None


@dataclass(frozen=True)
class Gate:
    """One thing that a pull request must pass to be merged. `detail` says what is missing and what to do."""

    id: str
    title: str
    verdict: GateVerdict
    detail: str = ""


def person(principal: Principal) -> str:
    """Whose act it is: a part of Taxiway acts for somebody."""
    return principal.on_behalf_of or principal.subject


def latest_verdicts(reviews: Sequence[Row]) -> dict[str, Row]:
    """The verdict of each reviewer that holds: the last one that is no comment and was not dismissed."""
    return {
        review["author"]: review
        for review in reviews
        if review["verdict"] != "comment" and review["dismissed_at"] is None
    }


def review_gates(rule: BranchRule, reviews: Sequence[Row], missing_owners: Mapping[str, Sequence[str]]) -> list[Gate]:
    """What the reviews say. `missing_owners` maps a changed path to the owners of whom none has approved."""
    held = latest_verdicts(reviews)
    approved = [who for who, review in held.items() if review["verdict"] == "approve" and review["counts"]]
    against = [who for who, review in held.items() if review["verdict"] == "request_changes" and review["counts"]]
    gates = []
    if rule.required_approvals:
        short = rule.required_approvals - len(approved)
        detail = "" if short <= 0 else f"{len(approved)} of {rule.required_approvals} approvals: ask for a review"
        gates.append(Gate("approvals", "Approvals", "pending" if short > 0 else "passed", detail))
    if (rule.required_approvals or rule.require_code_owners) and against:
        who = ", ".join(sorted(against))
        gates.append(Gate("changes_requested", "Changes requested", "failed", f"{who} asked for changes"))
    if rule.require_code_owners:
        gates.append(_owners_gate(missing_owners))
    return gates


def _owners_gate(missing: Mapping[str, Sequence[str]]) -> Gate:
    if not missing:
        return Gate("code_owners", "Code owners", "passed")
    path, owners = next(iter(missing.items()))
    more = f" and {len(missing) - 1} more files" if len(missing) > 1 else ""
    names = ", ".join(owners) or "an owner that Taxiway can tell"
    return Gate("code_owners", "Code owners", "pending", f"{path}{more} needs the approval of {names}")


def check_gates(required: Sequence[str], checks: Sequence[Row]) -> list[Gate]:
    """One gate for each check that is required: at least one of this name has reported, and all of them are green."""
    gates = []
    for name in required:
        found = [check for check in checks if check["name"] == name]
        bad = [check for check in found if check["state"] in ("failed", "cancelled")]
        verdict: GateVerdict = "passed"
        detail = ""
        if bad:
            verdict, detail = "failed", bad[0]["detail"] or f"it {bad[0]['state']} on the head commit"
        elif not found:
            verdict, detail = (
                "pending",
                "it has not reported on the head: does a workflow run `on: pull_request`?",
            )
        elif any(check["state"] != "succeeded" for check in found):
            verdict, detail = "pending", "it is not finished"
        gates.append(Gate(f"check:{name}", f"Check {name}", verdict, detail))
    return gates


def mergeable_state(state: str, draft: bool, gates: Sequence[Gate], checks: Sequence[Row]) -> Mergeable:
    """GitHub's word for how far a pull request is from being merged."""
    open_gates = {gate.id for gate in gates if gate.verdict != "passed"}
    if state != "open":
        return "closed"
    if "conflicts" in open_gates:
        return "dirty"
    if draft:
        return "draft"
    if open_gates - {"up_to_date"}:
        return "blocked"
    if open_gates:
        return "behind"
    return "unstable" if any(check["state"] in ("failed", "cancelled") for check in checks) else "clean"
