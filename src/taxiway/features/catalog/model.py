"""Values of the catalog."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

SYSTEM_SOURCES = frozenset({"library", "demo"})
"""Sources that ship with Taxiway: they are not locations, and cannot be unregistered."""

TRUSTED_KINDS = frozenset(
    {"User", "Group", "Template", "Recipe", "EnvironmentType", "Environment", "Kind", "KindExtension", "Action"}
)
"""Kinds that decide who may do what, or what the platform runs: only trusted sources may bring them."""

IMPORT = "import"
"""The type of a location that stands for an import: a snapshot, which is not read again by itself."""

MANAGED_BY = "backstage.io/managed-by-location"
ORIGIN = "backstage.io/managed-by-origin-location"
SOURCE_LOCATION = "backstage.io/source-location"


PROBLEM_CODES: Mapping[str, str] = {
    "unreadable": "a file, a target or a placeholder could not be read",
    "invalid": "a document is not a valid entity",
    "untrusted": "a document of a kind that only trusted sources may bring",
    "duplicate": "a source describes one reference twice",
    "conflict": "two sources claim one reference: the first keeps it",
    "undeclared": "an overlay has a field that it may not write: the others are written",
    "overlay": "an entity would not be valid with an overlay: the overlay is left out",
}
"""What can be wrong with a source."""


OWN = ""
"""Stands for the entity's own source among layers."""

CONFIGURED = "source:"
"""What the id of a configured source begins with; its name follows."""

PUSHED = "push:"
"""What the id of a pushed source begins with; its name follows."""

ORPHAN = "backstage.io/orphan"
"""Annotation of an entity that its source does not name any more."""

SOURCE_STATES: Mapping[str, str] = {
    "new": "it was not read yet",
    "ok": "it was read to its end",
    "held": "it was read to its end; removals wait for review",
    "failed": "the last reading ended early; what was taken in stays",
}
"""How a configured source stands."""


@dataclass(frozen=True)
class Problem:
    """Something wrong with a source: where, what, and what to do. `ref` is set when it is about a nameable entity.

    `document` is what was refused; `other_source_id` the source that keeps a reference that this one claims too.
    """

    location: str
    detail: str
    remedy: str
    line: int | None = None
    ref: str | None = None
    code: str = "invalid"
    other_source_id: str | None = None
    document: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)
    part: str | None = None


@dataclass(frozen=True)
class ApplyResult:
    """What applying documents changed, by reference. `held` and `orphaned` are not described: some stay until somebody
    decides, the others for `catalog.orphan_days`."""

    created: Sequence[str] = ()
    updated: Sequence[str] = ()
    unchanged: Sequence[str] = ()
    deleted: Sequence[str] = ()
    problems: Sequence[Problem] = ()
    held: Sequence[str] = ()
    orphaned: Sequence[str] = ()

    @property
    def refs(self) -> list[str]:
        """Every entity that the documents stand for now."""
        return [*self.created, *self.updated, *self.unchanged]


@dataclass(frozen=True)
class Location:
    """A registered location."""

    id: str
    type: str
    target: str
    repository: str | None = None
    owner: str | None = None
    registered_by: str = ""
    trusted: bool = False
    version: int = 1
    state: str | None = None
    kept_ref: str | None = None
    """The reference of its Location entity, when its target was changed since."""

    @property
    def entity_ref(self) -> str:
        """The reference of the Location entity that stands for it."""
        return self.kept_ref or location_ref(self.type, self.target)

    @property
    def reference(self) -> str:
        """`<type>:<target>`."""
        return f"{self.type}:{self.target}"


def location_ref(kind: str, target: str) -> str:
    """The reference of the Location entity that stands for a location registered with this type and target."""
    name = hashlib.sha1(f"{kind}:{target}".encode(), usedforsecurity=False).hexdigest()
    return f"location:default/generated-{name}"


@dataclass(frozen=True)
class Packed:
    """A document as it is stored, with the uid that it holds."""

    uid: str
    content: bytes


@dataclass(frozen=True)
class Record:
    """An entity ready to be stored: narrow columns, document text, leaves, relations and search text.

    `text` is the document as JSON; at `room`, where its metadata ends, goes what only the server may set. `packed` is
    all of it as it is stored, where that was made ahead, for an entity that is new.
    """

    ref: str
    columns: Mapping[str, Any]
    text: bytes
    hash: str
    location: str
    line: int
    relations: frozenset[tuple[str, str]]
    leaves: Collection[tuple[str, str, bool]]
    words: tuple[str, str, str, str]
    room: int = 0
    packed: Packed | None = None

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """The document."""
        found: Mapping[str, Any] = orjson.loads(self.text)
        return found

    @property
    def etag(self) -> str:
        """Tells one state of the document from another, as the API shows it."""
        return self.hash[7:47]

    def stored(self, uid: str) -> bytes:
        """The document as it is served, under this uid."""
        return b'%b,"uid":"%b","etag":"%b"%b' % (
            self.text[: self.room],
            uid.encode(),
            self.etag.encode(),
            self.text[self.room :],
        )
