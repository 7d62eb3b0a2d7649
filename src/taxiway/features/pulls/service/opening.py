"""Opening, editing, closing and reopening pull requests. Called by routes, and by features that propose a change."""

from __future__ import annotations

from typing import Any

from taxiway.core.context import OpContext
from taxiway.core.store.database import Tx
from taxiway.features.pulls import repository
from taxiway.features.pulls.model import MAX_BODY, MAX_TITLE, NewPull, Row, person
from taxiway.features.pulls.service import changes
from taxiway.features.pulls.service.following import refresh
from taxiway.features.pulls.service.hosts import (
    again,
    change,
    find_pull,
    forge,
    owner_of,
    pull_host,
    repository_of,
)
from taxiway.model.errors import ConflictError, InputError, check_version
from taxiway.model.pulls import Comparison

ATTEMPTS = 3


def open_pull(ctx: OpContext, new: NewPull) -> Row:
    """Open a pull request. InputError for branches that are not there, are one, or differ in nothing; ConflictError
    when there is an open one for them."""
    there = repository_of(ctx.platform, new.repository)
    ctx.authorize("pulls.write", owner_of(there))
    if there.archived:
        raise ConflictError(f"the repository '{there.name}' is archived and read-only", code="repositories.archived")
    base = new.base or there.default_branch
    compared = compare_branches(ctx, there.name, base, new.head)
    title = new.title or compared.commits[0].message.partition("\n")[0] or new.head
    check_text(title, new.body)

    def work(tx: Tx) -> Row:
        twin = repository.open_twin(tx.conn, there.uid, base, new.head)
        if twin is not None:
            raise ConflictError(
                f"{there.name}#{twin['number']} is open from {new.head} into {base}: push to its branch instead",
                code="pulls.exists",
            )
        row: Row = {
            "id": ctx.platform.new_id(),
            "repository": there.name,
            "repository_uid": there.uid,
            "number": repository.next_number(tx.conn, there.uid),
            "title": title[:MAX_TITLE],
            "body": new.body,
            "author": person(ctx.principal),
            "owner": owner_of(there),
            "state": "open",
            "reason": "",
            "draft": new.draft,
            "base": base,
            "head": new.head,
            "base_sha": compared.base,
            "head_sha": compared.head,
            "merging": None,
            "merge_sha": None,
            "method": None,
            "merged_by": None,
            "created_at": tx.now,
            "updated_at": tx.now,
            "ended_at": None,
            "version": 1,
        }
        repository.add_pull(tx, row)
        ctx.emit(tx, changes.created(row), owner=row["owner"])
        return row

    return _numbered(ctx, work)


def _numbered(ctx: OpContext, work: Any) -> Row:
    """`work` again when another pull request took the number meanwhile, which PostgreSQL lets happen."""
    for attempt in range(ATTEMPTS):
        try:
            row: Row = ctx.platform.store.write(work)
            return row
        except ConflictError as error:
            if error.code.startswith("pulls.") or attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("not reached")


def compare_branches(ctx: OpContext, name: str, base: str, head: str) -> Comparison:
    """Both branches side by side. InputError says why they make no pull request."""
    if base == head:
        raise InputError(f"base and head are both {base}: push your commits to another branch", code="pulls.same")
    for branch in (base, head):
        if forge(ctx.platform).resolve(name, f"refs/heads/{branch}") is None:
            raise InputError(f"{name} has no branch '{branch}': push it first", code="pulls.no_branch")
    host = pull_host(ctx.platform)
    compared = host.compare(name, f"refs/heads/{base}", f"refs/heads/{head}", limit=1)
    if compared.merge_base is None:
        raise InputError(
            f"{base} and {head} have no common history: begin your branch at {base}", code="pulls.unrelated"
        )
    if compared.ahead == 0:
        raise InputError(f"{head} has no commit that {base} has not: commit something first", code="pulls.empty")
    return compared


def check_text(title: str, body: str) -> None:
    """InputError for a title or a body that is too long, or no title."""
    if not title.strip():
        raise InputError("give the pull request a title", code="pulls.no_title")
    if len(body) > MAX_BODY:
        raise InputError(f"a text is at most {MAX_BODY} characters long", code="pulls.too_long")


