"""Pull requests follow their branches: heads move, branches go, merges are found again after a crash.

Called for each push, before anything is decided about a pull request, and once at the start. Everything here is safe
to repeat: what git says is compared with what is recorded, and only a difference is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.core.store.database import Tx
from taxiway.features.pulls import repository
from taxiway.features.pulls.model import Row, person
from taxiway.features.pulls.service import changes
from taxiway.features.pulls.service.hosts import again, change, forge, pull_host
from taxiway.model.access import Principal
from taxiway.model.errors import ConflictError, TaxiwayError
from taxiway.model.pulls import MergeRequest, rule_of

MINUTE = 60 * 1_000_000
PATIENCE = 15 * MINUTE
"""A merge that has not ended by then was given up by its process."""


def follow_push(ctx: OpContext, name: str, branch: str) -> None:
    """Bring the pull requests of a branch that moved, came or went up to date."""
    with ctx.platform.store.read() as conn:
        rows = repository.touched_by(conn, name, branch)
    for row in rows:
        refresh(ctx, row)


def follow_deletion(ctx: OpContext, name: str) -> None:
    """Close the pull requests of a repository that is gone."""
    with ctx.platform.store.read() as conn:
        rows = repository.open_pulls(conn, name)
    for row in rows:
        refresh(ctx, row)


def settle_all(platform: Platform) -> None:
    """After a start: no merge is under way any more, so each that was begun is found in its branch or given up."""
    with platform.store.read() as conn:
        rows = repository.merging(conn)
    for row in rows:
        try:
            settle(platform.system("pulls"), row, now=True)
        except TaxiwayError as error:
            platform.log.warning("pull_not_settled", pull=row["id"], reason=error.detail)


def refresh(ctx: OpContext, row: Row) -> Row:
    """The pull request as its branches are now."""
    if row["state"] != "open":
        return row
    if row["merging"]:
        if ctx.platform.clock.now() - row["merging"]["request"]["at"] < MINUTE:
            return row  # whoever merges it records it
        row = settle(ctx, row)
        if row["state"] != "open" or row["merging"]:
            return row
    name, git = row["repository"], forge(ctx.platform)
    there = git.get_repository(name)
    if there is None or there.uid != row["repository_uid"]:
        return _close(ctx, row, "the repository was deleted")
    head, base = git.resolve(name, f"refs/heads/{row['head']}"), git.resolve(name, f"refs/heads/{row['base']}")
    if base is None:
        return _close(ctx, row, f"its base branch {row['base']} was deleted")
    if base != row["base_sha"] and pull_host(ctx.platform).contains(name, row["base"], row["head_sha"]):
        return merged(ctx, row, {"base_sha": row["base_sha"], "merge_sha": base, "method": "push"})
    if head is None:
        return _close(ctx, row, f"its branch {row['head']} was deleted")
    if head == row["head_sha"]:
        return row
    if pull_host(ctx.platform).contains(name, row["base"], head):
        return _close(ctx, row, f"its branch {row['head']} has nothing more that {row['base']} has not")
    return _move(ctx, row, head)


def settle(ctx: OpContext, row: Row, *, now: bool = False) -> Row:
    """What became of a merge that began: it is in the branch, it is under way, or it never happened."""
    intent = row["merging"]
    if intent.get("is_merged"):
        return _clean_up(ctx, row)
    request = MergeRequest(**intent["request"])
    git = forge(ctx.platform)
    there = git.get_repository(row["repository"])
    made = pull_host(ctx.platform).find_merge(request) if there and there.uid == row["repository_uid"] else None
    if made is not None:
        return merged(ctx, row, {"base_sha": request.base_sha, "merge_sha": made, "method": request.method})
    if now or ctx.platform.clock.now() - request.at > PATIENCE:
        return give_up(ctx, row)
    return row


def give_up(ctx: OpContext, row: Row) -> Row:
    """Nothing of a merge is under way any more."""

    def work(tx: Tx) -> None:
        repository.change_pull(tx, row, merging=None)

    ctx.platform.store.write(work)
    return again(ctx.platform, row)


def merged(ctx: OpContext, row: Row, values: Mapping[str, Any]) -> Row:
    """Record a merge that is in the branch, in the name of who merged. Asked again it changes nothing. An intent stays
    on the record until the head branch is deleted, if it is to be."""
    intent = row["merging"] or {}
    by = intent.get("by") or person(ctx.principal)
    actor, left = _as(ctx, by), {**intent, "is_merged": True} if intent.get("delete_branch") else None

    def work(tx: Tx) -> Row:
        done = change(tx, row, state="merged", ended_at=tx.now, merged_by=by, merging=left, reason="", **values)
        draft = changes.merged(done, values["merge_sha"], values["method"])
        actor.emit(tx, draft, owner=row["owner"])
        return done

    try:
        done: Row = ctx.platform.store.write(work)
    except ConflictError:
        return again(ctx.platform, row)
    return done if left is None else _clean_up(ctx, done)


def _clean_up(ctx: OpContext, row: Row) -> Row:
    """What is left to do for a merge that is recorded: the head branch goes."""
    delete_head(ctx, row, row["merging"]["by"])
    return give_up(ctx, row)


def delete_head(ctx: OpContext, row: Row, by: str) -> None:
    """Remove the branch of a merged pull request, when nobody pushed to it since. Pull requests into it go into where
    it was merged from then on. A refusal is logged, not raised."""
    try:
        with ctx.platform.store.read() as conn:
            stacked = repository.touched_by(conn, row["repository"], row["head"])
        for item in stacked:
            if item["base"] == row["head"] and item["head"] != row["base"]:
                _retarget(ctx, item, row)
        pull_host(ctx.platform).delete_branch(row["repository"], row["head"], expect=row["head_sha"], by=by)
    except TaxiwayError as error:
        ctx.platform.log.warning("branch_not_deleted", pull=row["id"], branch=row["head"], reason=error.detail)


def _retarget(ctx: OpContext, row: Row, onto: Row) -> None:
    base = forge(ctx.platform).resolve(row["repository"], f"refs/heads/{onto['base']}")

    def work(tx: Tx) -> Row:
        if repository.open_twin(tx.conn, row["repository_uid"], onto["base"], row["head"]) is not None:
            return row
        moved = change(tx, row, base=onto["base"], base_sha=base or row["base_sha"])
        reason = f"the base is {onto['base']} now"
        repository.dismiss_stale(tx, row["id"], "", person(ctx.principal), reason)
        ctx.emit(tx, changes.updated(moved, "base", row["head_sha"]), owner=row["owner"])
        return moved

    _once(ctx, row, work)


def _as(ctx: OpContext, by: str) -> OpContext:
    """`ctx` itself when it is theirs, else Taxiway on their behalf."""
    if person(ctx.principal) == by:
        return ctx
    mine = ctx.platform.system("pulls")
    return mine.acting_as(Principal(mine.principal.subject, mine.principal.roles, on_behalf_of=by, via="system"))


def _close(ctx: OpContext, row: Row, reason: str) -> Row:
    def work(tx: Tx) -> Row:
        closed = change(tx, row, state="closed", ended_at=tx.now, reason=reason)
        ctx.emit(tx, changes.abandoned(closed, reason), owner=row["owner"])
        return closed

    return _once(ctx, row, work)


def _move(ctx: OpContext, row: Row, head: str) -> Row:
    rule = rule_of(pull_host(ctx.platform).rules(row["repository"]), row["base"])

    def work(tx: Tx) -> Row:
        moved = change(tx, row, head_sha=head)
        if rule is not None and rule.dismiss_stale_reviews:
            repository.dismiss_stale(tx, row["id"], head, person(ctx.principal), "new commits were pushed")
        ctx.emit(tx, changes.updated(moved, "head", row["head_sha"]), owner=row["owner"])
        return moved

    return _once(ctx, row, work)


def _once(ctx: OpContext, row: Row, work: Any) -> Row:
    """The result of `work`, or what somebody else made of the row at the same moment."""
    try:
        done: Row = ctx.platform.store.write(work)
        return done
    except ConflictError:
        return again(ctx.platform, row)
