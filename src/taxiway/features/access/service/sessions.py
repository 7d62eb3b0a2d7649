"""Signing in and out. Failures do not say which part was wrong, cost the same time, and are bounded per address."""

from __future__ import annotations

from dataclasses import dataclass

from taxiway.core.context import OpContext
from taxiway.core.store.database import Tx
from taxiway.features.access import passwords, repository
from taxiway.features.access.model import LINK_SECONDS, LOCAL_ADMIN, Account, Elsewhere, hash_secret, new_secret
from taxiway.features.access.service.identity import principal_of
from taxiway.features.access.service.roles import assign_role
from taxiway.kit.clock import MICROSECONDS
from taxiway.model.access import Principal
from taxiway.model.errors import AuthenticationError, InputError, RateLimitedError
from taxiway.model.event import EventDraft

_MINUTE = 60 * MICROSECONDS


@dataclass(frozen=True)
class Opened:
    """A session just opened; `session_id` goes into the cookie and nowhere else."""

    principal: Principal
    session_id: str


def ensure_account(ctx: OpContext, username: str, subject: str, display_name: str) -> None:
    """Make a local account that signs in by link, unless it is there."""
    ctx.authorize("access.accounts")

    def work(tx: Tx) -> None:
        if repository.find_account(tx.conn, username=username) is None:
            repository.save_account(tx, Account(username, subject, display_name, None))

    ctx.platform.store.write(work)


def ensure_local_admin(ctx: OpContext) -> bool:
    """Make the local administrator at the first start; True when it was made now."""
    with ctx.platform.store.read() as conn:
        if repository.find_account(conn, subject=LOCAL_ADMIN) is not None:
            return False
    ensure_account(ctx, "admin", LOCAL_ADMIN, "Administrator")
    assign_role(ctx, LOCAL_ADMIN, "admin")
    return True


def set_password(ctx: OpContext, username: str, password: str) -> None:
    """Set a local account's password. InputError when it is too short or there is no such account."""
    ctx.authorize("access.accounts")
    if len(password) < passwords.SHORTEST:
        raise InputError(f"a password needs at least {passwords.SHORTEST} characters", code="access.password")
    password_hash = passwords.hash_password(password)

    def work(tx: Tx) -> None:
        found = repository.find_account(tx.conn, username=username)
        if found is None:
            raise InputError(f"there is no local account '{username}'", code="access.account")
        repository.save_account(tx, Account(found.username, found.subject, found.display_name, password_hash))
        repository.delete_sessions(tx, found.subject)
        ctx.platform.forget_identities(tx)

    ctx.platform.store.write(work)


def create_sign_in_link(ctx: OpContext, subject: str = LOCAL_ADMIN, seconds: int = LINK_SECONDS) -> str:
    """A token that signs `subject` in once, within `seconds`."""
    ctx.authorize("access.accounts")
    value = new_secret()
    ctx.platform.store.write(
        lambda tx: repository.insert_link(tx, hash_secret(value), subject, tx.now + seconds * MICROSECONDS)
    )
    return value


def sign_in_with_password(ctx: OpContext, username: str, password: str, address: str) -> Opened:
    """Open a session. AuthenticationError when user name or password are wrong, RateLimitedError after too many."""
    check_failures(ctx, address)
    with ctx.platform.store.read() as conn:
        account = repository.find_account(conn, username=username)
    if not passwords.verify_password(account.password_hash if account else None, password) or account is None:
        note_refused(ctx, address, "password")
        raise AuthenticationError("user name or password is wrong", code="authentication.password")
    return open_session(ctx, account.subject, "password")


def sign_in_with_link(ctx: OpContext, link_token: str, address: str) -> Opened:
    """Open a session with a one-time link; the link is used up."""
    check_failures(ctx, address)
    subject = ctx.platform.store.write(lambda tx: repository.take_link(tx, hash_secret(link_token)))
    if subject is None:
        note_refused(ctx, address, "link")
        raise AuthenticationError(
            "the sign-in link was used or is too old: make a new one with `taxiway login --link`",
            code="authentication.link",
        )
    return open_session(ctx, subject, "link")


def open_session(ctx: OpContext, subject: str, method: str, elsewhere: Elsewhere | None = None) -> Opened:
    """Open a session for a subject whose identity was proven by `method`."""
    session_id = new_secret()
    principal = principal_of(ctx.platform, subject)

    def work(tx: Tx) -> None:
        repository.insert_session(tx, hash_secret(session_id), subject, elsewhere)
        draft = EventDraft("dev.taxiway.session.created.v1", subject, {"method": method})
        ctx.acting_as(principal).emit(tx, draft, owner=subject)

    ctx.platform.store.write(work)
    return Opened(principal, session_id)


def sign_out(ctx: OpContext, session_id: str) -> None:
    """End a session; nothing happens when it ended already."""

    def work(tx: Tx) -> None:
        repository.delete_session(tx, hash_secret(session_id))
        ctx.platform.forget_identities(tx)

    ctx.platform.store.write(work)


def revoke_sessions(ctx: OpContext, subject: str) -> int:
    """End every session of a subject; returns how many."""
    ctx.authorize("access.accounts")

    def work(tx: Tx) -> int:
        ctx.platform.forget_identities(tx)
        return repository.delete_sessions(tx, subject)

    return ctx.platform.store.write(work)


def check_failures(ctx: OpContext, address: str) -> None:
    """RateLimitedError after too many sign-ins from an address that failed."""
    now = ctx.platform.clock.now()
    with ctx.platform.store.read() as conn:
        failures = repository.count_failures(conn, address, now - _MINUTE, now)
    if failures >= ctx.platform.settings.limits.sign_ins_per_minute:
        raise RateLimitedError("too many failed sign-ins: wait a minute", retry_after_seconds=60)


def note_refused(ctx: OpContext, address: str, method: str) -> None:
    """Note that a sign-in failed."""
    platform = ctx.platform

    def work(tx: Tx) -> None:
        repository.insert_failure(tx, platform.new_id(), address, tx.now - 10 * _MINUTE)
        # The address is personal data: it stays outside the hashed body. The tried user name is not kept at all.
        draft = EventDraft(
            "dev.taxiway.session.refused.v1", "session", {"method": method}, personal={"address": address}
        )
        ctx.emit(tx, draft)

    platform.store.write(work)
