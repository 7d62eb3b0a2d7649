"""The repositories of a configured source as those that may be given a first descriptor: what changed since the last
look, what a descriptor is guessed from, and the pull request that brings it.

A forge gives an `OnboardingApi`: the calls that reading needs (`ForgeApi`) and four more. A look costs the listing, and
one conditional call for each repository whose mark is another one, or that the listing has no mark of.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from taxiway.model.errors import ConflictError, NotFoundError, TooLargeError
from taxiway.plugin.forging.options import ForgeSourceOptions
from taxiway.plugin.forging.reading import ForgeApi, Listing, Repository, filter_of
from taxiway.plugin.forging.trees import is_pattern
from taxiway.plugin.points.repositories import HostedRepository, RepositoryFacts

MAX_FILE = 200_000
AUTHORS = 20
COMMITS = 50
"""The newest commits whose authors are looked at."""
BRANCH = "taxiway-onboard-"


@dataclass(frozen=True)
class NewFile:
    """A file that a pull request brings: on which branch, made from which, and what the request says."""

    path: str
    content: bytes
    branch: str
    base: str
    title: str
    body: str


class OnboardingApi(ForgeApi, Protocol):
    """The calls to a forge that onboarding needs beside those of reading."""

    def authors(self, repository: Repository, branch: str) -> Sequence[str]:
        """The mail addresses of who made the newest COMMITS commits of a branch, one for each commit."""
        ...

    def proposal(self, repository: Repository, branch: str) -> str | None:
        """The URL of the pull request that was opened from a branch, whatever became of it."""
        ...

    def add_file(self, repository: Repository, file: NewFile) -> None:
        """Make the branch with the file on it. Nothing when both are there already."""
        ...

    def open_proposal(self, repository: Repository, file: NewFile) -> str:
        """Open the pull request from the branch; its URL."""
        ...


@dataclass
class ForgeRepositories:
    """A `RepositorySource` of one configured source. `kept` gives the state of the last look by a repository's name."""

    key: str
    api: OnboardingApi
    options: ForgeSourceOptions
    kept: Callable[[str], str | None] = lambda name: None
    _seen: dict[str, tuple[Repository, Listing]] = field(default_factory=dict)

    def repositories(self) -> Iterator[HostedRepository]:
        chosen = filter_of(self.options)
        for one in self.api.repositories():
            if one.archived or one.empty or not one.default_branch or not chosen(one):
                continue
            state = self._state(one)
            if state is not None:
                yield HostedRepository(one.name, state, self.api.place(one, one.default_branch, ""))
            self._seen.pop(one.name, None)

    def _state(self, one: Repository) -> str | None:
        """The state of a repository, the last one where nothing changed; None for one without that branch."""
        text = self.kept(one.name)
        kept = _loaded(text)
        branch = one.default_branch
        if text and one.mark and (kept.get("mark"), kept.get("branch")) == (one.mark, branch):
            return text
        try:
            listing = self.api.listing(one, branch, kept if kept.get("branch") == branch else {})
        except NotFoundError:
            return None
        if listing is None:
            return text or ""
        self._seen[one.name] = (one, listing)
        state = {"branch": branch, "mark": one.mark, "commit": listing.commit, "etag": listing.etag}
        return json.dumps({key: value for key, value in state.items() if value}, sort_keys=True)

    def read(self, repository: HostedRepository, wanted: Sequence[str]) -> RepositoryFacts:
        one, listing = self._seen.get(repository.name) or self._found(repository.name)
        asked = [*wanted, *(path for path in self.options.paths if not is_pattern(path))]
        if listing.entries is not None:
            asked = [path for path in wanted if path in listing.entries]
        files = {}
        for path in asked:
            entry = (listing.entries or {}).get(path)
            if entry is not None and (entry.size or 0) > MAX_FILE:
                continue
            try:
                files[path] = self.api.content(one, listing.commit, path, entry, MAX_FILE)
            except (NotFoundError, TooLargeError):
                continue
        authors = Counter(mail.lower() for mail in self.api.authors(one, one.default_branch) if mail)
        # One with too many files to be listed is known by those that are there of the ones asked for.
        paths = sorted(files if listing.entries is None else listing.entries)
        found = {path: files[path] for path in wanted if path in files}
        return RepositoryFacts(paths, found, authors.most_common(AUTHORS))

    def _found(self, name: str) -> tuple[Repository, Listing]:
        one = self._repository(name)
        listing = self.api.listing(one, one.default_branch, {})
        if listing is None:
            raise NotFoundError(f"{name} has no branch {one.default_branch}", code="forge.no_branch")
        return one, listing

    def _repository(self, name: str) -> Repository:
        found = self.api.repository(name)
        if found is None or not filter_of(self.options)(found):
            raise NotFoundError(f"{name} was not found: look at the repositories again", code="forge.no_repository")
        return found

    def propose(
        self, name: str, path: str, content: bytes, *, title: str, body: str, by: str, key: str
    ) -> Mapping[str, str | int]:
        one = self._repository(name)
        if one.archived or not one.default_branch:
            raise ConflictError(f"{name} is archived or empty: nothing can be proposed there", code="forge.read_only")
        branch = f"{BRANCH}{key}"
        said = f"{body}\n\nProposed by {by}." if body else f"Proposed by {by}."
        file = NewFile(path, content, branch, one.default_branch, title, said)
        url = self.api.proposal(one, branch)
        if url is None:
            self.api.add_file(one, file)
            url = self.api.open_proposal(one, file)
        return {"url": url}


def _loaded(text: str | None) -> Mapping[str, Any]:
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
