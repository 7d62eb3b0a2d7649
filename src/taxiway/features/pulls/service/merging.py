"""Merging. The intent is recorded, the base branch is moved by compare-and-set, and the merge is recorded.

The intent holds all that the merge commit is made of. Whoever finds it after a crash makes the same commit again, sees
whether the branch contains it, and records what is true. The intent also fences: while it stands, nobody else merges.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from taxiway.core.context import OpContext
from taxiway.core.store.database import Tx
from taxiway.features.pulls.model import MAX_BODY, Row, person
from taxiway.features.pulls.service.following import give_up, merged, refresh, settle
from taxiway.features.pulls.service.gating import Standing, standing_of
from taxiway.features.pulls.service.hosts import again, change, find_pull, pull_host
from taxiway.features.pulls.service.opening import open_row
from taxiway.features.pulls.service.showing import compared_of, detail
from taxiway.model.errors import ConflictError, FieldError, InputError
from taxiway.model.pulls import MergeMethod, MergeRequest

SQUASHED = 50
"""So many commits are named in the message of a squash."""


@dataclass(frozen=True)
class MergeOptions:
    """How to merge. `head_sha` and `base_sha` are what the caller looked at: another one is a conflict. `method` None:
    the first that the rule allows. `message` None: the usual one."""

    method: MergeMethod | None = None
    head_sha: str | None = None
    base_sha: str | None = None
    message: str | None = None
    delete_branch: bool = False


def merge_pull(ctx: OpContext, name: str, number: int, options: MergeOptions) -> dict[str, Any]:
    """Merge an open pull request; one that is merged already is answered as it is.

    ConflictError names each gate that is not passed, or what moved since the caller looked.
    """
    row = find_pull(ctx, name, number)
    ctx.authorize("pulls.merge", row["owner"])
    row = refresh(ctx, row)
    if row["state"] == "merged" and options.head_sha in (None, row["head_sha"]):
        return detail(ctx, row)
    row = open_row(ctx, row)
    standing = standing_of(ctx, row)
    request = _request(ctx, row, standing, options)
    intent = {"request": asdict(request), "by": request.committer, "delete_branch": options.delete_branch}

    def begin(tx: Tx) -> Row:
        return change(tx, row, merging=intent)

    begun: Row = ctx.platform.store.write(begin)
    return detail(ctx, _carry_out(ctx, begun, request))


def _carry_out(ctx: OpContext, row: Row, request: MergeRequest) -> Row:
    try:
        made = pull_host(ctx.platform).merge(request)
    except ConflictError:
        give_up(ctx, row)
        raise
    except Exception:
        # It may or may not have moved the branch: look, so that the record says what is so.
        if settle(ctx, row, now=True)["state"] != "merged":
            raise
        return again(ctx.platform, row)
    return merged(ctx, row, {"base_sha": request.base_sha, "merge_sha": made, "method": request.method})


def _request(ctx: OpContext, row: Row, standing: Standing, options: MergeOptions) -> MergeRequest:
    """The merge as it will be made. ConflictError when it may not be."""
    if options.head_sha is not None and options.head_sha != row["head_sha"]:
        raise ConflictError(
            f"{row['head']} moved on since {options.head_sha[:7]}: look at its new commits, then merge",
            code="pulls.head_moved",
        )
    if standing.compared is None:
        raise ConflictError(f"a branch of {row['repository']}#{row['number']} is gone", code="pulls.no_branch")
    if options.base_sha is not None and options.base_sha != standing.compared.base:
        raise ConflictError(
            f"{row['base']} moved on since {options.base_sha[:7]}: look at the pull request again, then merge",
            code="pulls.base_moved",
        )
    if not standing.can_merge:
        left = [gate for gate in standing.gates if gate.verdict != "passed"]
        raise ConflictError(
            "it cannot be merged yet: " + "; ".join(f"{gate.title}: {gate.detail}" for gate in left[:5]),
            code="pulls.blocked",
            errors=[FieldError("", f"{gate.title}: {gate.detail}") for gate in left],
        )
    method = options.method or standing.methods[0]
    if method not in standing.methods:
        allowed = ", ".join(standing.methods)
        raise ConflictError(f"{row['base']} is merged into by {allowed} only", code="pulls.method")
    if options.message is not None and len(options.message) > MAX_BODY:
        raise InputError(f"a text is at most {MAX_BODY} characters long", code="pulls.too_long")
    return MergeRequest(
        repository=row["repository"],
        base=row["base"],
        base_sha=standing.compared.base,
        head_sha=row["head_sha"],
        method=method,
        message=options.message or _message(ctx, row, method),
        author=row["author"],
        committer=person(ctx.principal),
        at=ctx.platform.clock.now(),
    )


def _message(ctx: OpContext, row: Row, method: MergeMethod) -> str:
    """The usual message, as GitHub writes it."""
    if method == "merge":
        return f"Merge pull request #{row['number']} from {row['head']}\n\n{row['title']}"
    title = f"{row['title']} (#{row['number']})"
    if row["body"].strip():
        return f"{title}\n\n{row['body'].strip()}"
    commits = list(reversed(compared_of(ctx, row, SQUASHED).commits))
    if len(commits) < 2:
        rest = commits[0].message.partition("\n")[2].strip() if commits else ""
        return f"{title}\n\n{rest}" if rest else title
    lines = "\n".join("* " + item.message.partition("\n")[0] for item in commits)
    return f"{title}\n\n{lines}"
