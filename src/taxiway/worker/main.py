"""The background half of Taxiway: engine, sealer, event subscribers, schedules and background services.

`run_worker` is used by `taxiway up` beside the server and by `taxiway worker` alone. It assembles, and never decides.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import cast

from taxiway.core.context import Platform
from taxiway.core.events import retention as old_events
from taxiway.core.events.journal import APPENDED, SEALED, Journal
from taxiway.core.events.sealer import Sealer
from taxiway.core.events.subscriptions import Dispatcher
from taxiway.core.http import idempotency
from taxiway.core.leases import Lease, Leases
from taxiway.core.runs import retention
from taxiway.core.runs.durable import DurableRuns
from taxiway.core.runs.engine import Engine
from taxiway.kit.backoff import backoff_seconds
from taxiway.plugin import BackgroundService, EventSubscriber, PluginContext

STOP_SECONDS = 2.5
Services = Sequence[tuple[BackgroundService, PluginContext]]


class Worker:
    """The running background half. `start`, then `stop`, which takes at most about 3 s."""

    def __init__(self, platform: Platform, services: Services) -> None:
        self._platform, self._services = platform, services
        journal, runs = cast(Journal, platform.events), cast(DurableRuns, platform.runs)
        self._signals = journal.signals
        self._stop = threading.Event()
        self._leases = Leases(platform.store, platform.clock, platform.new_id)
        self._sealer_stop = threading.Event()
        data = platform.settings.data
        self._sealer = Sealer(journal, self._leases, platform.clock, platform.log, data)
        self._dispatcher = Dispatcher(journal, self._leases, self._subscribers, platform.log)
        self._schedules = runs.schedules
        self._register_retention(runs)
        workers = platform.settings.workers
        self._engine = Engine(runs.parts, self._leases, workers) if workers else None
        self._threads: list[threading.Thread] = []
        self._sealing: threading.Thread | None = None

    def start(self) -> None:
        """Start every part; returns at once."""
        self._leases.start()
        self._sealing = self._supervise("sealer", self._sealer.run, self._sealer_stop)
        self._threads.append(self._supervise("subscribers", self._dispatcher.run, self._stop))
        self._threads.append(self._supervise("schedules", self._schedules.run, self._stop))
        for service, context in self._services:
            run = self._exclusive(service, context) if service.exclusive else self._plain(service, context)
            self._threads.append(self._supervise(f"service-{service.key}", run, self._stop))
        if self._engine is not None:
            self._engine.start()

    def stop(self) -> None:
        """Stop: first what makes events, the sealer last, then give back every lease."""
        deadline = time.monotonic() + STOP_SECONDS
        self._stop.set()
        self._leases.halt_all(but=("sealer",))
        self._signals.notify(SEALED)  # wakes the subscribers, so that they see it
        if self._engine is not None:
            self._engine.stop()
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._sealer_stop.set()
        self._leases.halt_all()
        self._signals.notify(APPENDED)  # wakes the sealer
        if self._sealing is not None:
            self._sealing.join(1.0)
        self._leases.close()

    def _register_retention(self, runs: DurableRuns) -> None:
        platform, keep, add = self._platform, self._platform.settings.retention, self._schedules.register
        store = platform.store
        hourly = retention.EVERY_SECONDS
        add(retention.NAME, hourly, lambda: retention.remove_old_workspaces(runs.parts))
        add(retention.ROWS, hourly, lambda: retention.remove_old_rows(runs.parts, keep.run_days, keep.run_log_days))
        add(idempotency.NAME, idempotency.EVERY_SECONDS, lambda: idempotency.forget_old(store))
        add(old_events.NAME, old_events.EVERY_SECONDS, self._remove_old_events)

    def _remove_old_events(self) -> int:
        platform, keys = self._platform, self._platform.registry.keys("event_subscriber")
        days, data = platform.settings.retention.event_days, platform.settings.data
        return old_events.remove_old_events(platform.store, platform.clock, data, days, keys)

    def _subscribers(self) -> list[EventSubscriber]:
        return self._platform.registry.all("event_subscriber", EventSubscriber)

    def _plain(self, service: BackgroundService, context: PluginContext) -> Callable[[threading.Event], None]:
        return lambda stop: service.run(context, stop)

    def _exclusive(self, service: BackgroundService, context: PluginContext) -> Callable[[threading.Event], None]:
        def work(lease: Lease) -> None:
            service.run(context, lease.halt)

        return lambda stop: self._leases.hold(f"service:{service.key}", stop, work)

    def _supervise(self, name: str, run: Callable[[threading.Event], None], stop: threading.Event) -> threading.Thread:
        """`run(stop)` in a thread, started again with a growing pause when it fails or returns early."""

        def loop() -> None:
            failures = 0
            while not stop.is_set():
                begun = time.monotonic()
                try:
                    run(stop)
                except Exception:
                    self._platform.log.exception("a background part failed and starts again", part=name)
                if time.monotonic() - begun > 60:
                    failures = 0
                failures += 1
                stop.wait(backoff_seconds(failures))

        thread = threading.Thread(target=loop, name=name, daemon=True)
        thread.start()
        return thread


def run_worker(platform: Platform, stop: threading.Event, services: Services = ()) -> None:
    """Work until `stop`. `services` are the background services of the registry, each with its plugin's context."""
    worker = Worker(platform, services)
    worker.start()
    try:
        stop.wait()
    finally:
        worker.stop()
