"""Who has which role. Only an administrator says so, and the last one stays one."""

from __future__ import annotations

from taxiway.core.context import OpContext
from taxiway.core.store.database import Tx
from taxiway.features.access import repository
from taxiway.features.access.model import Assignment
from taxiway.kit.paging import Page
from taxiway.model.access import ROLES, Role
from taxiway.model.entity import parse_ref
from taxiway.model.errors import ConflictError, InputError
from taxiway.model.event import EventDraft


def list_roles(ctx: OpContext, limit: int, cursor: str | None) -> Page[Assignment]:
    """A page of what users and groups have."""
    ctx.authorize("access.roles")
    with ctx.platform.store.read() as conn:
        return repository.list_roles(conn, limit, cursor)


def assign_role(ctx: OpContext, member: str, role: str) -> Assignment:
    """Give a user or group (an entity reference) a role; nothing happens when it has it. InputError for others."""
    ctx.authorize("access.roles")
    if role not in ROLES:
        raise InputError(f"'{role}' is no role: use one of {', '.join(ROLES)}", code="access.role")
    ref = _member(member)

    def work(tx: Tx) -> Assignment:
        if repository.assign_role(tx, ref, role):
            ctx.emit(tx, EventDraft("dev.taxiway.role.assigned.v1", ref, {"role": role}))
            ctx.platform.forget_identities(tx)
        return repository.get_role(tx, ref, role)

    return ctx.platform.store.write(work)


def remove_role(ctx: OpContext, member: str, role: Role) -> None:
    """Take a role back; nothing happens when the member has it not. ConflictError where nobody would be left of whom it
    is known that they can still give it to somebody."""
    ctx.authorize("access.roles")
    ref = _member(member)

    def work(tx: Tx) -> None:
        if not repository.remove_role(tx, ref, role):
            return
        if role == "admin" and not any(_rules(tx, ctx, member) for member in repository.administrators(tx)):
            raise ConflictError(
                f"{ref} is the only administrator who is here: give the role admin to somebody who has signed in, or "
                "let somebody do this who has it by a group",
                code="access.last_admin",
            )
        ctx.emit(tx, EventDraft("dev.taxiway.role.removed.v1", ref, {"role": role}))
        ctx.platform.forget_identities(tx)

    ctx.platform.store.write(work)


def _rules(tx: Tx, ctx: OpContext, member: str) -> bool:
    """Whether an administrator is one in practice: nobody may be in a group, and nobody sign in by a name. Of a
    group it is known where the caller is in it."""
    return member in ctx.principal.ownership or repository.is_here(tx, member)


def _member(text: str) -> str:
    ref = parse_ref(text)
    if ref.kind not in ("user", "group"):
        raise InputError(
            f"'{text[:80]}' is no user or group: write user:default/<name> or group:default/<name>",
            code="access.member",
        )
    return str(ref)
