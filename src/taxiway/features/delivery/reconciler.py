"""The embedded reconciler as a background service, and the subscriber that tells it of pushes.

Exclusive: one process runs it, in one thread, so no target is ever reconciled twice at once. After a commit it looks
at heads by itself, so a lost or late event costs seconds and nothing else; every 30 s it looks at everything.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from taxiway.core.context import Platform
from taxiway.features.delivery.reconcile import reconcile
from taxiway.features.delivery.service import desired
from taxiway.features.environments import repository
from taxiway.features.environments.model import Environment
from taxiway.features.environments.service import list_environments
from taxiway.model.errors import TaxiwayError
from taxiway.model.event import Event, EventHead
from taxiway.plugin import PluginContext

TICK_SECONDS = 2.0
"""Pushes of this process wake the loop at once; this finds what another process of the installation took."""
DRIFT_SECONDS = 30.0
KNOWN_SECONDS = 10.0
"""How long a change of environments in the catalog may go unnoticed when its event was missed."""
FIRST_SECONDS = 0.2
SLOWEST_SECONDS = 5.0
PREFIX, ENTITY = "env-", "dev.taxiway.entity."
SUBJECTS = ("environment:", "environmenttype:", f"repository:{PREFIX}")


@dataclass
class _Watch:
    """What the loop remembers of an environment; losing it costs one full pass."""

    head: str | None = None
    full_at: float = 0.0
    again_at: float | None = None
    pause: float = FIRST_SECONDS
    is_ours: bool = False


class Reconciler:
    """Background service `delivery.reconciler`."""

    key = "delivery.reconciler"
    exclusive = True

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._wake = threading.Event()
        self._stale = threading.Event()
        self._watches: dict[str, _Watch] = {}
        self._known: list[tuple[str, Environment | None]] = []
        self._known_until = 0.0
        self._looked_at: int | None = None

    def nudge(self) -> None:
        """Look now. Never blocks."""
        self._wake.set()

    def forget(self) -> None:
        """Environments of the catalog changed: look at everything now."""
        self._stale.set()
        self._wake.set()

    def run(self, ctx: PluginContext | None, stop: threading.Event) -> None:
        """Until `stop`."""
        self.forget()
        threading.Thread(target=self._end, args=(stop,), name="reconciler-stop", daemon=True).start()
        while not stop.is_set():
            self._wake.wait(self.turn())
            self._wake.clear()

    def _end(self, stop: threading.Event) -> None:
        stop.wait()
        self._wake.set()

    def turn(self) -> float:
        """One round over all environments; seconds until the next."""
        if self._stale.is_set():
            self._stale.clear()
            self._watches = {}
            self._known_until = 0.0
        now, version = self._platform.clock.monotonic(), self._platform.store.version()
        left = self._due_at() - now
        if version is not None and version == self._looked_at and left > 0:
            return min(TICK_SECONDS, left)
        if now >= self._known_until:
            known = {environment.name: environment for environment in list_environments(self._platform)}
            with self._platform.store.read() as conn:
                names = sorted({*known, *repository.applied_environments(conn)})
            self._known = [(name, known.get(name)) for name in names]
            self._known_until = now + KNOWN_SECONDS
        for name, environment in self._known:
            self._look(name, environment)
        self._looked_at = version
        now = self._platform.clock.monotonic()
        waits = [w.again_at - now for w in self._watches.values() if w.again_at is not None]
        return max(0.05, min([TICK_SECONDS, *waits]))

    def _due_at(self) -> float:
        """When to look although nothing was committed, and so no push was taken."""
        again = (watch.again_at for watch in self._watches.values() if watch.again_at is not None)
        return min([self._known_until, *again, *(watch.full_at for watch in self._watches.values())])

    def _look(self, name: str, environment: Environment | None) -> None:
        now = self._platform.clock.monotonic()
        watch = self._watches.setdefault(name, _Watch())
        try:
            if environment is not None and not watch.is_ours:
                # Made before anybody else can take the name; one that somebody else made is refused here for good.
                desired.ensure_repository(self._platform, environment)
                watch.is_ours = True
            head = desired.head(self._platform, PREFIX + name)
            is_moved = head != watch.head
            is_full = now >= watch.full_at
            if not (is_moved or is_full or (watch.again_at is not None and now >= watch.again_at)):
                return
            is_settled = reconcile(self._platform, name, environment, is_full=is_full)
        except TaxiwayError as error:
            self._platform.log.warning("reconcile_put_off", environment=name, reason=error.detail)
            head, is_moved, is_full, is_settled = watch.head, False, False, False
        watch.head = head
        watch.pause = FIRST_SECONDS if is_moved else min(SLOWEST_SECONDS, watch.pause * 1.5)
        after = self._platform.clock.monotonic()
        watch.again_at = None if is_settled else after + watch.pause
        if is_full:
            watch.full_at = after + DRIFT_SECONDS


class PushSubscriber:
    """Event subscriber `delivery.reconcile_pushes`: a push to an environment's repository is looked at now."""

    key = "delivery.reconcile_pushes"
    types: Sequence[str] = ("dev.taxiway.repository.pushed.v1", ENTITY)

    def __init__(self, reconciler: Reconciler) -> None:
        self._reconciler = reconciler

    def concerning(self, heads: Sequence[EventHead]) -> Sequence[EventHead]:
        """Nearly none of a large batch of entities."""
        return [head for head in heads if head.subject.startswith(SUBJECTS)]

    def handle(self, event: Event) -> None:
        if not event.subject.startswith(SUBJECTS):
            return
        if event.type.startswith(ENTITY):
            self._reconciler.forget()
        else:
            self._reconciler.nudge()
