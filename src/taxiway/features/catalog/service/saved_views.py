"""Saved views as people keep them: made, changed, shared, removed, chosen to open the catalog with; and what they show.

Whoever owns a view, by themselves or through a group, keeps it. Showing one to everybody takes a permission of its own.
A view grants nothing: its rows are what the reader may see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from taxiway.core.context import OpContext
from taxiway.core.cursors import position_of
from taxiway.core.permissions import Grant, Permissions, decide
from taxiway.core.store.database import Tx
from taxiway.features.catalog.refs import full_ref
from taxiway.features.catalog.repository import saved_views as repository
from taxiway.features.catalog.repository.query import Listed, decode
from taxiway.features.catalog.saved_views import SavedView, Wanted, check, query_of
from taxiway.features.catalog.service.query import page_of_entities
from taxiway.kit.paging import Page, page_of
from taxiway.model.errors import ConflictError, InputError, NotFoundError, check_version
from taxiway.model.event import EventDraft

SEE, EDIT, SHARE = "catalog.view.read", "catalog.view.edit", "catalog.view.share"
PERMISSIONS: Permissions = {
    SEE: Grant(viewer="own", developer="own", platform="own", admin="own"),
    EDIT: Grant(viewer="own", developer="own", platform="own"),
    SHARE: Grant(),
}
"""People keep their own, whatever their role. An administrator changes what everybody sees, and sees no more."""
MOST = 200


@dataclass(frozen=True)
class Told:
    """A view as its reader is told of it."""

    view: SavedView
    may_edit: bool
    is_default: bool


def views(ctx: OpContext, name: str | None, kind: str | None, limit: int, cursor: str | None) -> Page[Told]:
    """A page of the views that the caller may see, by name; with `name`, those called so, the caller's own first."""
    after = position_of(cursor, str, str)
    where = repository.seen_by(ctx.scope(SEE))
    with ctx.platform.store.read() as conn:
        if name is not None:
            found = Page(repository.named(conn, name, where, ctx.principal.subject))
        else:
            rows = repository.page(conn, where, kind, after, limit + 1)
            found = page_of(rows, limit, lambda one: [one.name, one.id])
        default = repository.default_of(conn, ctx.principal.subject)
    return Page([_told(ctx, one, default) for one in found.items], found.next_cursor)


def find(ctx: OpContext, key: str) -> Told:
    """The view of an id or a name. Of views of one name the caller's own is meant, then the one of their groups, then
    the one that everybody sees. NotFoundError when there is none that they may see."""
    with ctx.platform.store.read() as conn:
        return _told(ctx, _find(conn, ctx, key), repository.default_of(conn, ctx.principal.subject))


def create(ctx: OpContext, wanted: Wanted) -> Told:
    """Keep a view. NotAllowedError where its owner is neither the caller nor one of their groups, ConflictError when
    this owner has one of this name."""
    check(wanted)
    owner = _owner(ctx, wanted)
    _authorize(ctx, owner, wanted)
    id_ = ctx.platform.new_id()

    def work(tx: Tx) -> SavedView:
        _check_room(tx.conn, owner)
        _check_name(tx.conn, owner, wanted.name, id_)
        made = {"id": id_, "created_by": ctx.principal.subject, "created_at": tx.now, "version": 1}
        repository.add(tx.conn, {**made, **_said(tx, wanted, owner)})
        return _changed(ctx, tx, id_, "created")

    return _told(ctx, ctx.platform.store.write(work), None)


def update(ctx: OpContext, key: str, wanted: Wanted, expected: int | None) -> Told:
    """Change all of a view. PreconditionError when it is not at `expected` any more."""
    check(wanted)
    id_ = find(ctx, key).view.id

    def work(tx: Tx) -> SavedView:
        before = _find(tx.conn, ctx, id_)
        ctx.authorize(EDIT, before.owner)
        owner = before.owner if wanted.owner is None else _owner(ctx, wanted)
        _authorize(ctx, owner, wanted)
        check_version(expected, before.version)
        if owner != before.owner:
            _check_room(tx.conn, owner)
        _check_name(tx.conn, owner, wanted.name, id_)
        repository.change(tx.conn, id_, _said(tx, wanted, owner))
        return _changed(ctx, tx, id_, "updated")

    made = ctx.platform.store.write(work)
    with ctx.platform.store.read() as conn:
        return _told(ctx, made, repository.default_of(conn, ctx.principal.subject))


