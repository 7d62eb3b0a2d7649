"""What the API shows of pull requests: lists, one with how it stands, its commits, files and diff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from taxiway.core.context import OpContext
from taxiway.core.cursors import last_seen, position_of
from taxiway.features.pulls import repository
from taxiway.features.pulls.model import Row, latest_verdicts, person
from taxiway.features.pulls.service.gating import Standing, standing_of
from taxiway.features.pulls.service.hosts import READ, find_pull, forge, pull_host
from taxiway.kit.paging import Page, encode_cursor, page_of
from taxiway.model.errors import NotAllowedError, NotFoundError
from taxiway.model.pulls import Comparison

COLUMNS = (
    "id",
    "repository",
    "number",
    "title",
    "body",
    "author",
    "state",
    "reason",
    "draft",
    "base",
    "head",
    "base_sha",
    "head_sha",
    "merge_sha",
    "method",
    "merged_by",
    "created_at",
    "updated_at",
    "ended_at",
    "version",
)
DIFF_BYTES = 2 * 1024 * 1024
MAX_COMMITS = 250
FILES_AT_ONCE = 100
MAX_PATHS = 100_000


def list_pulls(ctx: OpContext, filters: Mapping[str, Any], cursor: str | None, limit: int) -> Page[dict[str, Any]]:
    """Newest first. `filters`: repository, state, author, base, head."""
    with ctx.platform.store.read() as conn:
        rows = repository.pulls(conn, ctx.scope(READ), filters, position_of(cursor, str), limit + 1)
    page = page_of(rows, limit, lambda row: [row["id"]])
    return Page([shown(row) for row in page.items], page.next_cursor)


def shown(row: Row) -> dict[str, Any]:
    """A pull request in a list."""
    return {name: row[name] for name in COLUMNS}


def get_pull(ctx: OpContext, name: str, number: int) -> dict[str, Any]:
    """A pull request with how it stands: gates, checks, who reviewed, how its branches differ, and what the caller may
    do."""
    return detail(ctx, find_pull(ctx, name, number))


def detail(ctx: OpContext, row: Row) -> dict[str, Any]:
    """A pull request as its page shows it."""
    standing = standing_of(ctx, row)
    with ctx.platform.store.read() as conn:
        held = latest_verdicts(repository.reviews(conn, row["id"]))
    return {
        **shown(row),
        "mergeable": standing.state,
        "merging": row["state"] == "open" and bool(row["merging"]),
        "gates": [asdict(gate) for gate in standing.gates],
        "methods": list(standing.methods),
        "checks": [check_shown(check) for check in standing.checks],
        "reviewers": [
            {"reviewer": who, "verdict": item["verdict"], "counts": item["counts"], "at": item["created_at"]}
            for who, item in sorted(held.items())
        ],
        "ahead": standing.compared.ahead if standing.compared else None,
        "behind": standing.compared.behind if standing.compared else None,
        "actions": actions(ctx, row, standing),
    }


def check_shown(check: Row) -> dict[str, Any]:
    """A check of a commit."""
    return {key: check[key] for key in ("name", "source", "state", "detail", "run_id", "url", "updated_at")}


def actions(ctx: OpContext, row: Row, standing: Standing) -> list[str]:
    """What the caller may do with it now."""
    may_merge, is_author = _may(ctx, "pulls.merge", row["owner"]), person(ctx.principal) == row["author"]
    may_write = _may(ctx, "pulls.write", row["owner"])
    found = ["comment"] if may_write else []
    if row["state"] == "open" and not row["merging"]:
        found += ["review"] if may_write and not is_author else []
        found += ["edit", "close"] if may_write and (may_merge or is_author) else []
        found += ["merge"] if may_merge and standing.can_merge else []
    elif row["state"] == "closed" and may_write and (may_merge or is_author):
        found += ["reopen"]
    return found


def _may(ctx: OpContext, permission: str, owner: str | None) -> bool:
    try:
        ctx.authorize(permission, owner)
    except NotAllowedError:
        return False
    return True


def compared_of(ctx: OpContext, row: Row, limit: int) -> Comparison:
    """Both sides of a pull request: as they are while it is open, and as they were at its end."""
    is_open = row["state"] == "open" and forge(ctx.platform).resolve(row["repository"], f"refs/heads/{row['base']}")
    base = f"refs/heads/{row['base']}" if is_open else row["base_sha"]
    return pull_host(ctx.platform).compare(row["repository"], base, row["head_sha"], limit=limit)


def list_commits(ctx: OpContext, name: str, number: int) -> list[dict[str, Any]]:
    """Its commits, newest first, at most 250 of them."""
    row = find_pull(ctx, name, number)
    return [
        {"sha": item.sha, "message": item.message, "author": item.author, "at": item.at}
        for item in compared_of(ctx, row, MAX_COMMITS).commits
    ]


def list_files(ctx: OpContext, name: str, number: int, cursor: str | None, limit: int) -> dict[str, Any]:
    """A page of its changed files with patches, and sums over all of them."""
    row = find_pull(ctx, name, number)
    after = max(0, last_seen(cursor, int) or 0)
    old = _merge_base(compared_of(ctx, row, 0), row)
    limit = min(limit, FILES_AT_ONCE)
    found = pull_host(ctx.platform).files(name, old, row["head_sha"], after=after, limit=limit)
    more = after + len(found.files) < found.total
    return {
        "items": [asdict(file) for file in found.files],
        "next_cursor": encode_cursor([after + len(found.files)]) if more and found.files else None,
        "total": found.total,
        "additions": found.additions,
        "deletions": found.deletions,
    }


def changed_paths(ctx: OpContext, name: str, number: int) -> list[str]:
    """Paths that it changes, for filters of workflows; old names of what was renamed too."""
    row = find_pull(ctx, name, number)
    old = _merge_base(compared_of(ctx, row, 0), row)
    found = pull_host(ctx.platform).files(name, old, row["head_sha"], limit=MAX_PATHS, with_patch=False)
    return [path for file in found.files for path in (file.path, file.previous_path) if path]


def diff_of(ctx: OpContext, name: str, number: int) -> tuple[str, bool]:
    """Its diff as git prints it, up to 2 MiB, and whether it was cut there."""
    row = find_pull(ctx, name, number)
    old = _merge_base(compared_of(ctx, row, 0), row)
    return pull_host(ctx.platform).diff(name, old, row["head_sha"], DIFF_BYTES)


def _merge_base(compared: Comparison, row: Row) -> str:
    if compared.merge_base is None:
        raise NotFoundError(
            f"{row['base']} and {row['head']} have no common history (any more)", code="pulls.unrelated"
        )
    return compared.merge_base
