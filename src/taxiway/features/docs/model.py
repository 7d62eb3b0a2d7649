"""Values of docs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class NavItem:
    """A page in the navigation; `section` is the path of headings above it, joined by ' / '."""

    title: str
    path: str
    section: str | None = None


@dataclass(frozen=True)
class Site:
    """The docs of an entity: where they lie in its repository, and at which commit."""

    title: str
    repository: str
    commit: str
    folder: str
    nav: Sequence[NavItem]


@dataclass(frozen=True)
class Heading:
    """A heading of a page."""

    level: int
    id: str
    text: str


@dataclass(frozen=True)
class Page:
    """A rendered page; `html` is sanitised."""

    title: str
    html: str
    toc: Sequence[Heading]
