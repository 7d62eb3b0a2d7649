"""Bodies and answers of the operations over pull requests. These descriptions are the API reference."""

from __future__ import annotations

import base64
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from taxiway.features.pulls.model import MAX_BODY, MAX_TITLE, CheckState, Mergeable, ReviewVerdict
from taxiway.model.errors import InputError
from taxiway.model.pulls import METHODS, BranchRule, MergeMethod
from taxiway.model.workload import FileChange


def _plain(text: str) -> str:
    """Text that every database takes. ValueError says what is in the way."""
    if "\0" in text:
        raise ValueError("leave out NUL characters")
    return text


Plain = AfterValidator(_plain)
Name = Annotated[str, Field(max_length=300), Plain]
Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
Text = Annotated[str, Field(max_length=MAX_BODY), Plain]
Title = Annotated[str, Field(max_length=MAX_TITLE), Plain]
Note = Annotated[str, Field(max_length=2000), Plain]
STRICT = ConfigDict(extra="forbid")


class PullView(BaseModel):
    """A pull request. `reason` says why it was closed when nobody did by hand; `merge_sha` is what the base became."""

    id: str
    repository: str
    number: int
    title: str
    body: str
    author: str
    state: Literal["open", "closed", "merged"]
    reason: str
    draft: bool
    base: str
    head: str
    base_sha: str
    head_sha: str
    merge_sha: str | None
    method: str | None
    merged_by: str | None
    created_at: int
    updated_at: int
    ended_at: int | None
    version: int


class GateView(BaseModel):
    """What must be passed before merging; `detail` says what is missing and what to do."""

    id: str
    title: str
    verdict: Literal["passed", "failed", "pending"]
    detail: str


class CheckView(BaseModel):
    """What a pipeline or an outside system says of the head commit."""

    name: str
    source: str
    state: CheckState
    detail: str
    run_id: str | None
    url: str | None
    updated_at: int


class ReviewerView(BaseModel):
    """The verdict of a reviewer that holds. `counts`: towards the approvals that a rule asks for."""

    reviewer: str
    verdict: str
    counts: bool
    at: int


class PullDetail(PullView):
    """A pull request with how it stands. `mergeable` is GitHub's word; `actions` is what you may do now."""

    mergeable: Mergeable
    merging: bool
    gates: list[GateView]
    methods: list[MergeMethod]
    checks: list[CheckView]
    reviewers: list[ReviewerView]
    ahead: int | None
    behind: int | None
    actions: list[str]


class PullList(BaseModel):
    """A page of pull requests, newest first."""

    items: list[PullView]
    next_cursor: str | None


class CommitView(BaseModel):
    """A commit."""

    sha: str
    message: str
    author: str
    at: int


class CommitList(BaseModel):
    """Commits, newest first, at most 250."""

    items: list[CommitView]


class FileView(BaseModel):
    """A changed file. `patch` is its hunks, null when it is binary; `is_cut`: it is longer than shown."""

    path: str
    status: str
    previous_path: str | None
    additions: int | None
    deletions: int | None
    is_binary: bool
    patch: str | None
    is_cut: bool


class FileList(BaseModel):
    """A page of changed files; `total`, `additions` and `deletions` are of all of them."""

    items: list[FileView]
    next_cursor: str | None
    total: int
    additions: int
    deletions: int


class CheckList(BaseModel):
    """Checks of the head commit, by name."""

    items: list[CheckView]


class ReviewView(BaseModel):
    """A review. A dismissed verdict does not hold any more."""

    id: str
    author: str
    verdict: ReviewVerdict
    body: str
    commit: str
    path: str | None
    line: int | None
    counts: bool
    created_at: int
    dismissed_at: int | None
    dismissed_by: str | None
    dismissed_reason: str | None


class ReviewList(BaseModel):
    """A page of reviews, oldest first."""

    items: list[ReviewView]
    next_cursor: str | None


