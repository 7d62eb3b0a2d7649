"""SQL of webhooks and their deliveries, and the events behind a webhook's cursor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, true, update

from taxiway.core.events.journal import event_of
from taxiway.core.store.tables import event
from taxiway.core.store.upsert import upsert
from taxiway.features.webhooks.model import Delivery, Webhook
from taxiway.features.webhooks.tables import webhook, webhook_delivery
from taxiway.model.event import Event

_COLUMNS = [webhook.c[one.name] for one in fields(Webhook)]
_DELIVERY = [webhook_delivery.c[one.name] for one in fields(Delivery)]


def get(conn: Connection, id_: str) -> Webhook | None:
    """The webhook, or None."""
    row = conn.execute(select(*_COLUMNS).where(webhook.c.id == id_)).first()
    return None if row is None else Webhook(**row._mapping)


def named(conn: Connection, name: str) -> Webhook | None:
    """The webhook with this name, or None."""
    row = conn.execute(select(*_COLUMNS).where(webhook.c.name == name)).first()
    return None if row is None else Webhook(**row._mapping)


def page(conn: Connection, after: str | None, limit: int) -> list[Webhook]:
    """Webhooks by id, behind `after`."""
    behind = true() if after is None else webhook.c.id > after
    rows = conn.execute(select(*_COLUMNS).where(behind).order_by(webhook.c.id).limit(limit))
    return [Webhook(**row._mapping) for row in rows]


def add(conn: Connection, values: Mapping[str, Any]) -> None:
    """Store a new webhook."""
    conn.execute(insert(webhook).values(values))


def change(conn: Connection, id_: str, values: Mapping[str, Any], *, renew: bool = False) -> None:
    """Change columns; `renew` counts a new version for those who edit."""
    more = {"version": webhook.c.version + 1} if renew else {}
    conn.execute(update(webhook).where(webhook.c.id == id_).values({**values, **more}))


def remove(conn: Connection, id_: str) -> None:
    """Forget a webhook and its deliveries."""
    conn.execute(delete(webhook_delivery).where(webhook_delivery.c.webhook_id == id_))
    conn.execute(delete(webhook).where(webhook.c.id == id_))


def due(conn: Connection, now: int, newest: int) -> list[str]:
    """Ids of enabled webhooks that have something to send, or something to send again."""
    waiting = and_(webhook.c.cursor < newest, or_(webhook.c.next_at.is_(None), webhook.c.next_at <= now))
    again = (
        select(1)
        .select_from(webhook_delivery)
        .where(webhook_delivery.c.webhook_id == webhook.c.id, webhook_delivery.c.resend)
        .correlate(webhook)
        .exists()
    )
    return list(conn.scalars(select(webhook.c.id).where(webhook.c.enabled, or_(waiting, again))))


def next_at(conn: Connection) -> int | None:
    """When the first enabled webhook that failed is to be tried again; None when none failed."""
    first: int | None = conn.scalar(select(func.min(webhook.c.next_at)).where(webhook.c.enabled))
    return first


def events_behind(conn: Connection, cursor: int, types: Sequence[str], limit: int) -> list[Event]:
    """Sealed events behind `cursor` whose type begins with one of `types`, in order."""
    wanted: ColumnElement[bool] = (
        or_(*(event.c.type.startswith(one, autoescape=True) for one in types)) if types else true()
    )
    rows = conn.execute(select(event).where(event.c.seq > cursor, wanted).order_by(event.c.seq).limit(limit))
    return [event_of(row) for row in rows]


def event_at(conn: Connection, seq: int) -> Event | None:
    """The event at a place, or None when it is no longer kept."""
    row = conn.execute(select(event).where(event.c.seq == seq)).first()
    return None if row is None else event_of(row)


def note(conn: Connection, values: Mapping[str, Any]) -> None:
    """Store what came of an attempt: a new delivery, or one more attempt of a known one."""
    statement = upsert(conn, webhook_delivery).values(values)
    table = webhook_delivery.c
    changed = {key: values[key] for key in ("state", "status", "error", "resend", "attempted_at")}
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["webhook_id", "seq"], set_={**changed, "attempts": table.attempts + 1}
        )
    )


def delivery(conn: Connection, webhook_id: str, id_: str) -> Delivery | None:
    """A delivery of a webhook, or None."""
    where = (webhook_delivery.c.id == id_, webhook_delivery.c.webhook_id == webhook_id)
    row = conn.execute(select(*_DELIVERY).where(*where)).first()
    return None if row is None else Delivery(**row._mapping)


def deliveries(conn: Connection, webhook_id: str, state: str | None, before: int | None, limit: int) -> list[Delivery]:
    """Deliveries of a webhook, newest event first, before the place `before`."""
    where = [webhook_delivery.c.webhook_id == webhook_id]
    if state is not None:
        where.append(webhook_delivery.c.state == state)
    if before is not None:
        where.append(webhook_delivery.c.seq < before)
    rows = conn.execute(select(*_DELIVERY).where(*where).order_by(webhook_delivery.c.seq.desc()).limit(limit))
    return [Delivery(**row._mapping) for row in rows]


def to_resend(conn: Connection, webhook_id: str, limit: int) -> list[Delivery]:
    """Deliveries that were asked for again, oldest first."""
    where = (webhook_delivery.c.webhook_id == webhook_id, webhook_delivery.c.resend)
    rows = conn.execute(select(*_DELIVERY).where(*where).order_by(webhook_delivery.c.seq).limit(limit))
    return [Delivery(**row._mapping) for row in rows]


def ask_again(conn: Connection, id_: str) -> None:
    """Mark a delivery to be sent once more."""
    conn.execute(update(webhook_delivery).where(webhook_delivery.c.id == id_).values(resend=True))


def forget(conn: Connection, before: int) -> int:
    """Remove deliveries that were last attempted before a time; returns how many."""
    done = webhook_delivery.c.state != "waiting"
    return conn.execute(delete(webhook_delivery).where(webhook_delivery.c.attempted_at < before, done)).rowcount
