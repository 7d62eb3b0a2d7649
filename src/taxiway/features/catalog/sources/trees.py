"""Two kinds of tree that documents are read from, behind one interface: a folder, and a repository at a commit.

Nothing outside of the tree can be read through it: paths are normalised, links out of a folder are refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from posixpath import normpath
from typing import Protocol

from taxiway.kit.globs import matches
from taxiway.model.errors import InputError, NotFoundError, TooLargeError
from taxiway.plugin import Forge

MAX_FILE = 5_000_000
MAX_MATCHES = 5000
MANY = re.compile(r"\*{2,}")


class Tree(Protocol):
    """Files to read from. Paths are relative, with '/'."""

    state: str
    """Equal states hold equal files; empty when that cannot be told cheaply."""

    def read(self, path: str) -> bytes:
        """The bytes of a file. NotFoundError, TooLargeError."""
        ...

    def match(self, pattern: str) -> Sequence[str]:
        """Paths that match a glob, in order."""
        ...

    def location(self, path: str) -> str:
        """`<type>:<target>` of a file."""
        ...


def inside(path: str) -> str:
    """`path` normalised. InputError when it leads out of its tree."""
    clean = normpath(path.lstrip("/"))
    if clean == ".." or clean.startswith("../") or "\0" in clean:
        raise InputError(f"'{path}' leads out of its source: name a file beside it", code="catalog.outside")
    return clean


def is_pattern(path: str) -> bool:
    """Whether a path holds wildcards."""
    return any(sign in path for sign in "*?[")


class FileTree:
    """A folder of this host."""

    state = ""

    def __init__(self, root: Path, limit: int = MAX_FILE) -> None:
        self._root = root.resolve()
        self._limit = limit

    def read(self, path: str) -> bytes:
        try:
            return self._content(path, (self._root / inside(path)).resolve())
        except (OSError, RuntimeError) as error:  # a name that is too long, no right to read it, links in a circle
            why = error.strerror if isinstance(error, OSError) else error
            raise NotFoundError(f"'{path[:200]}' cannot be read: {why}", code="catalog.no_file") from error

    def _content(self, path: str, file: Path) -> bytes:
        if not file.is_relative_to(self._root):
            raise InputError(f"'{path}' leads out of {self._root}", code="catalog.outside")
        if not file.is_file():
            raise NotFoundError(f"there is no file {file}", code="catalog.no_file")
        with file.open("rb") as stream:
            content = stream.read(self._limit + 1)
        if len(content) > self._limit:
            raise TooLargeError(f"{file} is larger than {self._limit} bytes: split it", code="catalog.too_large")
        return content

    def match(self, pattern: str) -> Sequence[str]:
        found: list[str] = []
        # As elsewhere, two asterisks that are only part of a name are one.
        parts = [part if part == "**" else MANY.sub("*", part) for part in inside(pattern).split("/")]
        if parts[-1] == "**":
            parts.append("*")  # everything below, not the folders alone
        if _is_within(self._root / inside(pattern), self._root):
            return [inside(pattern)]  # a name with brackets in it
        for file in self._root.glob("/".join(parts)):
            if _is_within(file, self._root):
                found.append(file.relative_to(self._root).as_posix())
            if len(found) > MAX_MATCHES:
                raise _too_many(pattern)
        return sorted(found)

    def location(self, path: str) -> str:
        return f"file:{self._root / inside(path)}"


def _too_many(pattern: str) -> TooLargeError:
    # Some of them would not do: what is in the others would be removed.
    return TooLargeError(f"'{pattern}' matches more than {MAX_MATCHES} files: narrow it", code="catalog.too_many_files")


def _is_within(file: Path, root: Path) -> bool:
    try:
        return file.is_file() and file.resolve().is_relative_to(root)
    except (OSError, RuntimeError):
        return False  # a link that leads to itself


class GitTree:
    """A repository of a forge at one commit."""

    def __init__(self, forge: Forge, name: str) -> None:
        repository = forge.get_repository(name)
        if repository is None:
            raise NotFoundError(f"there is no repository '{name}' on {forge.key}", code="catalog.no_repository")
        commit = forge.resolve(name, repository.default_branch)
        if commit is None:
            raise NotFoundError(
                f"the repository '{name}' has no commit on {repository.default_branch}: push one",
                code="catalog.empty_repository",
            )
        self._forge, self._repository, self.state = forge, repository, commit

    def read(self, path: str) -> bytes:
        content = self._forge.read_file(self._repository.name, self.state, inside(path), MAX_FILE)
        if content is None:
            raise NotFoundError(
                f"there is no file '{path}' in {self._repository.name} at {self.state[:12]}", code="catalog.no_file"
            )
        return content

    def match(self, pattern: str) -> Sequence[str]:
        pattern = inside(pattern)
        names = self._forge.list_files(self._repository.name, self.state)
        found = [pattern] if pattern in names else sorted(name for name in names if matches(name, pattern))
        if len(found) > MAX_MATCHES:
            raise _too_many(pattern)
        return found

    def location(self, path: str) -> str:
        return f"url:{self._repository.clone_url}/{inside(path)}"
