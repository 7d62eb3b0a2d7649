"""Who acts, and what they may reach. Values only; the rules are in `features/access`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Role = Literal["viewer", "developer", "platform", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "developer", "platform", "admin")


@dataclass(frozen=True)
class Principal:
    """The caller of an operation.

    `subject` is an entity reference (`user:default/alex`) or `system:<name>` for Taxiway itself; `ownership` holds the
    references that the subject owns through (itself and its groups). `on_behalf_of` and `via` say for whom and through
    what (`portal`, `cli`, `api`, `mcp`, `plugin:<name>`) it acts; `token_id` names the API token when there was one.
    """

    subject: str
    roles: frozenset[Role] = frozenset()
    ownership: frozenset[str] = frozenset()
    display_name: str = ""
    on_behalf_of: str | None = None
    via: str = "api"
    token_id: str | None = None
    scopes: frozenset[str] | None = field(default=None)
    """Permissions that the token is limited to; None means all that the roles give."""


NOBODY = Principal("nobody", via="api")


def system_principal(name: str) -> Principal:
    """Taxiway itself, acting in its background part `name`. It passes every check and is named in every event."""
    return Principal(f"system:{name}", roles=frozenset({"admin"}), display_name=name, via="system")


@dataclass(frozen=True)
class Scope:
    """What a list may show, to be compiled into SQL: everything, or only rows owned by one of `owners`."""

    everything: bool = False
    owners: frozenset[str] = frozenset()


EVERYTHING = Scope(everything=True)
NOTHING = Scope()
