"""Who makes a request, and which roles they have: a few indexed reads, no writes. `remembered` stands in front."""

from __future__ import annotations

from taxiway.core.context import Platform
from taxiway.core.http.credentials import Credentials
from taxiway.features.access import repository
from taxiway.features.access.model import TOKEN_PREFIX, TOUCH, ApiToken, capped, display_name_of, hash_secret
from taxiway.model.access import Principal, Role
from taxiway.model.errors import AuthenticationError


def authenticate(platform: Platform, given: Credentials) -> Principal:
    """The principal behind credentials. AuthenticationError when they are unknown, expired or revoked."""
    if given.token is not None:
        return _by_token(platform, given)
    if given.session is not None:
        return _by_session(platform, given)
    raise AuthenticationError("sign in, or send an API token as 'Authorization: Bearer …'")


def principal_of(platform: Platform, subject: str, *, via: str = "portal") -> Principal:
    """A subject with the roles and the ownership that it has now."""
    groups = platform.groups_of(subject)
    with platform.store.read() as conn:
        roles = repository.roles_of(conn, {subject, *groups})
        account = repository.find_account(conn, subject=subject)
    name = account.display_name if account else display_name_of(subject)
    return Principal(subject, roles=roles, ownership=frozenset({subject, *groups}), display_name=name, via=via)


def roles_of(platform: Platform, subject: str) -> frozenset[Role]:
    """Roles that a subject has by itself and through its groups."""
    with platform.store.read() as conn:
        return repository.roles_of(conn, {subject, *platform.groups_of(subject)})


def _by_token(platform: Platform, given: Credentials) -> Principal:
    refused = AuthenticationError(
        "the API token is unknown, expired or revoked: make a new one", code="authentication.token"
    )
    value = given.token or ""
    if not value.startswith(TOKEN_PREFIX):
        raise refused
    with platform.store.read() as conn:
        token = repository.find_token(conn, hash_secret(value), platform.clock.now())
    if token is None:
        raise refused
    principal = principal_of(platform, token.subject, via=given.via)
    return Principal(
        token.subject,
        roles=_token_roles(platform, token),
        ownership=principal.ownership,
        display_name=principal.display_name,
        via=given.via,
        token_id=token.id,
        scopes=None if token.scopes is None else frozenset(token.scopes),
    )


def _token_roles(platform: Platform, token: ApiToken) -> frozenset[Role]:
    # An operator beside the data folder holds every key already; anybody else's token shrinks with its maker's roles.
    if token.made_by.startswith("system:"):
        return frozenset({token.role})
    return capped(token.role, roles_of(platform, token.made_by))


def _by_session(platform: Platform, given: Credentials) -> Principal:
    id_hash, now = hash_secret(given.session or ""), platform.clock.now()
    with platform.store.read() as conn:
        session = repository.find_session(conn, id_hash)
    if session is None or not session.is_live(now):
        raise AuthenticationError("the session has ended: sign in again", code="authentication.session")
    if abs(now - session.seen_at) > TOUCH:  # also one that a clock which ran ahead has noted
        platform.store.submit(lambda tx: repository.touch_session(tx, id_hash))
    return principal_of(platform, session.subject, via="portal")
