"""Pull requests as a forge works on them: what a branch would change, how it is merged, and what protects a branch.

Values that `features/pulls` and the plugins at the point `pull_host` exchange. Commits are full SHAs, times are
microseconds UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from taxiway.kit.globs import matches
from taxiway.model.workload import FileChange

MergeMethod = Literal["merge", "squash", "rebase"]
METHODS: tuple[MergeMethod, ...] = ("merge", "squash", "rebase")
FileStatus = Literal["added", "modified", "removed", "renamed", "copied", "type_changed"]


@dataclass(frozen=True)
class CommitInfo:
    """One commit. `author` is the name that it carries."""

    sha: str
    message: str
    author: str
    at: int
    parents: Sequence[str] = ()


@dataclass(frozen=True)
class Comparison:
    """Two commits side by side. `commits` are those that only `head` has, newest first and at most as many as were
    asked for; `ahead` and `behind` count all. `merge_base` is None when they have no common history."""

    base: str
    head: str
    merge_base: str | None
    ahead: int
    behind: int
    commits: Sequence[CommitInfo] = ()


@dataclass(frozen=True)
class ChangedFile:
    """One file of a diff. `previous_path` is set for renames and copies; additions and deletions are lines, None for a
    binary file. `patch` is unified diff text, None where it was not asked for, is binary, or is too large."""

    path: str
    status: FileStatus
    previous_path: str | None = None
    additions: int | None = None
    deletions: int | None = None
    is_binary: bool = False
    patch: str | None = None
    is_cut: bool = False


@dataclass(frozen=True)
class ChangedFiles:
    """A page of a diff: `total` files, of which `files` are those from the place that was asked for. `additions` and
    `deletions` are sums over all of them."""

    files: Sequence[ChangedFile]
    total: int
    additions: int
    deletions: int


@dataclass(frozen=True)
class MergeTrial:
    """Whether `head` merges into `base` without conflicts; `conflicts` names the files that keep it from it."""

    is_clean: bool
    conflicts: Sequence[str] = ()


@dataclass(frozen=True)
class CarryRequest:
    """A change between two trees that are no commits, `old` and `new` (content by path), to be made onto the commit
    `start` by a three-way merge. `author` is an entity reference, `at` the time of the commit in microseconds UTC."""

    repository: str
    start: str
    old: Mapping[str, FileChange]
    new: Mapping[str, FileChange]
    message: str
    author: str
    at: int


@dataclass(frozen=True)
class CarryConflict:
    """A file that both sides changed. `content`: it holds git's conflict marks. In all other kinds the repository's own
    side stands: `binary` (no text, or of two types), `deleted_here` (it stays deleted), `deleted_there` (it stays),
    `moved` (each side moved it elsewhere)."""

    path: str
    kind: Literal["content", "binary", "deleted_here", "deleted_there", "moved"]


@dataclass(frozen=True)
class Carried:
    """What became of it: the commit behind `start`, None where `start` has it all, and what needs a look."""

    commit: str | None
    conflicts: Sequence[CarryConflict] = ()


@dataclass(frozen=True)
class CarryTrial:
    """What a carried change would do to the files of the repository, and what would need a look."""

    files: ChangedFiles
    conflicts: Sequence[CarryConflict] = ()


@dataclass(frozen=True)
class MergeRequest:
    """One merge, complete: asked again it makes the same commit. `base` is the branch, `base_sha` must still be its
    head, else nothing happens. `author` wrote the change, `committer` merges it (entity references); `at` is the time
    of the commit."""

    repository: str
    base: str
    base_sha: str
    head_sha: str
    method: MergeMethod
    message: str
    author: str
    committer: str
    at: int


@dataclass(frozen=True)
class BranchRule:
    """What protects the branches that `pattern` matches (`*` not across `/`, `**` across, as in GitHub's rules).

    Pushes are refused unless `allow_push`; with it, rewriting history and deleting are refused unless allowed too.
    The rest holds for merging a pull request: approvals that count, that they are given again after new commits, code
    owners, checks that have succeeded on the head, the head containing the base, and the ways to merge.
    """

    pattern: str
    allow_push: bool = False
    allow_force_push: bool = False
    allow_delete: bool = False
    required_approvals: int = 0
    dismiss_stale_reviews: bool = True
    require_code_owners: bool = False
    required_checks: tuple[str, ...] = ()
    require_up_to_date: bool = False
    methods: tuple[MergeMethod, ...] = METHODS


@dataclass(frozen=True)
class BranchRules:
    """The rules of a repository, in order: the first that matches a branch is its rule. `version` 0: none were set."""

    rules: tuple[BranchRule, ...] = ()
    version: int = 0


def rule_of(rules: BranchRules, branch: str) -> BranchRule | None:
    """The rule of a branch: the first that matches, None when it is not protected."""
    return next((rule for rule in rules.rules if matches(branch, rule.pattern)), None)
