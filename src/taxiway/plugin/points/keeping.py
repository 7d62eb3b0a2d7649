"""What keeps things: forges keep code, secret stores keep secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from taxiway.model.pulls import (
    BranchRule,
    BranchRules,
    Carried,
    CarryRequest,
    CarryTrial,
    ChangedFiles,
    Comparison,
    MergeRequest,
    MergeTrial,
)
from taxiway.model.workload import FileChange, Repository


@runtime_checkable
class Forge(Protocol):
    """A git host. `key` is its name. References to commits are full SHAs."""

    key: str

    def create_repository(
        self, name: str, *, description: str, owner: str | None, default_branch: str, request_key: str
    ) -> Repository:
        """Make it; the same `request_key` returns the same repository. ConflictError when another holds the name."""
        ...

    def get_repository(self, name: str) -> Repository | None: ...

    def list_repositories(self, after: str = "", limit: int = 100) -> Sequence[Repository]: ...

    def delete_repository(self, name: str, *, archive: bool) -> None:
        """Archive (read-only, kept) or remove it. Nothing happens when it is gone."""
        ...

    def resolve(self, name: str, ref: str) -> str | None:
        """The commit SHA that a branch, tag or SHA stands for, or None."""
        ...

    def read_file(self, name: str, ref: str, path: str, limit: int = 1_000_000) -> bytes | None:
        """The bytes of a file at `ref`, None when it is not there; TooLargeError above `limit`."""
        ...

    def list_files(self, name: str, ref: str, prefix: str = "") -> Sequence[str]: ...

    def commit(
        self,
        name: str,
        branch: str,
        changes: Mapping[str, FileChange],
        *,
        message: str,
        author: str,
        expect: str | None = None,
    ) -> str:
        """Commit onto the branch head (made when missing) and return the SHA; unchanged content makes no commit.

        `expect` is the head SHA that must still be there, else ConflictError.
        """
        ...

    def export(self, name: str, ref: str, folder: Path) -> str:
        """Write the tree at `ref` into an empty `folder` as a git work tree, and return its SHA."""
        ...

    def log(self, name: str, ref: str, limit: int = 50) -> Sequence[Mapping[str, Any]]:
        """Commits from `ref` back: {sha, message, author, at}, and `mail` where the author has an address."""
        ...


@runtime_checkable
class PullHost(Protocol):
    """What a forge does for pull requests: compare, merge and protect branches. `key` is that of its `forge`.

    The record of a pull request, its reviews and checks are Taxiway's. A ref is a branch or a full SHA; NotFoundError
    when it is not there.
    """

    key: str

    def compare(self, name: str, base: str, head: str, *, limit: int = 250) -> Comparison:
        """Both refs side by side, with up to `limit` commits that only `head` has."""
        ...

    def files(
        self, name: str, old: str, new: str, *, after: int = 0, limit: int = 100, with_patch: bool = True
    ) -> ChangedFiles:
        """A page of the files that differ between two commits; a patch that is too large is cut or left out."""
        ...

    def diff(self, name: str, old: str, new: str, limit: int) -> tuple[str, bool]:
        """The unified diff, up to `limit` bytes, and whether it was cut."""
        ...

    def try_merge(self, name: str, base: str, head: str) -> MergeTrial:
        """Whether they merge; nothing is changed."""
        ...

    def merge(self, request: MergeRequest) -> str:
        """Merge, and return the commit that the base branch has become. ConflictError (`pulls.base_moved`,
        `pulls.conflict`) when the base is no longer where the request saw it, or the two do not merge."""
        ...

    def find_merge(self, request: MergeRequest) -> str | None:
        """The commit that `merge` made for this request when the base branch contains it, else None."""
        ...

    def contains(self, name: str, branch: str, commit: str) -> bool:
        """Whether a branch contains a commit; False when either is gone."""
        ...

    def carry(self, request: CarryRequest) -> Carried:
        """Make the commit of a carried change; no ref moves. The same request makes the same commit."""
        ...

    def try_carry(self, request: CarryRequest, *, limit: int = 500) -> CarryTrial:
        """What `carry` would do, with up to `limit` files; nothing is kept."""
        ...

    def create_branch(self, name: str, branch: str, commit: str, *, by: str) -> None:
        """Let a branch begin at a commit; nothing happens when it stands there, ConflictError when elsewhere."""
        ...

    def delete_branch(self, name: str, branch: str, *, expect: str, by: str) -> bool:
        """Delete a branch whose head is still `expect`; False when it is not. ConflictError when it is protected."""
        ...

    def rules(self, name: str) -> BranchRules:
        """What protects the branches of a repository. The forge holds pushes to it."""
        ...

    def protect(self, name: str, rules: Sequence[BranchRule], *, by: str, expect: int | None = None) -> BranchRules:
        """Replace the rules. ConflictError when `expect` is not their version."""
        ...


@runtime_checkable
class SecretStore(Protocol):
    """Keeps secret values encrypted. `key` is the store's name in references."""

    key: str

    def put(self, name: str, value: str) -> None: ...

    def get(self, name: str) -> str | None: ...

    def delete(self, name: str) -> None: ...
