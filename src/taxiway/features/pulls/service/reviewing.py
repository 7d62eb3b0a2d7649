"""Reviews: approve, ask for changes, comment, and take a verdict back."""

from __future__ import annotations

from typing import Any

from taxiway.core.context import OpContext
from taxiway.core.cursors import position_of
from taxiway.core.permissions import decide
from taxiway.core.store.database import Tx
from taxiway.features.pulls import repository
from taxiway.features.pulls.model import MAX_BODY, NewReview, Row, person
from taxiway.features.pulls.service import changes
from taxiway.features.pulls.service.hosts import change, find_pull
from taxiway.features.pulls.service.opening import open_row
from taxiway.kit.paging import Page, page_of
from taxiway.model.errors import ConflictError, InputError, NotAllowedError, NotFoundError

COLUMNS = (
    "id",
    "author",
    "verdict",
    "body",
    "commit",
    "path",
    "line",
    "counts",
    "created_at",
    "dismissed_at",
    "dismissed_by",
    "dismissed_reason",
)


def submit_review(ctx: OpContext, name: str, number: int, review: NewReview) -> dict[str, Any]:
    """Give a review. An approval counts when the reviewer may merge; code owners' count for what they own.

    NotAllowedError for a verdict on one's own pull request; ConflictError when it moved on since it was looked at.
    """
    row = find_pull(ctx, name, number)
    ctx.authorize("pulls.write", row["owner"])
    _check(ctx, row, review)
    if review.verdict != "comment":
        row = open_row(ctx, row)
    if review.commit is not None and review.commit != row["head_sha"] and review.verdict != "comment":
        raise ConflictError(
            f"{name}#{number} moved on since {review.commit[:7]}: look at its new commits, then review",
            code="pulls.head_moved",
        )
    verdict = decide(ctx.platform.permissions, ctx.principal, "pulls.merge", row["owner"])

    def work(tx: Tx) -> Row:
        values = {
            "id": ctx.platform.new_id(),
            "pull_id": row["id"],
            "author": person(ctx.principal),
            "verdict": review.verdict,
            "body": review.body,
            "commit": review.commit or row["head_sha"],
            "path": review.path,
            "line": review.line,
            "counts": verdict.allowed,
            "created_at": tx.now,
            "dismissed_at": None,
            "dismissed_by": None,
            "dismissed_reason": None,
        }
        if review.verdict != "comment":
            change(tx, row)  # a verdict on a head that moves at this moment would be one on other commits
        repository.add_review(tx, values)
        ctx.emit(tx, changes.reviewed(row, values["id"], review.verdict), owner=row["owner"])
        return values

    return _shown(ctx.platform.store.write(work))


def _check(ctx: OpContext, row: Row, review: NewReview) -> None:
    if review.verdict != "comment" and person(ctx.principal) == row["author"]:
        raise NotAllowedError(
            "you opened this pull request: somebody else approves it or asks for changes; you can comment",
            code="pulls.own",
        )
    if review.verdict != "approve" and not review.body.strip():
        raise InputError("say what you mean: a comment or a request for changes needs a text", code="pulls.no_text")
    if len(review.body) > MAX_BODY:
        raise InputError(f"a text is at most {MAX_BODY} characters long", code="pulls.too_long")


def list_reviews(ctx: OpContext, name: str, number: int, cursor: str | None, limit: int) -> Page[dict[str, Any]]:
    """Reviews of a pull request, oldest first."""
    row = find_pull(ctx, name, number)
    with ctx.platform.store.read() as conn:
        rows = repository.reviews(conn, row["id"], position_of(cursor, str), limit + 1)
    page = page_of(rows, limit, lambda item: [item["id"]])
    return Page([_shown(item) for item in page.items], page.next_cursor)


def dismiss_review(ctx: OpContext, name: str, number: int, review_id: str, reason: str) -> None:
    """Take a verdict back: who may merge, with a reason, or the reviewer."""
    row = find_pull(ctx, name, number)
    with ctx.platform.store.read() as conn:
        found = next((item for item in repository.reviews(conn, row["id"]) if item["id"] == review_id), None)
    if found is None:
        raise NotFoundError(f"{name}#{number} has no review {review_id}", code="pulls.no_review")
    if found["author"] != person(ctx.principal):
        ctx.authorize("pulls.merge", row["owner"])

    def work(tx: Tx) -> None:
        if not repository.dismiss_review(tx, row["id"], review_id, person(ctx.principal), reason):
            raise ConflictError("this review is no verdict that holds", code="pulls.dismissed")
        ctx.emit(tx, changes.reviewed(row, review_id, "dismissed"), owner=row["owner"])

    ctx.platform.store.write(work)


def _shown(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in COLUMNS}
