"""Values and rules of access without I/O."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from taxiway.kit.clock import MICROSECONDS
from taxiway.model.access import ROLES, Principal, Role

LOCAL_ADMIN = "user:default/admin"
TOKEN_PREFIX = "txw_"  # noqa: S105  a prefix, not a secret
IDLE = 12 * 3600 * MICROSECONDS
ABSOLUTE = 7 * 24 * 3600 * MICROSECONDS
TOUCH = 60 * MICROSECONDS
LINK_SECONDS = 24 * 3600
LONGEST_TTL_SECONDS = 366 * 24 * 3600


@dataclass(frozen=True)
class Assignment:
    """A role that a user or group has, and since when."""

    member: str
    role: Role
    created_at: int


@dataclass(frozen=True)
class Account:
    """A local account; without a password it signs in by link only."""

    username: str
    subject: str
    display_name: str
    password_hash: str | None


@dataclass(frozen=True)
class Elsewhere:
    """A session at an OpenID provider: the provider's name here, where a browser ends it, and the token that names it
    there, if it is short enough for an address."""

    provider: str
    endpoint: str
    id_token: str | None


@dataclass(frozen=True)
class Session:
    """A server-side session, found by the hash of its id. `elsewhere` is the one at a provider that it came of."""

    subject: str
    created_at: int
    seen_at: int
    elsewhere: Elsewhere | None = None

    def is_live(self, now: int) -> bool:
        """Neither idle too long nor too old."""
        return now - self.seen_at < IDLE and now - self.created_at < ABSOLUTE


@dataclass(frozen=True)
class ApiToken:
    """A token as it is listed: never its value."""

    id: str
    name: str
    subject: str
    made_by: str
    role: Role
    scopes: Sequence[str] | None
    created_at: int
    expires_at: int


@dataclass(frozen=True)
class NewToken:
    """A token just made; `value` is shown this once."""

    token: ApiToken
    value: str


def new_secret(prefix: str = "") -> str:
    """256 fresh random bits as URL-safe text."""
    return prefix + secrets.token_urlsafe(32)


def hash_secret(value: str) -> str:
    """What the store keeps of a session id, token or link: enough, since these have 256 bits of entropy."""
    return hashlib.sha256(value.encode()).hexdigest()


def highest(roles: Iterable[Role]) -> Role | None:
    """The role that grants most."""
    return max(roles, key=ROLES.index, default=None)


def capped(role: Role, makers: frozenset[Role]) -> frozenset[Role]:
    """The roles that a token for `role` has, when its maker has the roles `makers` now."""
    most = highest(makers)
    if most is None:
        return frozenset()
    return frozenset({min(role, most, key=ROLES.index)})


def display_name_of(subject: str) -> str:
    """A name to show for a subject that has no account of its own."""
    return subject.rpartition("/")[2]


def within(scopes: Sequence[str] | None, maker: Principal) -> bool:
    """Whether a token with `scopes` may be made by `maker`: a scoped token makes no wider one."""
    if maker.scopes is None or "*" in maker.scopes:
        return True
    return scopes is not None and set(scopes) <= maker.scopes