class NewPullBody(BaseModel):
    """The branches: `head` with the commits, `base` where they go (the default branch)."""

    model_config = STRICT
    repository: Name
    head: Name
    base: Name | None = None
    title: Title | None = None
    body: Text = ""
    draft: bool = False


class FileBody(BaseModel):
    """The new content of a file; without any it is removed. Bytes that are no text come as base64."""

    model_config = STRICT
    path: Annotated[str, Field(min_length=1, max_length=1000), Plain]
    content: str | None = None
    content_base64: str | None = None
    executable: bool = False

    def change(self) -> FileChange:
        """What the forge commits. InputError for both contents, and for base64 that is none."""
        if self.content is not None and self.content_base64 is not None:
            raise InputError(f"{self.path}: send content or content_base64, not both", code="pulls.content")
        try:
            if self.content_base64 is not None:
                return FileChange(base64.b64decode(self.content_base64, validate=True), self.executable)
            return FileChange(None if self.content is None else self.content.encode(), self.executable)
        except ValueError as error:
            raise InputError(f"{self.path}: its content cannot be read", code="pulls.content") from error


class ProposalBody(BaseModel):
    """Files that are to be different on `base` (the default branch), and the new branch that has them. With `base_sha`,
    the commit that they were made from, it is refused when the base moved on."""

    model_config = STRICT
    repository: Name
    head: Name
    base: Name | None = None
    base_sha: Sha | None = None
    title: Title
    body: Text = ""
    draft: bool = False
    files: list[FileBody] = Field(min_length=1, max_length=200)


class PullChange(BaseModel):
    """What is to be different; what is left out stays."""

    model_config = STRICT
    title: Title | None = None
    body: Text | None = None
    base: Name | None = None
    draft: bool | None = None


class MergeBody(BaseModel):
    """How to merge. With `head_sha` and `base_sha` it is merged only as you saw it."""

    model_config = STRICT
    method: MergeMethod | None = None
    head_sha: Sha | None = None
    base_sha: Sha | None = None
    message: Text | None = None
    delete_branch: bool = False


class NewReviewBody(BaseModel):
    """A verdict, or a comment; `path` and `line` (of the new file) make it a remark on a line."""

    model_config = STRICT
    verdict: ReviewVerdict
    body: Text = ""
    commit: Sha | None = None
    path: Annotated[str, Field(max_length=4096), Plain] | None = None
    line: int | None = Field(None, ge=1, le=2_147_483_647)


class DismissBody(BaseModel):
    """Why."""

    model_config = STRICT
    reason: Annotated[str, Field(min_length=1, max_length=2000), Plain]


class NewCheckBody(BaseModel):
    """What an outside system says of a commit."""

    model_config = STRICT
    repository: Name
    commit: Sha
    name: Annotated[str, Field(min_length=1, max_length=200), Plain]
    state: CheckState
    detail: Note = ""
    url: Annotated[str, Field(max_length=2000, pattern=r"^https?://"), Plain] | None = None


class RuleBody(BaseModel):
    """What protects the branches that match `pattern`."""

    model_config = STRICT
    pattern: Name
    allow_push: bool = False
    allow_force_push: bool = False
    allow_delete: bool = False
    required_approvals: int = 0
    dismiss_stale_reviews: bool = True
    require_code_owners: bool = False
    required_checks: list[Name] = []
    require_up_to_date: bool = False
    methods: list[MergeMethod] = list(METHODS)

    def rule(self) -> BranchRule:
        """The rule that it describes."""
        lists = {"required_checks": tuple(self.required_checks), "methods": tuple(self.methods)}
        return BranchRule(**{**self.model_dump(), **lists})


class RulesBody(BaseModel):
    """All rules of the repository, in order."""

    model_config = STRICT
    rules: list[RuleBody]


class RulesView(BaseModel):
    """The rules of a repository. The first that matches a branch is its rule."""

    repository: str
    rules: list[RuleBody]
    version: int
