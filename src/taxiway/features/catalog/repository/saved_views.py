"""SQL of saved views, and of the one that each person's catalog opens with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, insert, or_, select, true, update

from taxiway.core.store.scoped import visible
from taxiway.core.store.upsert import upsert
from taxiway.features.catalog.saved_view_tables import catalog_view, catalog_view_default
from taxiway.features.catalog.saved_views import STORED, SavedView
from taxiway.model.access import Scope

_COLUMNS = [catalog_view.c[name] for name in STORED]


def seen_by(scope: Scope) -> ColumnElement[bool]:
    """The clause for views that somebody may see: what they or their groups own, and what everybody sees."""
    return or_(visible(scope, catalog_view.c.owner), catalog_view.c.shared)


def get(conn: Connection, id_: str, where: ColumnElement[bool]) -> SavedView | None:
    """The view of an id, if it satisfies `where`."""
    row = conn.execute(select(*_COLUMNS).where(catalog_view.c.id == id_, where)).first()
    return None if row is None else SavedView(**row._mapping)


def stored(conn: Connection, id_: str) -> SavedView:
    """The view of an id that is known to be there."""
    return SavedView(**conn.execute(select(*_COLUMNS).where(catalog_view.c.id == id_)).one()._mapping)


def named(conn: Connection, name: str, where: ColumnElement[bool], subject: str) -> list[SavedView]:
    """The views of a name that satisfy `where`: those of `subject` first, then of its groups and of others."""
    nearest = case((catalog_view.c.owner == subject, 0), (catalog_view.c.shared.is_(False), 1), else_=2)
    statement = select(*_COLUMNS).where(catalog_view.c.name == name, where).order_by(nearest, catalog_view.c.owner)
    return [SavedView(**row._mapping) for row in conn.execute(statement.limit(20))]


def of_owner(conn: Connection, owner: str, name: str) -> SavedView | None:
    """The view that an owner has under a name."""
    row = conn.execute(select(*_COLUMNS).where(catalog_view.c.owner == owner, catalog_view.c.name == name)).first()
    return None if row is None else SavedView(**row._mapping)


def page(
    conn: Connection, where: ColumnElement[bool], kind: str | None, after: Sequence[str], limit: int
) -> list[SavedView]:
    """Views by name, behind (name, id); with `kind`, those of this kind."""
    of_kind = true() if kind is None else catalog_view.c.kind == kind
    behind: ColumnElement[bool] = true()
    if after:
        same = and_(catalog_view.c.name == after[0], catalog_view.c.id > after[1])
        behind = or_(catalog_view.c.name > after[0], same)
    order = catalog_view.c.name, catalog_view.c.id
    statement = select(*_COLUMNS).where(where, of_kind, behind).order_by(*order).limit(limit)
    return [SavedView(**row._mapping) for row in conn.execute(statement)]


def count_of(conn: Connection, owner: str) -> int:
    """How many views an owner has."""
    return int(conn.scalar(select(func.count()).select_from(catalog_view).where(catalog_view.c.owner == owner)) or 0)


def add(conn: Connection, values: Mapping[str, Any]) -> None:
    """Store a new view."""
    conn.execute(insert(catalog_view).values(values))


def change(conn: Connection, id_: str, values: Mapping[str, Any]) -> None:
    """Change a view, and count a new version."""
    more = {"version": catalog_view.c.version + 1}
    conn.execute(update(catalog_view).where(catalog_view.c.id == id_).values({**values, **more}))


def remove(conn: Connection, id_: str) -> None:
    """Forget a view; catalogs that opened with it open with everything."""
    conn.execute(delete(catalog_view_default).where(catalog_view_default.c.view_id == id_))
    conn.execute(delete(catalog_view).where(catalog_view.c.id == id_))


def default_of(conn: Connection, subject: str) -> str | None:
    """The id of the view that somebody's catalog opens with."""
    chosen = select(catalog_view_default.c.view_id).where(catalog_view_default.c.subject == subject)
    return conn.execute(chosen).scalar_one_or_none()


def set_default(conn: Connection, subject: str, view_id: str | None) -> None:
    """Choose the view that somebody's catalog opens with; None for none."""
    if view_id is None:
        conn.execute(delete(catalog_view_default).where(catalog_view_default.c.subject == subject))
        return
    statement = upsert(conn, catalog_view_default).values(subject=subject, view_id=view_id)
    conn.execute(statement.on_conflict_do_update(index_elements=["subject"], set_={"view_id": view_id}))
