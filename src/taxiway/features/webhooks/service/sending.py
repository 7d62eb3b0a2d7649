"""Sends events to webhooks: each webhook's in the order of the log, at least once, one at a time.

An event that cannot be delivered is tried again with growing pauses, and those behind it wait. What fails for as
long as the settings say, or is answered with 410, disables the webhook; enabling it goes on where it stopped. One
process of an installation sends; the store says where each webhook stands, so that any other can take over.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import orjson

from taxiway.core.context import Platform
from taxiway.core.events.journal import SEALED
from taxiway.core.events.view import event_view
from taxiway.core.store.database import Tx
from taxiway.features.catalog import service as catalog
from taxiway.features.catalog.matching import Tests, rows_of
from taxiway.features.catalog.repository.grammar import read_filters
from taxiway.features.webhooks import repository
from taxiway.features.webhooks.model import Outcome, Webhook, signed
from taxiway.features.webhooks.service.keeping import CHANGED
from taxiway.kit.backoff import backoff_seconds
from taxiway.kit.clock import MICROSECONDS
from taxiway.model.errors import RateLimitedError, TaxiwayError
from taxiway.model.event import Event, EventDraft
from taxiway.plugin import PluginContext

THREADS = 4
POLL_SECONDS = 2.0
BATCH = 100
FIRST_SECONDS, MOST_SECONDS = 5.0, 3600.0


class Sender:
    """The background service. `round` sends what is due; `advance` is one webhook's part of it."""

    key = "webhooks"
    exclusive = True

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._busy: set[str] = set()
        self._client: Any = None
        self._idle_at: int | None = None
        self._idle_until: float = 0

    def run(self, ctx: PluginContext, stop: threading.Event) -> None:
        wake = threading.Event()
        removers = [self._platform.signals.listen(topic, wake.set) for topic in (SEALED, CHANGED)]
        try:
            with ThreadPoolExecutor(THREADS, thread_name_prefix="webhook") as pool:
                while not stop.is_set():
                    for id_ in self._due():
                        self._busy.add(id_)
                        pool.submit(self._serve, id_, stop, wake)
                    wake.wait(POLL_SECONDS)
                    wake.clear()
        finally:
            for remove in removers:
                remove()
            if self._client is not None:
                self._client.close()

    def advance(self, id_: str, stop: threading.Event) -> bool:
        """Send a webhook what it was asked for again, then what is behind its cursor, until something fails. Whether
        more is waiting."""
        hook = self._read(id_)
        if hook is None or not hook.enabled:
            return False
        self._send_again(hook, stop)
        now = self._platform.clock.now()
        if hook.next_at is not None and hook.next_at > now:
            return False
        newest = self._platform.events.last_seq()
        with self._platform.store.read() as conn:
            events = repository.events_behind(conn, hook.cursor, hook.types, BATCH)
        reached = hook.cursor
        for item in events:
            if stop.is_set():
                return False
            if not self._concerns(hook, item):
                reached = item.seq
                continue
            outcome = self._send(hook, item)
            self._store(hook, item, outcome)
            if not outcome.ok:
                return False
            reached = item.seq
            hook = self._read(id_)
            if hook is None or not hook.enabled:
                return False
        if len(events) < BATCH:
            reached = max(reached, newest)
        self._pass_by(hook, reached)
        return len(events) == BATCH

    def _due(self) -> list[str]:
        version, now = self._platform.store.version(), self._platform.clock.now()
        if version is not None and version == self._idle_at and now < self._idle_until:
            return []
        newest = self._platform.events.last_seq()
        with self._platform.store.read() as conn:
            found = repository.due(conn, now, newest)
            if not found:
                # Until somebody writes, or the next one is to be tried again.
                self._idle_at, self._idle_until = version, repository.next_at(conn) or math.inf
        return [id_ for id_ in found if id_ not in self._busy]

    def _serve(self, id_: str, stop: threading.Event, wake: threading.Event) -> None:
        failed = False
        try:
            while self.advance(id_, stop):
                pass
        except Exception as error:
            failed = True
            self._platform.log.warning("webhooks.failed", webhook=id_, error=str(error))
        self._busy.discard(id_)
        # After a fault it is still due: the next look is soon enough, and one at once would find the same fault.
        if not failed and self._due():
            wake.set()

    def _read(self, id_: str) -> Webhook | None:
        with self._platform.store.read() as conn:
            return repository.get(conn, id_)

    def _pass_by(self, hook: Webhook, reached: int) -> None:
        if reached > hook.cursor:
            self._platform.store.write(lambda tx: repository.change(tx.conn, hook.id, {"cursor": reached}))

    def _send_again(self, hook: Webhook, stop: threading.Event) -> None:
        with self._platform.store.read() as conn:
            asked = repository.to_resend(conn, hook.id, BATCH)
            events = {one.seq: repository.event_at(conn, one.seq) for one in asked}
        for one in asked:
            if stop.is_set():
                return
            item = events[one.seq]
            if item is None:
                outcome = Outcome(False, error="the event is no longer kept: it cannot be sent again")
            else:
                outcome = self._send(hook, item)
            state = "delivered" if outcome.ok else "waiting" if one.state == "waiting" else "failed"
            self._note_again({**vars(one), **_told(outcome), "state": state, "resend": False})

    def _note_again(self, values: Mapping[str, Any]) -> None:
        self._platform.store.write(lambda tx: repository.note(tx.conn, {**values, "attempted_at": tx.now}))

    def _send(self, hook: Webhook, item: Event) -> Outcome:
        body = orjson.dumps(event_view(item, self._platform.public_url()))
        now = self._platform.clock.now() // MICROSECONDS
        try:
            secret = self._platform.secrets.get(hook.secret)
            headers = {**signed(secret, item.id, now, body), "content-type": "application/cloudevents+json"}
            answer = self._outgoing().send("POST", hook.url, headers=headers, body=body)
        except RateLimitedError as error:
            return Outcome(False, 429, error.detail, pause_seconds=float(error.retry_after_seconds or 0))
        except TaxiwayError as error:
            return Outcome(False, None, error.detail)
        if 200 <= answer.status < 300:
            return Outcome(True, answer.status)
        told = f"it answered with {answer.status}"
        return Outcome(False, answer.status, told, gone=answer.status == 410)

    def _outgoing(self) -> Any:
        if self._client is None:
            from taxiway.plugin.outgoing import Hosts, Limits, Outgoing

            limits = Limits(5, 10, 15, body_bytes=65_536, redirects=0, tries=1, wait_seconds=0)
            self._client = Outgoing(Hosts(self._platform.settings.webhooks.hosts), limits=limits)
        return self._client

    def _store(self, hook: Webhook, item: Event, outcome: Outcome) -> None:
        ctx = self._platform.system("webhooks")

        def work(tx: Tx) -> None:
            reason = None if outcome.ok else self._why_disabled(hook, outcome, tx.now)
            state = "delivered" if outcome.ok else "failed" if reason else "waiting"
            repository.note(
                tx.conn,
                {
                    "id": self._platform.new_id(),
                    "webhook_id": hook.id,
                    "seq": item.seq,
                    "event_id": item.id,
                    "type": item.type,
                    "subject": item.subject,
                    "state": state,
                    "attempts": 1,
                    **_told(outcome),
                    "resend": False,
                    "created_at": tx.now,
                    "attempted_at": tx.now,
                },
            )
            repository.change(tx.conn, hook.id, _standing(hook, item, outcome, reason, tx.now))
            if reason:
                data = {"name": hook.name, "host": urlsplit(hook.url).hostname or "", "reason": reason}
                ctx.emit(tx, EventDraft("dev.taxiway.webhook.disabled.v1", f"webhook:{hook.id}", data))

        self._platform.store.write(work)

    def _why_disabled(self, hook: Webhook, outcome: Outcome, now: int) -> str | None:
        if outcome.gone:
            return "the other side answered with 410: it wants no more events"
        seconds = self._platform.settings.webhooks.give_up_seconds
        if hook.failing_since is not None and now - hook.failing_since >= seconds * MICROSECONDS:
            return f"it failed for {seconds} seconds without a break, at last: {outcome.error}"
        return None

    def _concerns(self, hook: Webhook, item: Event) -> bool:
        if not hook.filters:
            return True
        ref = str(item.data.get("service") or item.data.get("ref") or item.subject)
        document = catalog.last_known(self._platform, ref) if ":" in ref and "/" in ref else None
        if document is None:
            document = _named(ref)
        edges = [(one["type"], one["targetRef"]) for one in document.get("relations", ())]
        if item.data.get("owner") and not edges:
            edges = [("ownedBy", str(item.data["owner"]))]
        return bool(read_filters(Tests(), hook.filters)(rows_of(document, edges)))


def _named(ref: str) -> dict[str, Any]:
    # What is no entity, or none that is remembered: its name is all that is known.
    kind, _, rest = ref.partition(":")
    namespace, _, name = rest.rpartition("/")
    return {"kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": {}}


def _told(outcome: Outcome) -> Mapping[str, Any]:
    return {"status": outcome.status, "error": outcome.error}


def _standing(hook: Webhook, item: Event, outcome: Outcome, reason: str | None, now: int) -> Mapping[str, Any]:
    if outcome.ok:
        return {"cursor": item.seq, "attempts": 0, "next_at": None, "failing_since": None}
    pause = max(backoff_seconds(hook.attempts + 1, FIRST_SECONDS, MOST_SECONDS), outcome.pause_seconds)
    found: dict[str, Any] = {
        "attempts": hook.attempts + 1,
        "next_at": now + int(min(pause, 86_400) * MICROSECONDS),
        "failing_since": hook.failing_since or now,
    }
    return {**found, "enabled": False, "reason": reason, "next_at": None} if reason else found
