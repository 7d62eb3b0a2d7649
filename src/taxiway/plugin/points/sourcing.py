"""Where entities come from: forges, clusters, directories. A source is configured under `catalog.sources`.

The host calls `read` in a run of kind `ingest`, takes in what it yields in batches, and keeps what it is told to keep.
A source only reads: it writes nothing, and holds nothing between two calls but connections.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel


@dataclass(frozen=True)
class SourcedEntity:
    """An entity document with where it was read: `location` is `file:…` or `url:…`, `line` is 1-based.

    A source that the settings declare an overlay says of entities of other sources what it has to say, and no more:
    `kind`, `metadata.name` and the fields that it knows.

    `vouched` says that the source made the document itself from what the other system holds (a team, a user, a
    cluster), so that it may be of a kind that only trusted sources bring. Never set it for a document that somebody
    else wrote.
    """

    document: Mapping[str, Any]
    location: str
    line: int = 1
    vouched: bool = False


MAX_SOURCE_FILE = 5_000_000
"""Bytes of the largest file that is read for the catalog."""


class SourceTree(Protocol):
    """The files of a repository at one commit, or of a folder. Paths are relative, with '/'."""

    state: str
    """Equal states hold equal files; empty when that cannot be told cheaply."""

    def read(self, path: str) -> bytes:
        """A file. NotFoundError, TooLargeError above MAX_SOURCE_FILE, UnavailableError."""
        ...

    def match(self, pattern: str) -> Sequence[str]:
        """The paths that match a glob, in order."""
        ...

    def location(self, path: str) -> str:
        """`url:…` or `file:…` of a file."""
        ...


@dataclass(frozen=True)
class SourcedTree:
    """Files with entity documents that others wrote. The host reads and parses them, with line numbers, placeholders
    and the Locations in them that name files beside them."""

    tree: SourceTree
    paths: Sequence[str]


@dataclass(frozen=True)
class SourceProblem:
    """Something that could not be read: where, and what to do. What its part held before stays in the catalog."""

    location: str
    detail: str
    line: int | None = None


@dataclass(frozen=True)
class SourcePart:
    """Ends a part of a source, such as a repository: what was yielded since the last one is all that `key` holds.

    `state` (JSON, at most 100 kB) is given back by `SourceRequest.part(key)` at the next reading: ETags, digests. With
    `same` nothing was yielded because nothing changed: what it held stays, and so does its state unless one is given.
    """

    key: str
    state: Mapping[str, Any] | None = None
    same: bool = False


@dataclass(frozen=True)
class SourceGone:
    """In a delta: a part, or one entity by its full reference, that is no more."""

    part: str | None = None
    ref: str | None = None


@dataclass(frozen=True)
class SourceEnd:
    """The last thing that a reading yields when it came to its end. `cursor` (JSON, at most 100 kB) is where the next
    one goes on; None leaves the last one.

    `complete` says that this was a full snapshot: every part was named, so parts that were not are gone. Otherwise it
    was a delta: what was not named stays. A reading that ends without it was not complete, and its cursor stays.
    """

    cursor: Mapping[str, Any] | None = None
    complete: bool = True


SourceItem = SourcedEntity | SourcedTree | SourceProblem | SourcePart | SourceGone | SourceEnd


@dataclass(frozen=True)
class SourceRequest:
    """One reading. `options` are the source's settings as its `options` model; `name` is its name in the settings.

    `cursor` is what the last complete reading left. `hints` are what webhooks told since (see `HookedSource`): when
    there are any, only what they touch is to be read, as a delta. `part(key)` is the state kept with a part, or None.
    `parts()` are the keys of all known parts. A long reading looks at `cancelled`.
    """

    name: str
    options: Any
    cursor: Mapping[str, Any] | None = None
    hints: Sequence[Mapping[str, Any]] = ()
    part: Callable[[str], Mapping[str, Any] | None] = lambda key: None
    parts: Callable[[], Sequence[str]] = lambda: ()
    log: Callable[[str], None] = lambda text: None
    cancelled: threading.Event = field(default_factory=threading.Event)


@runtime_checkable
class EntitySource(Protocol):
    """Reads entities from somewhere. `key` is the `type` that settings name; `options` is the model of what they may
    say beside `name`, `type`, `every`, `trusted`.

    `read` yields what there is, lazily: entities and problems, each part ended by a SourcePart, and a SourceEnd at the
    end. What is yielded outside of any part belongs to the part "": with a complete end it is all of it, with a delta
    it is added. Single faults are SourceProblems; a TaxiwayError ends the reading, and what was taken in stays.
    Credentials are named in options by reference, and resolved when they are used.
    """

    key: str
    options: type[BaseModel]

    def read(self, request: SourceRequest) -> Iterator[SourceItem]: ...


@dataclass(frozen=True)
class HookRequest:
    """A webhook as it came in. Header names are lower case; `body` is as it was sent, for checking its signature."""

    name: str
    options: Any
    headers: Mapping[str, str]
    body: bytes


@runtime_checkable
class HookedSource(Protocol):
    """A source that webhooks can tell of changes."""

    key: str

    def receive(self, request: HookRequest) -> Sequence[Mapping[str, Any]]:
        """What a webhook touches, as hints for the next reading; none when it is of no interest.

        NotAllowedError when its signature is missing or wrong, or none was configured. It must be quick: it is called
        while the sender waits, and may not call out.
        """
        ...


@runtime_checkable
class WatchedSource(Protocol):
    """A source that can follow changes as they happen."""

    key: str

    def watch(self, request: SourceRequest) -> Iterator[Sequence[Mapping[str, Any]]]:
        """Yields hints for a reading each time that something changed after `request.cursor`, which the last whole
        reading left; none stand for a whole reading. It waits in between, looks at `request.cancelled` at least each
        second, and returns when it is set.

        It ends, or raises, when it cannot go on: the host calls it again, after a pause that grows with each failure.
        """
        ...


class Checkout(Protocol):
    """What a URL names in a repository: `path` (`.` for all of it) as of `commit`."""

    @property
    def commit(self) -> str: ...

    @property
    def path(self) -> str: ...

    def is_file(self) -> bool:
        """Whether `path` is a file. NotFoundError when nothing is there."""
        ...

    def files(self, folder: str) -> Iterator[tuple[str, bytes, bool]]:
        """(path below `folder`, content, whether it is executable) of the files below a folder of the repository, or
        of the one file by its name. InputError for links, NotFoundError, TooLargeError."""
        ...


@runtime_checkable
class CheckoutReader(Protocol):
    """A `url_reader` that can also give whole folders, with the token of a person: golden paths fetch so."""

    key: str
    hosts: Sequence[str]

    def checkout(self, url: str, token: str | None) -> Checkout:
        """What a URL of a repository, folder or file names, read with `token` in place of the credential of the
        settings. InputError for a URL that names nothing on the forge, NotFoundError, UnavailableError."""
        ...


@runtime_checkable
class UrlReader(Protocol):
    """Reads what `url:` locations on certain hosts name, such as a forge's files.

    `hosts` are those hosts, with a port where it is not the scheme's own. Where a forge names repositories otherwise
    than by owner and repo, its reader has `repo_url_parts(host)`: the parts of a `repoUrl` that forms ask for.
    """

    key: str
    hosts: Sequence[str]

    def open(self, url: str) -> tuple[SourceTree, str]:
        """The repository of a file's URL at the ref that it names, and the path (or pattern) in it.

        InputError for a URL that names no file, NotFoundError, UnavailableError."""
        ...
