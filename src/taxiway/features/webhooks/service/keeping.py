"""Webhooks as an administrator keeps them: made, changed, given a new secret, removed; deliveries asked for again.

A secret is told once, when it is made; then it is in the secret store alone.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from taxiway.core.context import OpContext, Platform
from taxiway.core.cursors import last_seen
from taxiway.core.store.database import Tx
from taxiway.features.catalog.matching import Tests
from taxiway.features.catalog.repository.grammar import read_filters
from taxiway.features.webhooks import repository
from taxiway.features.webhooks.model import SECRET_BYTES, Delivery, Webhook, new_secret
from taxiway.kit.clock import MICROSECONDS
from taxiway.kit.paging import Page, page_of
from taxiway.model.errors import ConflictError, NotFoundError, UnavailableError, check_version
from taxiway.model.event import EventDraft

MANAGE = "webhooks.manage"
MOST = 100
CHANGED = "webhooks"
"""Signal: there is something to look at."""
KEPT_DAYS = 30
Random = Callable[[int], bytes]


@dataclass(frozen=True)
class Wanted:
    """What an administrator says of a webhook."""

    name: str
    url: str
    types: Sequence[str]
    filters: Sequence[str]
    enabled: bool = True


def create(ctx: OpContext, wanted: Wanted, random: Random = os.urandom) -> tuple[Webhook, str]:
    """Subscribe; it begins with what happens from now on. The webhook and its secret. InputError for addresses that may
    not be reached, ConflictError for a name that is taken."""
    ctx.authorize(MANAGE)
    _check(ctx.platform, wanted)
    id_, secret = ctx.platform.new_id(), new_secret(random(SECRET_BYTES))
    reference = ctx.platform.secrets.put(f"webhooks/{id_}", secret)
    newest = ctx.platform.events.last_seq()

    def work(tx: Tx) -> Webhook:
        if len(repository.page(tx.conn, None, MOST)) >= MOST:
            raise ConflictError(f"there are {MOST} webhooks already: remove one first", code="webhooks.too_many")
        _check_name(tx, wanted.name, id_)
        values = {
            **_said(wanted),
            "id": id_,
            "secret": reference,
            "reason": None,
            "cursor": newest,
            "attempts": 0,
            "created_by": ctx.principal.subject,
            "created_at": tx.now,
        }
        repository.add(tx.conn, values)
        made = _get(tx.conn, id_)
        _tell(ctx, tx, "created", made)
        return made

    try:
        return ctx.platform.store.write(work), secret
    except ConflictError:
        ctx.platform.secrets.delete(reference)
        raise


def update(ctx: OpContext, id_: str, wanted: Wanted, expected: int | None) -> Webhook:
    """Change what is said of a webhook. Enabling it sends what it missed, in order."""
    ctx.authorize(MANAGE)
    _check(ctx.platform, wanted)

    def work(tx: Tx) -> Webhook:
        before = _get(tx.conn, id_)
        check_version(expected, before.version)
        _check_name(tx, wanted.name, id_)
        values = dict(_said(wanted))
        if wanted.enabled:
            values |= {"reason": None, "next_at": None, "attempts": 0, "failing_since": None}
        elif before.enabled:
            values["reason"] = f"{ctx.principal.subject} disabled it"
        repository.change(tx.conn, id_, values, renew=True)
        made = _get(tx.conn, id_)
        _tell(ctx, tx, "updated", made)
        return made

    return ctx.platform.store.write(work)


def renew_secret(ctx: OpContext, id_: str, random: Random = os.urandom) -> str:
    """Make another secret; the old one signs nothing more."""
    ctx.authorize(MANAGE)
    secret = new_secret(random(SECRET_BYTES))
    found = find(ctx, id_)
    ctx.platform.secrets.put(f"webhooks/{id_}", secret)

    def work(tx: Tx) -> None:
        repository.change(tx.conn, id_, {}, renew=True)
        _tell(ctx, tx, "updated", found)

    ctx.platform.store.write(work)
    return secret


def delete(ctx: OpContext, id_: str) -> None:
    """Unsubscribe, and forget its deliveries and secret."""
    ctx.authorize(MANAGE)

    def work(tx: Tx) -> Webhook:
        found = _get(tx.conn, id_)
        repository.remove(tx.conn, id_)
        _tell(ctx, tx, "deleted", found)
        return found

    ctx.platform.secrets.delete(ctx.platform.store.write(work).secret)


def find(ctx: OpContext, id_: str) -> Webhook:
    """The webhook. NotFoundError when it is gone."""
    with ctx.platform.store.read() as conn:
        return _get(conn, id_)


def webhooks(ctx: OpContext, limit: int, cursor: str | None) -> Page[Webhook]:
    """A page of webhooks, oldest first."""
    after = last_seen(cursor, str)
    with ctx.platform.store.read() as conn:
        return page_of(repository.page(conn, after, limit + 1), limit, lambda one: [one.id])


def deliveries(ctx: OpContext, id_: str, state: str | None, limit: int, cursor: str | None) -> Page[Delivery]:
    """A page of a webhook's deliveries, newest first."""
    before = last_seen(cursor, int)
    with ctx.platform.store.read() as conn:
        _get(conn, id_)
        rows = repository.deliveries(conn, id_, state, before, limit + 1)
    return page_of(rows, limit, lambda one: [one.seq])


