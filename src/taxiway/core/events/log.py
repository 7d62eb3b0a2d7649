"""The event log as the rest of the platform sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from taxiway.core.store.database import Tx
from taxiway.kit.paging import Page
from taxiway.model.access import Principal, Scope
from taxiway.model.event import Event, EventDraft

Ids = list[str]
"""Of events, in the order in which they were given."""


class EventLog(Protocol):
    """Append in the writer's transaction, read what is sealed."""

    def append(self, tx: Tx, principal: Principal, draft: EventDraft, *, owner: str | None = None) -> str:
        """Insert unsealed and return the event's id; the sealer gives it its place and hash after the commit.
        InternalError for a type that nobody declared, and for data that its schema refuses."""
        ...

    def append_many(self, tx: Tx, principal: Principal, drafts: Sequence[tuple[EventDraft, str | None]]) -> Ids:
        """Like `append` for each (draft, owner), in order, in one statement."""
        ...

    def list(
        self, scope: Scope, *, type_prefix: str | None, subject: str | None, after: int, limit: int, newest_first: bool
    ) -> Sequence[Event]:
        """Sealed events; `after` is a seq."""
        ...

    def page(
        self, scope: Scope, *, type_prefix: str | None, subject: str | None, cursor: str | None, limit: int
    ) -> Page[Event]:
        """Newest first, by cursor."""
        ...

    def last_seq(self) -> int:
        """The place of the newest sealed event; 0 when there is none."""
        ...
