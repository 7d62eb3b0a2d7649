"""`EventLog` on the store: append in the writer's transaction, read what is sealed."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter, itemgetter
from typing import Any

import orjson
from sqlalchemy import Select, func, insert, select

from taxiway.core.cursors import last_seen
from taxiway.core.events.chain import personal_digest
from taxiway.core.events.log import Ids
from taxiway.core.events.schemas import EventSchemas
from taxiway.core.store.bulk import insert_rows
from taxiway.core.store.database import Store, Tx
from taxiway.core.store.scoped import visible
from taxiway.core.store.tables import event, event_personal
from taxiway.kit.canonical import canonical_json
from taxiway.kit.ids import NewId
from taxiway.kit.paging import Page, page_of
from taxiway.kit.signals import Signals
from taxiway.model.access import Principal, Scope
from taxiway.model.errors import InternalError
from taxiway.model.event import Event, EventDraft

APPENDED = "events.appended"
SEALED = "events.sealed"
DATA_BYTES = 256_000
# Built once, with the values as parameters: built with its values an insert costs ten times as much.
INSERT_PERSONAL = insert(event_personal)
COLUMNS = (
    *("id", "type", "source", "subject", "subject_uid", "at", "data", "personal_digest"),
    *("actor", "on_behalf_of", "via", "token_id", "owner"),
)
_IN_ORDER = itemgetter(*COLUMNS)
_OF_EVENT = attrgetter(*(field.name for field in fields(Event)))


def event_of(row: Any) -> Event:
    """A sealed row of the table `event`."""
    return Event(*_OF_EVENT(row))


class Journal:
    """The event log of one installation; `source` names it in every event."""

    def __init__(
        self,
        store: Store,
        new_id: NewId,
        signals: Signals,
        source: str = "taxiway",
        schemas: EventSchemas | None = None,
    ) -> None:
        self.store, self.signals = store, signals
        self._new_id, self._source = new_id, source
        self._schemas = schemas or EventSchemas()

    def append(self, tx: Tx, principal: Principal, draft: EventDraft, *, owner: str | None = None) -> str:
        return self.append_many(tx, principal, [(draft, owner)])[0]

    def append_many(self, tx: Tx, principal: Principal, drafts: Sequence[tuple[EventDraft, str | None]]) -> Ids:
        if not drafts:
            return []
        rows: list[dict[str, Any]] = []
        personal: list[dict[str, Any]] = []
        for draft, owner in drafts:
            values = self._row(tx, principal, draft, owner)
            if draft.personal is not None:
                salt = secrets.token_bytes(16)
                values["personal_digest"] = personal_digest(salt, draft.personal)
                personal.append({"event_id": values["id"], "salt": salt, "data": dict(draft.personal)})
            rows.append(values)
        insert_rows(tx.conn, event, COLUMNS, [_IN_ORDER(values) for values in rows])
        if personal:
            tx.conn.execute(INSERT_PERSONAL, personal)
        tx.subjects.append(drafts[0][0].subject)
        tx.after_commit(lambda: self.signals.notify(APPENDED))
        return [values["id"] for values in rows]

    def _row(self, tx: Tx, principal: Principal, draft: EventDraft, owner: str | None) -> dict[str, Any]:
        data = dict(draft.data)
        self._schemas.check(draft.type, data)
        try:
            size = len(canonical_json(data))
        except (TypeError, ValueError) as error:
            raise InternalError(f"the data of event {draft.type} is not JSON", internal=str(error)) from error
        if size > DATA_BYTES:
            raise InternalError(f"the data of event {draft.type} is larger than {DATA_BYTES} bytes")
        return {
            "id": self._new_id(),
            "type": draft.type,
            "source": self._source,
            "subject": draft.subject,
            "subject_uid": draft.subject_uid,
            "at": tx.now,
            "data": orjson.dumps(data).decode(),
            "personal_digest": None,
            "actor": principal.subject,
            "on_behalf_of": principal.on_behalf_of,
            "via": principal.via,
            "token_id": principal.token_id,
            "owner": owner,
        }

    def list(
        self, scope: Scope, *, type_prefix: str | None, subject: str | None, after: int, limit: int, newest_first: bool
    ) -> Sequence[Event]:
        query = self._query(scope, type_prefix, subject).where(event.c.seq > after).limit(limit)
        query = query.order_by(event.c.seq.desc() if newest_first else event.c.seq)
        with self.store.read() as conn:
            return [event_of(row) for row in conn.execute(query)]

    def page(
        self, scope: Scope, *, type_prefix: str | None, subject: str | None, cursor: str | None, limit: int
    ) -> Page[Event]:
        query = self._query(scope, type_prefix, subject).order_by(event.c.seq.desc()).limit(limit + 1)
        if (seq := last_seen(cursor, int)) is not None:
            query = query.where(event.c.seq < seq)
        with self.store.read() as conn:
            rows = conn.execute(query).all()
        return page_of([event_of(row) for row in rows], limit, lambda item: [item.seq])

    def last_seq(self) -> int:
        """The place of the newest sealed event; 0 when there is none."""
        with self.store.read() as conn:
            return int(conn.execute(select(func.coalesce(func.max(event.c.seq), 0))).scalar_one())

    def personal(self, event_id: str) -> dict[str, Any] | None:
        """The personal data of an event, None when it never had any or it was forgotten."""
        with self.store.read() as conn:
            query = select(event_personal.c.data).where(event_personal.c.event_id == event_id)
            found: dict[str, Any] | None = conn.execute(query).scalar()
            return found

    def _query(self, scope: Scope, type_prefix: str | None, subject: str | None) -> Select[Any]:
        query = select(event).where(event.c.seq.is_not(None), visible(scope, event.c.owner))
        if type_prefix:
            query = query.where(event.c.type >= type_prefix, event.c.type < type_prefix + "\U0010ffff")
        if subject is not None:
            query = query.where(event.c.subject == subject)
        return query