def change_pull(
    ctx: OpContext,
    name: str,
    number: int,
    *,
    title: str | None = None,
    body: str | None = None,
    base: str | None = None,
    draft: bool | None = None,
    version: int | None = None,
) -> Row:
    """Edit an open pull request: its author, or who may merge it. PreconditionError when `version` is another."""
    row = find_pull(ctx, name, number)
    _steer(ctx, row)
    check_version(version, row["version"])
    row = open_row(ctx, row)
    given: dict[str, Any] = {"title": title, "body": body, "base": base, "draft": draft}
    values = {key: value for key, value in given.items() if value is not None and value != row[key]}
    if not values:
        return row
    wanted = {**row, **values}
    check_text(wanted["title"], wanted["body"])
    if base is not None and base != row["base"]:
        values["base_sha"] = compare_branches(ctx, name, base, row["head"]).base

    def work(tx: Tx) -> Row:
        if "base" in values:
            twin = repository.open_twin(tx.conn, row["repository_uid"], values["base"], row["head"])
            if twin is not None:
                raise ConflictError(f"{name}#{twin['number']} is open for these branches", code="pulls.exists")
            reason = f"the base is {values['base']} now"
            repository.dismiss_stale(tx, row["id"], "", person(ctx.principal), reason)
        changed = change(tx, row, **values)
        what = ", ".join(sorted(set(values) - {"base_sha"}))
        ctx.emit(tx, changes.updated(changed, what, row["head_sha"]), owner=row["owner"])
        return changed

    done: Row = ctx.platform.store.write(work)
    return done


def close_pull(ctx: OpContext, name: str, number: int) -> Row:
    """Close without merging: its author, or who may merge it. A closed one stays as it is."""
    row = find_pull(ctx, name, number)
    _steer(ctx, row)
    row = refresh(ctx, row)
    if row["state"] == "closed":
        return row
    if row["state"] == "merged" or row["merging"]:
        raise ConflictError(f"{name}#{number} is merged already", code="pulls.merged")

    def work(tx: Tx) -> Row:
        closed = change(tx, row, state="closed", ended_at=tx.now, reason="")
        ctx.emit(tx, changes.abandoned(closed, "closed"), owner=row["owner"])
        return closed

    done: Row = ctx.platform.store.write(work)
    return done


def reopen_pull(ctx: OpContext, name: str, number: int) -> Row:
    """Open a closed one again. Its branches must still be there and differ."""
    row = find_pull(ctx, name, number)
    _steer(ctx, row)
    if row["state"] == "open":
        return row
    if row["state"] == "merged":
        raise ConflictError(f"{name}#{number} is merged: open a new pull request", code="pulls.merged")
    there = repository_of(ctx.platform, name)
    if there.uid != row["repository_uid"]:
        raise ConflictError(f"the repository of {name}#{number} is gone", code="pulls.no_repository")
    compared = compare_branches(ctx, name, row["base"], row["head"])

    def work(tx: Tx) -> Row:
        twin = repository.open_twin(tx.conn, row["repository_uid"], row["base"], row["head"])
        if twin is not None:
            raise ConflictError(f"{name}#{twin['number']} is open for these branches", code="pulls.exists")
        if compared.head != row["head_sha"]:
            repository.dismiss_stale(tx, row["id"], compared.head, person(ctx.principal), "new commits were pushed")
        values = {"base_sha": compared.base, "head_sha": compared.head}
        opened = change(tx, row, state="open", ended_at=None, reason="", **values)
        ctx.emit(tx, changes.updated(opened, "reopened", row["head_sha"]), owner=row["owner"])
        return opened

    done: Row = ctx.platform.store.write(work)
    return done


def open_row(ctx: OpContext, row: Row) -> Row:
    """The row brought up to date. ConflictError unless it is open and nobody is merging it."""
    row = refresh(ctx, row)
    if row["state"] != "open":
        raise ConflictError(f"{row['repository']}#{row['number']} is {row['state']}", code=f"pulls.{row['state']}")
    if row["merging"]:
        raise ConflictError(
            f"{row['repository']}#{row['number']} is being merged: look at it again in a moment", code="pulls.merging"
        )
    return again(ctx.platform, row)


def _steer(ctx: OpContext, row: Row) -> None:
    """NotAllowedError unless the caller wrote the pull request or may merge it."""
    if person(ctx.principal) != row["author"]:
        ctx.authorize("pulls.merge", row["owner"])
