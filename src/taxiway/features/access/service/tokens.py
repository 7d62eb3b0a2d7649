"""API tokens. A value is shown once, when it is made; the store keeps its hash. No token exceeds its maker."""

from __future__ import annotations

from collections.abc import Sequence

from taxiway.core.context import OpContext
from taxiway.core.store.database import Tx
from taxiway.features.access import repository
from taxiway.features.access.model import (
    LOCAL_ADMIN,
    LONGEST_TTL_SECONDS,
    TOKEN_PREFIX,
    ApiToken,
    NewToken,
    hash_secret,
    highest,
    new_secret,
    within,
)
from taxiway.kit.clock import MICROSECONDS
from taxiway.kit.paging import Page
from taxiway.model.access import ROLES, Role
from taxiway.model.errors import InputError, NotAllowedError, NotFoundError
from taxiway.model.event import EventDraft


def create_token(
    ctx: OpContext, name: str, role: Role, ttl_seconds: int, scopes: Sequence[str] | None = None
) -> NewToken:
    """A token for the caller. NotAllowedError when it would be able to do more than the caller."""
    ctx.authorize("access.tokens", ctx.principal.subject)
    most = highest(ctx.principal.roles)
    if most is None or ROLES.index(role) > ROLES.index(most):
        raise NotAllowedError(f"a token cannot have a higher role than you ({most or 'none'})", code="not_allowed.role")
    if ctx.principal.scopes is not None and scopes is None:
        scopes = sorted(ctx.principal.scopes)
    if not within(scopes, ctx.principal):
        raise NotAllowedError("a token cannot have wider scopes than the one that makes it", code="not_allowed.scopes")
    return _insert(ctx, name, ctx.principal.subject, role, ttl_seconds, scopes)


def grant_token(
    ctx: OpContext,
    name: str,
    role: Role,
    ttl_seconds: int,
    *,
    subject: str = LOCAL_ADMIN,
    scopes: Sequence[str] | None = None,
) -> NewToken:
    """A token for any subject; for an operator beside the data folder, whose context is a system's."""
    ctx.authorize("access.accounts")
    if role not in ROLES:
        raise InputError(f"'{role}' is no role: use one of {', '.join(ROLES)}", code="access.role")
    return _insert(ctx, name, subject, role, ttl_seconds, scopes)


def list_tokens(ctx: OpContext, limit: int, cursor: str | None) -> Page[ApiToken]:
    """Tokens that the caller may see, newest first."""
    with ctx.platform.store.read() as conn:
        return repository.list_tokens(conn, ctx.scope("access.tokens"), limit, cursor)


def revoke_token(ctx: OpContext, token_id: str) -> None:
    """End a token at once. NotFoundError when there is none, or it is somebody else's."""
    with ctx.platform.store.read() as conn:
        token = repository.get_token(conn, token_id)
    scope = ctx.scope("access.tokens")
    if token is None or not (scope.everything or token.subject in scope.owners):
        raise NotFoundError(f"there is no token {token_id}", code="access.no_token")
    ctx.authorize("access.tokens", token.subject)

    def work(tx: Tx) -> None:
        repository.revoke_token(tx, token_id)
        ctx.platform.forget_identities(tx)
        draft = EventDraft("dev.taxiway.token.revoked.v1", f"token:{token_id}", {"name": token.name})
        ctx.emit(tx, draft, owner=token.subject)

    ctx.platform.store.write(work)


def _insert(
    ctx: OpContext, name: str, subject: str, role: Role, ttl_seconds: int, scopes: Sequence[str] | None
) -> NewToken:
    if not name.strip() or len(name) > 100:
        raise InputError("a token needs a name of at most 100 characters", code="access.token_name")
    if not 0 < ttl_seconds <= LONGEST_TTL_SECONDS:
        raise InputError(f"ttl_seconds must be between 1 and {LONGEST_TTL_SECONDS}", code="access.token_ttl")
    value, identifier = new_secret(TOKEN_PREFIX), ctx.platform.new_id()

    def work(tx: Tx) -> ApiToken:
        token = ApiToken(
            identifier,
            name,
            subject,
            ctx.principal.subject,
            role,
            scopes,
            tx.now,
            tx.now + ttl_seconds * MICROSECONDS,
        )
        repository.insert_token(tx, token, hash_secret(value))
        draft = EventDraft("dev.taxiway.token.created.v1", f"token:{identifier}", {"name": name, "role": role})
        ctx.emit(tx, draft, owner=subject)
        return token

    return NewToken(ctx.platform.store.write(work), value)