def resend(ctx: OpContext, id_: str, delivery_id: str) -> None:
    """Send one delivery once more, beside the others. ConflictError while the webhook is disabled."""
    ctx.authorize(MANAGE)

    def work(tx: Tx) -> None:
        if not _get(tx.conn, id_).enabled:
            raise ConflictError("the webhook is disabled: enable it first", code="webhooks.disabled")
        if repository.delivery(tx.conn, id_, delivery_id) is None:
            raise NotFoundError(
                f"there is no delivery {delivery_id}: list those of the webhook", code="webhooks.no_delivery"
            )
        repository.ask_again(tx.conn, delivery_id)
        tx.after_commit(lambda: ctx.platform.signals.notify(CHANGED))

    ctx.platform.store.write(work)


def forget_old(platform: Platform) -> int:
    """Remove deliveries of long ago; returns how many."""
    return platform.store.write(lambda tx: repository.forget(tx.conn, tx.now - KEPT_DAYS * 86_400 * MICROSECONDS))


def _check(platform: Platform, wanted: Wanted) -> None:
    from taxiway.plugin.outgoing.addresses import Hosts, judged_address, split, system_resolve

    url = split(wanted.url)
    # The name service may not know it yet; it is judged again at every delivery.
    with contextlib.suppress(UnavailableError):
        judged_address(url, Hosts(platform.settings.webhooks.hosts), system_resolve)
    read_filters(Tests(), wanted.filters)


def _check_name(tx: Tx, name: str, id_: str) -> None:
    other = repository.named(tx.conn, name)
    if other is not None and other.id != id_:
        raise ConflictError(f"there is a webhook '{name}' already: choose another name", code="webhooks.name")


def _said(wanted: Wanted) -> Mapping[str, Any]:
    return {
        "name": wanted.name,
        "url": wanted.url,
        "types": list(wanted.types),
        "filters": list(wanted.filters),
        "enabled": wanted.enabled,
    }


def _get(conn: Any, id_: str) -> Webhook:
    found = repository.get(conn, id_)
    if found is None:
        raise NotFoundError(f"there is no webhook {id_}: list them", code="webhooks.none")
    return found


def _tell(ctx: OpContext, tx: Tx, what: str, hook: Webhook) -> None:
    data = {"name": hook.name, "host": urlsplit(hook.url).hostname or ""}
    ctx.emit(tx, EventDraft(f"dev.taxiway.webhook.{what}.v1", f"webhook:{hook.id}", data))
    tx.after_commit(lambda: ctx.platform.signals.notify(CHANGED))
