"""All SQL of access."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from taxiway.core.cursors import last_seen, position_of
from taxiway.core.store.database import Tx
from taxiway.core.store.scoped import visible
from taxiway.features.access.model import ABSOLUTE, IDLE, Account, ApiToken, Assignment, Elsewhere, Session
from taxiway.features.access.tables import (
    account,
    api_token,
    role_assignment,
    session,
    sign_in_failure,
    sign_in_link,
)
from taxiway.kit.paging import Page, page_of
from taxiway.model.access import Role, Scope


def find_account(conn: Connection, *, username: str | None = None, subject: str | None = None) -> Account | None:
    """The account of a user name or of a subject."""
    where = account.c.username == username if username is not None else account.c.subject == subject
    row = conn.execute(select(account).where(where)).one_or_none()
    return None if row is None else Account(row.username, row.subject, row.display_name, row.password_hash)


def save_account(tx: Tx, item: Account) -> None:
    """Insert or replace an account."""
    values = {"subject": item.subject, "display_name": item.display_name, "password_hash": item.password_hash}
    changed = tx.conn.execute(
        update(account).where(account.c.username == item.username).values(**values, version=account.c.version + 1)
    )
    if changed.rowcount == 0:
        tx.conn.execute(insert(account).values(username=item.username, created_at=tx.now, **values))


def insert_session(tx: Tx, id_hash: str, subject: str, elsewhere: Elsewhere | None) -> None:
    """A new session; those that ended are cleared away."""
    tx.conn.execute(
        delete(session).where((session.c.seen_at < tx.now - IDLE) | (session.c.created_at < tx.now - ABSOLUTE))
    )
    values = {"id_hash": id_hash, "subject": subject, "created_at": tx.now, "seen_at": tx.now}
    if elsewhere is not None:
        values |= {"provider": elsewhere.provider, "id_token": elsewhere.id_token}
        values |= {"end_session_endpoint": elsewhere.endpoint}
    tx.conn.execute(insert(session).values(values))


def find_session(conn: Connection, id_hash: str) -> Session | None:
    row = conn.execute(select(session).where(session.c.id_hash == id_hash)).one_or_none()
    if row is None:
        return None
    place = row.end_session_endpoint
    elsewhere = None if place is None else Elsewhere(row.provider, place, row.id_token)
    return Session(row.subject, row.created_at, row.seen_at, elsewhere)


def touch_session(tx: Tx, id_hash: str) -> None:
    tx.conn.execute(update(session).where(session.c.id_hash == id_hash).values(seen_at=tx.now))


def delete_session(tx: Tx, id_hash: str) -> bool:
    return tx.conn.execute(delete(session).where(session.c.id_hash == id_hash)).rowcount > 0


def delete_sessions(tx: Tx, subject: str) -> int:
    return tx.conn.execute(delete(session).where(session.c.subject == subject)).rowcount


def insert_link(tx: Tx, token_hash: str, subject: str, expires_at: int) -> None:
    tx.conn.execute(delete(sign_in_link).where(sign_in_link.c.expires_at < tx.now))
    tx.conn.execute(insert(sign_in_link).values(token_hash=token_hash, subject=subject, expires_at=expires_at))


def take_link(tx: Tx, token_hash: str) -> str | None:
    """The subject of a link that is still good; it is used up by this."""
    where = sign_in_link.c.token_hash == token_hash
    row = tx.conn.execute(select(sign_in_link).where(where)).one_or_none()
    if row is None or tx.conn.execute(delete(sign_in_link).where(where)).rowcount == 0:
        return None
    return cast(str, row.subject) if row.expires_at > tx.now else None


def count_failures(conn: Connection, address: str, since: int, now: int) -> int:
    """Failures of an address from `since` to `now`; those that a clock which ran ahead has noted lock nobody out."""
    during = (sign_in_failure.c.at > since, sign_in_failure.c.at <= now)
    found = select(func.count()).where(sign_in_failure.c.address == address, *during)
    return conn.execute(found).scalar_one()


def insert_failure(tx: Tx, identifier: str, address: str, forget_before: int) -> None:
    tx.conn.execute(delete(sign_in_failure).where(sign_in_failure.c.at < forget_before))
    tx.conn.execute(insert(sign_in_failure).values(id=identifier, address=address, at=tx.now))


def insert_token(tx: Tx, item: ApiToken, token_hash: str) -> None:
    tx.conn.execute(
        insert(api_token).values(
            id=item.id,
            token_hash=token_hash,
            name=item.name,
            subject=item.subject,
            made_by=item.made_by,
            role=item.role,
            scopes=None if item.scopes is None else list(item.scopes),
            created_at=item.created_at,
            expires_at=item.expires_at,
        )
    )


def find_token(conn: Connection, token_hash: str, now: int) -> ApiToken | None:
    """The live token behind a hash."""
    where = (api_token.c.token_hash == token_hash, api_token.c.revoked_at.is_(None), api_token.c.expires_at > now)
    row = conn.execute(select(api_token).where(*where)).one_or_none()
    return None if row is None else _token(row)


def get_token(conn: Connection, token_id: str) -> ApiToken | None:
    where = (api_token.c.id == token_id, api_token.c.revoked_at.is_(None))
    row = conn.execute(select(api_token).where(*where)).one_or_none()
    return None if row is None else _token(row)


def list_tokens(conn: Connection, scope: Scope, limit: int, cursor: str | None) -> Page[ApiToken]:
    """Tokens that were not revoked, newest first."""
    query = select(api_token).where(visible(scope, api_token.c.subject), api_token.c.revoked_at.is_(None))
    if (last := last_seen(cursor, str)) is not None:
        query = query.where(api_token.c.id < last)
    rows = conn.execute(query.order_by(api_token.c.id.desc()).limit(limit + 1)).all()
    return page_of([_token(row) for row in rows], limit, lambda item: [item.id])


def revoke_token(tx: Tx, token_id: str) -> None:
    tx.conn.execute(update(api_token).where(api_token.c.id == token_id).values(revoked_at=tx.now))


def roles_of(conn: Connection, members: Iterable[str]) -> frozenset[Role]:
    """Roles assigned to any of `members`."""
    query = select(role_assignment.c.role).where(role_assignment.c.member.in_(sorted(members)))
    return frozenset(cast(Sequence[Role], conn.execute(query).scalars().all()))


def assign_role(tx: Tx, member: str, role: Role) -> bool:
    """Assign; False when the member has the role already."""
    where = (role_assignment.c.member == member, role_assignment.c.role == role)
    if tx.conn.execute(select(role_assignment.c.role).where(*where)).first() is not None:
        return False
    tx.conn.execute(insert(role_assignment).values(member=member, role=role, created_at=tx.now))
    return True


def remove_role(tx: Tx, member: str, role: Role) -> bool:
    where = (role_assignment.c.member == member, role_assignment.c.role == role)
    return tx.conn.execute(delete(role_assignment).where(*where)).rowcount > 0


def get_role(tx: Tx, member: str, role: Role) -> Assignment:
    """One that is there."""
    where = (role_assignment.c.member == member, role_assignment.c.role == role)
    row = tx.conn.execute(select(role_assignment).where(*where)).one()
    return Assignment(row.member, row.role, row.created_at)


def administrators(tx: Tx) -> list[str]:
    """Users and groups that are; they stay it until this is committed."""
    query = select(role_assignment.c.member).where(role_assignment.c.role == "admin")
    return list(tx.conn.execute(query.with_for_update()).scalars())


def is_here(tx: Tx, subject: str) -> bool:
    """Whether somebody has a local account, a session that lives, or a token that is good."""
    since = (session.c.seen_at > tx.now - IDLE, session.c.created_at > tx.now - ABSOLUTE)
    good = (api_token.c.revoked_at.is_(None), api_token.c.expires_at > tx.now)
    signs = (
        select(account.c.subject).where(account.c.subject == subject),
        select(session.c.subject).where(session.c.subject == subject, *since),
        select(api_token.c.subject).where(api_token.c.subject == subject, *good),
    )
    return any(tx.conn.execute(query.limit(1)).first() is not None for query in signs)


def list_roles(conn: Connection, limit: int, cursor: str | None) -> Page[Assignment]:
    """By member, then role."""
    query = select(role_assignment)
    if place := position_of(cursor, str, str):
        member, role = place
        same = (role_assignment.c.member == member) & (role_assignment.c.role > role)
        query = query.where((role_assignment.c.member > member) | same)
    order = (role_assignment.c.member, role_assignment.c.role)
    rows = conn.execute(query.order_by(*order).limit(limit + 1)).all()
    found = [Assignment(row.member, row.role, row.created_at) for row in rows]
    return page_of(found, limit, lambda item: [item.member, item.role])


def _token(row: Row[tuple[object, ...]]) -> ApiToken:
    return ApiToken(row.id, row.name, row.subject, row.made_by, row.role, row.scopes, row.created_at, row.expires_at)
