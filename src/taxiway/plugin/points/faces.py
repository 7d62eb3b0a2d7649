"""What users meet of a plugin: raw routes, GET operations, and the portal's cards and pages, which are data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Json = Any


Authorize = Callable[[str, str | None], None]


@dataclass(frozen=True)
class MountedRoutes:
    """A raw ASGI app under `/{prefix}`. The host authenticates first (session, bearer, or Basic with a token as the
    password) and puts the Principal into `scope["taxiway.principal"]` and a function `authorize(permission, owner)`
    into `scope["taxiway.authorize"]`; nobody gets 401 with a Basic challenge when `basic` is set."""

    key: str
    prefix: str
    app: Any
    basic: bool = False


@dataclass(frozen=True)
class PortalCard:
    """A card on entity pages, as data. `operation` is a GET path of the API in which `{kind}`, `{namespace}`, `{name}`
    and `{ref}` are replaced; `display` is how the portal draws the answer, which is a list or has it as `items`:

    - table: rows as objects; facts: {label, value}, or one object; chart: {name, unit, points: [[µs UTC, value], …]};
    - timeline: {title, at, state, detail}; log: {text, at}; links: {title, url}; markdown: a text, or {markdown}.
    """

    key: str
    title: str
    kinds: Sequence[str]
    display: Literal["table", "facts", "chart", "timeline", "log", "markdown", "links"]
    operation: str
    columns: Sequence[str] = ()


@dataclass(frozen=True)
class PortalPage:
    """A page of the portal under `/x/{key}`, drawn from `cards`; `navigation` puts it into the side bar."""

    key: str
    title: str
    cards: Sequence[PortalCard]
    navigation: bool = True


@dataclass(frozen=True)
class PluginOperation:
    """A GET operation of a plugin, answered under `/api/plugins/v1/{plugin}/{path}`: JSON in the shape its card's
    display needs. `handler` receives the query parameters as text."""

    key: str
    path: str
    permission: str
    handler: Callable[[Mapping[str, str]], Json]
