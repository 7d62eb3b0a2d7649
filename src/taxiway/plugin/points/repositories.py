"""Point: whoever hosts repositories tells which there are, so that those without a descriptor can be given one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True)
class HostedRepository:
    """A repository. `state` changes when its default branch does (a commit); empty when that is not known without a
    look. `owner` is a reference, when the host knows one."""

    name: str
    state: str
    url: str = ""
    description: str = ""
    owner: str | None = None


@dataclass(frozen=True)
class RepositoryFacts:
    """What a descriptor is guessed from: every path, the content of some files, and who committed lately, as (mail
    address or reference, number of commits)."""

    paths: Sequence[str]
    files: Mapping[str, bytes] = field(default_factory=dict)
    authors: Sequence[tuple[str, int]] = ()


@runtime_checkable
class RepositorySource(Protocol):
    """Repositories of one host. `repositories` may cost a listing and at most one conditional request for each; `read`
    is called only for those whose state is new, and gives the content of the files among `wanted` that are there.
    `propose` opens a pull request with one new file in the name of `by` and returns {url} and, on the built-in forge,
    {number}; asked again with the same `key` it returns the same one. Archived and empty repositories are left out."""

    key: str

    def repositories(self) -> Iterable[HostedRepository]: ...

    def read(self, repository: HostedRepository, wanted: Sequence[str]) -> RepositoryFacts: ...

    def propose(
        self, name: str, path: str, content: bytes, *, title: str, body: str, by: str, key: str
    ) -> Mapping[str, str | int]: ...


@runtime_checkable
class HostingSource(Protocol):
    """An `EntitySource` that reads repositories, which can be given a descriptor as well: it is asked for them with the
    options of each source of its type in the settings.

    `kept` gives the state of a repository at the last look, by its name; one that did not change is listed with it.
    The `RepositorySource` has the key `name`.
    """

    key: str

    def hosting(self, name: str, options: Any, kept: Callable[[str], str | None]) -> RepositorySource: ...
