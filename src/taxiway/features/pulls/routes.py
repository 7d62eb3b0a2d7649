"""Operations over pull requests, their reviews and checks, and the rules of branches."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Header, Path, Query
from starlette.responses import Response

from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import etag, expected_version, json_bytes, json_list
from taxiway.core.operations import Operations
from taxiway.features.pulls import service
from taxiway.features.pulls.model import NewPull, NewReview
from taxiway.features.pulls.service.merging import MergeOptions
from taxiway.features.pulls.service.showing import detail
from taxiway.features.pulls.views import (
    CheckList,
    CheckView,
    CommitList,
    DismissBody,
    FileList,
    MergeBody,
    Name,
    NewCheckBody,
    NewPullBody,
    NewReviewBody,
    ProposalBody,
    PullChange,
    PullDetail,
    PullList,
    ReviewList,
    ReviewView,
    RulesBody,
    RulesView,
)
from taxiway.kit.paging import DEFAULT_LIMIT, MAX_LIMIT

operations = Operations("pulls")
BASE = "/api/pulls/v1"
ONE = f"{BASE}/pulls/{{repository}}/{{number}}"
Number = Annotated[int, Path(ge=1, le=2_147_483_647)]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]


@operations.get(f"{BASE}/pulls", "pulls.read", response=PullList)
def list_pulls(
    ctx: Ctx,
    repository: Name | None = None,
    state: Literal["open", "closed", "merged"] | None = None,
    author: Name | None = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Name | None = None,
) -> Any:
    """Pull requests, newest first."""
    page = service.list_pulls(ctx, {"repository": repository, "state": state, "author": author}, cursor, limit)
    return json_list(page.items, page.next_cursor)


@operations.post(f"{BASE}/pulls", "pulls.write", status=201, response=PullDetail)
def open_pull(ctx: Ctx, body: NewPullBody) -> Any:
    """Open a pull request."""
    row = service.open_pull(ctx, NewPull(body.repository, body.head, body.base, body.title, body.body, body.draft))
    place = {"location": f"{BASE}/pulls/{row['repository']}/{row['number']}"}
    return json_bytes(detail(ctx, row), status=201, headers=place)


@operations.post(f"{BASE}/proposals", "pulls.propose", status=201, response=PullDetail)
def propose_change(ctx: Ctx, body: ProposalBody) -> Any:
    """Change files by a pull request: a branch, a commit and the pull request in one."""
    changes = {file.path: file.change() for file in body.files}
    given = service.Proposal(
        body.repository, body.head, changes, body.title, body.body, body.base, body.draft, body.base_sha
    )
    row = service.propose_change(ctx, given)
    place = {"location": f"{BASE}/pulls/{row['repository']}/{row['number']}"}
    return json_bytes(detail(ctx, row), status=201, headers=place)


@operations.get(ONE, "pulls.read", response=PullDetail)
def get_pull(ctx: Ctx, repository: Name, number: Number) -> Any:
    """A pull request with how it stands."""
    found = service.get_pull(ctx, repository, number)
    return json_bytes(found, headers={"etag": etag(found["version"])})


@operations.put(ONE, "pulls.write", response=PullDetail)
def change_pull(
    ctx: Ctx, repository: Name, number: Number, body: PullChange, if_match: Annotated[str | None, Header()] = None
) -> Any:
    """Edit title, text, base, or whether it is a draft."""
    version = expected_version(if_match)
    row = service.change_pull(ctx, repository, number, **body.model_dump(), version=version)
    return json_bytes(detail(ctx, row))


@operations.post(f"{ONE}/close", "pulls.write", response=PullDetail)
def close_pull(ctx: Ctx, repository: Name, number: Number) -> Any:
    """Close a pull request without merging it."""
    return json_bytes(detail(ctx, service.close_pull(ctx, repository, number)))


@operations.post(f"{ONE}/reopen", "pulls.write", response=PullDetail)
def reopen_pull(ctx: Ctx, repository: Name, number: Number) -> Any:
    """Open a closed pull request again."""
    return json_bytes(detail(ctx, service.reopen_pull(ctx, repository, number)))


@operations.post(f"{ONE}/merge", "pulls.merge", response=PullDetail)
def merge_pull(ctx: Ctx, repository: Name, number: Number, body: MergeBody) -> Any:
    """Merge a pull request that passes its gates."""
    return json_bytes(service.merge_pull(ctx, repository, number, MergeOptions(**body.model_dump())))


@operations.get(f"{ONE}/commits", "pulls.read", response=CommitList)
def list_commits(ctx: Ctx, repository: Name, number: Number) -> Any:
    """Commits of a pull request, newest first."""
    return json_bytes({"items": service.list_commits(ctx, repository, number)})


@operations.get(f"{ONE}/files", "pulls.read", response=FileList)
def list_files(
    ctx: Ctx,
    repository: Name,
    number: Number,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Name | None = None,
) -> Any:
    """Changed files of a pull request, with their patches."""
    return json_bytes(service.list_files(ctx, repository, number, cursor, limit))


@operations.get(f"{ONE}/diff", "pulls.read", response=str)
def get_diff(ctx: Ctx, repository: Name, number: Number) -> Any:
    """The diff of a pull request as text, at most 2 MiB.

    The header `x-taxiway-cut` is `true` when it is longer than that.
    """
    text, is_cut = service.diff_of(ctx, repository, number)
    return Response(text, media_type="text/x-diff", headers={"x-taxiway-cut": "true"} if is_cut else {})


@operations.get(f"{ONE}/checks", "pulls.read", response=CheckList)
def list_checks(ctx: Ctx, repository: Name, number: Number) -> Any:
    """Checks of the head of a pull request."""
    return json_bytes({"items": service.list_checks(ctx, repository, number)})


@operations.get(f"{ONE}/reviews", "pulls.read", response=ReviewList)
def list_reviews(
    ctx: Ctx, repository: Name, number: Number, limit: Limit = DEFAULT_LIMIT, cursor: Name | None = None
) -> Any:
    """Reviews and comments of a pull request, oldest first."""
    page = service.list_reviews(ctx, repository, number, cursor, limit)
    return json_list(page.items, page.next_cursor)


@operations.post(f"{ONE}/reviews", "pulls.write", status=201, response=ReviewView)
def submit_review(ctx: Ctx, repository: Name, number: Number, body: NewReviewBody) -> Any:
    """Approve, ask for changes, or comment."""
    return json_bytes(service.submit_review(ctx, repository, number, NewReview(**body.model_dump())), status=201)


@operations.post(f"{ONE}/reviews/{{review_id}}/dismiss", "pulls.write", status=204)
def dismiss_review(ctx: Ctx, repository: Name, number: Number, review_id: str, body: DismissBody) -> Response:
    """Take the verdict of a review back."""
    service.dismiss_review(ctx, repository, number, review_id, body.reason)
    return Response(status_code=204)


@operations.post(f"{BASE}/checks", "pulls.report", status=201, response=CheckView)
def report_check(ctx: Ctx, body: NewCheckBody) -> Any:
    """Report what an outside system says of a commit."""
    found = service.check_commit(ctx, body.repository, body.commit, body.name, body.state, body.detail, body.url)
    return json_bytes(found, status=201)


@operations.get(f"{BASE}/rules/{{repository}}", "pulls.read", response=RulesView)
def get_rules(ctx: Ctx, repository: Name) -> Any:
    """What protects the branches of a repository."""
    found = service.get_rules(ctx, repository)
    return json_bytes(found, headers={"etag": etag(found["version"])})


@operations.put(f"{BASE}/rules/{{repository}}", "pulls.protect", response=RulesView)
def set_rules(ctx: Ctx, repository: Name, body: RulesBody, if_match: Annotated[str | None, Header()] = None) -> Any:
    """Replace the rules that protect the branches of a repository."""
    rules = [rule.rule() for rule in body.rules]
    found = service.set_rules(ctx, repository, rules, expected_version(if_match))
    return json_bytes(found, headers={"etag": etag(found["version"])})