def delete(ctx: OpContext, key: str) -> None:
    """Forget a view."""
    id_ = find(ctx, key).view.id

    def work(tx: Tx) -> None:
        ctx.authorize(EDIT, _find(tx.conn, ctx, id_).owner)
        _changed(ctx, tx, id_, "deleted")
        repository.remove(tx.conn, id_)

    ctx.platform.store.write(work)


def set_default(ctx: OpContext, key: str, is_default: bool) -> None:
    """Say whether the caller's own catalog opens with a view."""
    found = find(ctx, key)
    if found.is_default != is_default:
        chosen = found.view.id if is_default else None
        ctx.platform.store.write(lambda tx: repository.set_default(tx.conn, ctx.principal.subject, chosen))


def entities(ctx: OpContext, key: str, limit: int, cursor: str | None) -> Listed:
    """A page of what a view shows to the caller."""
    query = query_of(find(ctx, key).view)
    return page_of_entities(ctx, query if cursor is None else decode(cursor), limit=limit)


def _find(conn: Any, ctx: OpContext, key: str) -> SavedView:
    where = repository.seen_by(ctx.scope(SEE))
    found = repository.get(conn, key, where)
    if found is not None:
        return found
    same = repository.named(conn, key, where, ctx.principal.subject)
    if not same:
        raise NotFoundError(
            f"there is no view '{key}' that you may see: `taxiway catalog views` lists yours", code="catalog.no_view"
        )
    rivals = [one for one in same if _distance(ctx, one) == _distance(ctx, same[0])]
    if len(rivals) > 1:
        ids = ", ".join(f"{one.id} of {one.owner}" for one in rivals)
        raise ConflictError(f"several views are called '{key}': say which by its id: {ids}", code="catalog.which_view")
    return same[0]


def _distance(ctx: OpContext, view: SavedView) -> int:
    if view.owner == ctx.principal.subject:
        return 0
    return 1 if view.owner in ctx.principal.ownership else 2


def _told(ctx: OpContext, view: SavedView, default: str | None) -> Told:
    may_edit = decide(ctx.platform.permissions, ctx.principal, EDIT, view.owner).allowed
    return Told(view, may_edit, view.id == default)


def _owner(ctx: OpContext, wanted: Wanted) -> str:
    if wanted.owner is None:
        return ctx.principal.subject
    owner = full_ref(wanted.owner, "group")
    if owner != ctx.principal.subject and not owner.startswith(("user:", "group:")):
        raise InputError(f"{owner} owns no views: name a user or a group", code="catalog.bad_view_owner")
    return owner


def _authorize(ctx: OpContext, owner: str, wanted: Wanted) -> None:
    ctx.authorize(EDIT, owner)
    if wanted.visible_to == "everybody":
        ctx.authorize(SHARE, owner)


def _check_room(conn: Any, owner: str) -> None:
    if repository.count_of(conn, owner) >= MOST:
        raise ConflictError(f"{owner} has {MOST} views: remove one first", code="catalog.too_many_views")


def _check_name(conn: Any, owner: str, name: str, id_: str) -> None:
    other = repository.of_owner(conn, owner, name)
    if other is not None and other.id != id_:
        raise ConflictError(
            f"{owner} has a view '{name}' already: choose another name, or change that one", code="catalog.view_name"
        )


def _said(tx: Tx, wanted: Wanted, owner: str) -> Mapping[str, Any]:
    return {
        "name": wanted.name,
        "title": wanted.title,
        "owner": owner,
        "shared": wanted.visible_to == "everybody",
        "kind": wanted.kind.lower() if wanted.kind else None,
        "filters": list(wanted.filters),
        "query": wanted.query,
        "text": wanted.text,
        "columns": list(wanted.columns),
        "sort": wanted.sort,
        "updated_at": tx.now,
    }


def _changed(ctx: OpContext, tx: Tx, id_: str, what: str) -> SavedView:
    found = repository.stored(tx.conn, id_)
    data = {"visible_to": "everybody" if found.shared else "owner"}
    ctx.emit(tx, EventDraft(f"dev.taxiway.view.{what}.v1", f"view:{id_}", data), owner=found.owner)
    return found
