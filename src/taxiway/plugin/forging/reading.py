"""Reads the repositories of a forge for the catalog: one listing, and one conditional call for each that may have
changed. A repository is a part of its source; what of it is kept says whether its descriptors can be other ones now.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from taxiway.kit.clock import MICROSECONDS, Clock
from taxiway.model.errors import NotFoundError, TooLargeError
from taxiway.plugin.forging.options import ForgeSourceOptions
from taxiway.plugin.forging.trees import Entry, ListedTree, inside, is_pattern
from taxiway.plugin.points.sourcing import (
    SourcedTree,
    SourceEnd,
    SourceGone,
    SourceItem,
    SourcePart,
    SourceProblem,
    SourceRequest,
)

MAX_TOUCHED = 500
"""Files that are remembered of a repository; one that reads more is read again after each push."""


SETTLED_SECONDS = 10
"""What changed so recently may change again within the second that a forge tells."""


def settled(changed: str, clock: Clock) -> str:
    """`changed`, a time in ISO 8601, as the `mark` of a repository; empty where it is none, or too recent to tell this
    change from the next."""
    try:
        at = datetime.fromisoformat(changed).timestamp()
    except ValueError:
        return ""
    return changed if clock.now() / MICROSECONDS - at > SETTLED_SECONDS else ""


@dataclass(frozen=True)
class Repository:
    """A repository as a listing tells of it. `name` is its full name, `key` what calls need to name it.

    `mark` is something that differs after every push, such as its time; empty where the listing has no such thing, or
    where a push in this very second could not be told from the last."""

    name: str
    key: str
    default_branch: str
    topics: Sequence[str] = ()
    archived: bool = False
    fork: bool = False
    empty: bool = False
    mark: str = ""


@dataclass(frozen=True)
class Listing:
    """The files at the head of a branch. `entries` is None when the forge could not list them all."""

    commit: str
    entries: Mapping[str, Entry] | None
    etag: str | None = None


class ForgeApi(Protocol):
    """The calls to a forge that reading needs."""

    def repositories(self) -> Iterator[Repository]:
        """Every repository of the organisation."""
        ...

    def repository(self, name: str) -> Repository | None:
        """One by its full name; None when it is gone, or not of this organisation."""
        ...

    def listing(self, repository: Repository, branch: str, kept: Mapping[str, Any]) -> Listing | None:
        """Its files; None when they are as they were when `kept` (`commit`, `etag`) was noted. NotFoundError when it
        has no such branch."""
        ...

    def content(self, repository: Repository, commit: str, path: str, entry: Entry | None, limit: int) -> bytes:
        """A file. NotFoundError, TooLargeError above `limit` bytes."""
        ...

    def place(self, repository: Repository, branch: str, path: str) -> str:
        """The URL of a file as people see it."""
        ...


def read_repositories(request: SourceRequest, api: ForgeApi) -> Iterator[SourceItem]:
    """A reading of a source whose options are `ForgeSourceOptions`: whole, or what hints of `{repository}` name."""
    options: ForgeSourceOptions = request.options
    chosen = filter_of(options)
    if request.hints:
        for name in dict.fromkeys(str(hint["repository"]) for hint in request.hints if hint.get("repository")):
            found = api.repository(name)
            if found is not None and chosen(found):
                yield from _read_one(request, api, found)
                if found.name != name:
                    yield SourceGone(part=name)
            else:
                yield SourceGone(part=name)
        yield SourceEnd(complete=False)
        return
    for repository in api.repositories():
        if request.cancelled.is_set():
            return
        if chosen(repository):
            yield from _read_one(request, api, repository)
    yield SourceEnd(complete=True)


def filter_of(options: ForgeSourceOptions) -> Callable[[Repository], bool]:
    """Whether a repository is one of those that the options ask for. The name counts without its organisation."""
    wanted = re.compile(options.repositories)
    unwanted = None if options.exclude is None else re.compile(options.exclude)
    topics, without = set(options.topics), set(options.without_topics)

    def chosen(repository: Repository) -> bool:
        name = repository.name.rpartition("/")[2]
        return (
            wanted.fullmatch(name) is not None
            and (unwanted is None or unwanted.fullmatch(name) is None)
            and (not topics or not topics.isdisjoint(repository.topics))
            and without.isdisjoint(repository.topics)
            and (options.archived or not repository.archived)
            and (options.forks or not repository.fork)
        )

    return chosen


def _read_one(request: SourceRequest, api: ForgeApi, repository: Repository) -> Iterator[SourceItem]:
    options: ForgeSourceOptions = request.options
    kept = request.part(repository.name) or {}
    branch = options.branch or repository.default_branch
    if kept and repository.mark and kept.get("mark") == repository.mark and kept.get("branch") == branch:
        yield SourcePart(repository.name, same=True)
        return
    if repository.empty or not branch:
        yield SourcePart(repository.name, {"mark": repository.mark, "branch": branch})
        return
    known = kept if kept.get("branch") == branch else {}
    try:
        listing = api.listing(repository, branch, known)
    except NotFoundError:
        yield SourcePart(repository.name, {"mark": repository.mark, "branch": branch})
        return
    if listing is None:
        yield SourcePart(repository.name, {**kept, "mark": repository.mark}, same=True)
        return
    state = {"mark": repository.mark, "branch": branch, "commit": listing.commit, "etag": listing.etag}
    had: dict[str, bytes] = {}

    def fetch(path: str, entry: Entry | None, limit: int) -> bytes:
        return had[path] if path in had else api.content(repository, listing.commit, path, entry, limit)

    tree = ListedTree(listing.commit, listing.entries, fetch, lambda path: api.place(repository, branch, path))
    try:
        paths = _paths(options, tree) if listing.entries is not None else list(_asked(options, tree, had))
    except TooLargeError as error:
        yield SourceProblem(tree.location(""), error.detail)
        yield SourcePart(repository.name, state)
        return
    before = known.get("touched")
    if before is not None and listing.entries is not None and before == _ids(listing.entries, [*before, *paths]):
        yield SourcePart(repository.name, {**state, "touched": before}, same=True)
        return
    if listing.entries is None and any(is_pattern(path) for path in options.paths):
        detail = "it has too many files to be listed: name the paths of its descriptors without wildcards"
        yield SourceProblem(tree.location(""), detail)
    if paths:
        yield SourcedTree(tree, paths)
    # The host has read the files by now: what it touched decides whether the next push matters.
    touched = {**_ids(listing.entries or {}, paths), **tree.touched}
    remembered = {"touched": touched} if listing.entries is not None and len(touched) <= MAX_TOUCHED else {}
    yield SourcePart(repository.name, {**state, **remembered})


def _paths(options: ForgeSourceOptions, tree: ListedTree) -> list[str]:
    return list(dict.fromkeys(path for pattern in options.paths for path in tree.match(pattern)))


def _asked(options: ForgeSourceOptions, tree: ListedTree, had: dict[str, bytes]) -> Iterator[str]:
    # Without a list of files, each path is asked for; that it is not there is no fault.
    for path in (inside(path) for path in options.paths if not is_pattern(path)):
        try:
            had[path] = tree.read(path)
        except NotFoundError:
            continue
        except TooLargeError:
            pass  # told when the host reads it
        yield path


def _ids(entries: Mapping[str, Entry], paths: Sequence[str]) -> dict[str, str]:
    return {path: entries[path].id if path in entries else "" for path in paths}
