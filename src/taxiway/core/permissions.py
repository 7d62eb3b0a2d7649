"""Which role may do what. Deny by default: a permission that nobody declared is refused to everyone.

Features declare their permissions beside their operations; `decide` and `scope_of` are the only judges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from taxiway.model.access import EVERYTHING, NOTHING, Principal, Role, Scope

Reach = Literal["all", "own"]


@dataclass(frozen=True)
class Grant:
    """How far each role reaches with a permission: everything, what its subject or its groups own, or nothing."""

    viewer: Reach | None = None
    developer: Reach | None = None
    platform: Reach | None = "all"
    admin: Reach | None = "all"

    def reach(self, roles: frozenset[Role]) -> Reach | None:
        """The widest reach of any of `roles`."""
        widest: Reach | None = None
        for role in roles:
            reach: Reach | None = getattr(self, role)
            if reach == "all":
                return reach
            widest = reach or widest
        return widest


READ = Grant(viewer="all", developer="all")
OWNED = Grant(developer="own")
PLATFORM = Grant()
ADMIN = Grant(platform=None)
Permissions = Mapping[str, Grant]


@dataclass(frozen=True)
class Decision:
    """A verdict and why, for errors and for `explain`."""

    allowed: bool
    reason: str


def decide(permissions: Permissions, principal: Principal, permission: str, owner: str | None) -> Decision:
    """May `principal` use `permission` on something owned by `owner` (None: owned by nobody)?"""
    grant = permissions.get(permission)
    if grant is None:
        return Decision(False, f"the permission {permission} is not declared")
    if principal.scopes is not None and not _in_scope(principal.scopes, permission):
        return Decision(False, f"the token is not scoped for {permission}: make one with this scope")
    reach = grant.reach(principal.roles)
    if reach == "all":
        return Decision(True, f"a role of {principal.subject} grants {permission} on everything")
    if reach == "own" and owner is not None and owner in principal.ownership:
        return Decision(True, f"{principal.subject} owns it through {owner}")
    if reach == "own":
        return Decision(
            False, f"{permission} is granted on what you own; this belongs to {owner or 'nobody'}: ask its owner"
        )
    return Decision(False, f"it needs {permission}: ask an administrator for a role that grants it")


def may_at_all(permissions: Permissions, principal: Principal, permission: str) -> Decision:
    """Whether any owner could make the answer yes; asked before the request is parsed."""
    grant = permissions.get(permission)
    reach = None if grant is None else grant.reach(principal.roles)
    if reach == "own":
        if principal.scopes is not None and not _in_scope(principal.scopes, permission):
            return Decision(False, f"the token is not scoped for {permission}: make one with this scope")
        return Decision(True, f"{permission} is granted on what {principal.subject} owns")
    return decide(permissions, principal, permission, None)


def scope_of(permissions: Permissions, principal: Principal, permission: str) -> Scope:
    """What a list under `permission` may show to `principal`."""
    if not may_at_all(permissions, principal, permission).allowed:
        return NOTHING
    reach = permissions[permission].reach(principal.roles)
    return EVERYTHING if reach == "all" else Scope(owners=principal.ownership)


def _in_scope(scopes: frozenset[str], permission: str) -> bool:
    return "*" in scopes or permission in scopes or permission.split(".")[0] + ".*" in scopes
