"""What keeps things: forges keep code, secret stores keep secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

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
        """Commits from `ref` back: {sha, message, author, at}."""
        ...


@runtime_checkable
class SecretStore(Protocol):
    """Keeps secret values encrypted. `key` is the store's name in references."""

    key: str

    def put(self, name: str, value: str) -> None: ...

    def get(self, name: str) -> str | None: ...

    def delete(self, name: str) -> None: ...
