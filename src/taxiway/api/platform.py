"""Puts a `Platform` together from settings: store, events, runs, features, plugins, in this order.

Called by `serve`, by a worker, by the CLI beside a data folder (without plugins), and by tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.metadata import EntryPoint
from urllib.parse import quote

import structlog

import taxiway.core.store.tables  # noqa: F401  registers the tables of the engine room
from taxiway.api import events, runs, system
from taxiway.api.features import load_features
from taxiway.api.logs import plugin_logger
from taxiway.core.context import Platform
from taxiway.core.events.journal import Journal
from taxiway.core.events.schemas import EventSchemas, declared_in
from taxiway.core.operations import Feature
from taxiway.core.plugins.artifacts import FolderArtifacts
from taxiway.core.plugins.loader import load_plugins
from taxiway.core.plugins.secrets import RegistrySecrets
from taxiway.core.registry import Registry
from taxiway.core.runs.durable import DurableRuns
from taxiway.core.settings import Loaded
from taxiway.core.store.closed import ClosedStore
from taxiway.core.store.database import Store, open_store
from taxiway.core.store.migrate import migrate
from taxiway.kit.clock import Clock, SystemClock
from taxiway.kit.ids import new_ids
from taxiway.kit.signals import Signals
from taxiway.model.errors import TaxiwayError

CLOCK_FILE = "clock-offset"
"""A file in the data folder that makes the clock jump, for tests of what a jump does."""


def build_platform(
    loaded: Loaded,
    *,
    clock: Clock | None = None,
    plugins: Iterable[EntryPoint] | None = None,
    with_plugins: bool = True,
    features: Sequence[Feature] | None = None,
    migrated: bool = True,
) -> Platform:
    """A platform that is ready to serve or to work. `plugins` and `features` replace the installed ones. Without
    `migrated` the store is taken as it is, whatever version made it: for what reads nothing from it."""
    chosen = load_features() if features is None else list(features)
    platform = _engine_room(loaded, clock, migrated)
    platform.features = [*chosen, runs.FEATURE, events.FEATURE, system.FEATURE]
    for feature in platform.features:
        platform.permissions.update(feature.permissions)
        feature.register(platform)
    if with_plugins:
        platform.plugins = load_plugins(platform, plugin_logger, plugins)
    return platform


def _engine_room(loaded: Loaded, clock: Clock | None, migrated: bool) -> Platform:
    data = loaded.settings.data.resolve()
    data.mkdir(mode=0o711, parents=True, exist_ok=True)
    clock = clock or SystemClock(data / CLOCK_FILE)
    new_id, signals, registry, log = new_ids(clock), Signals(), Registry(), structlog.get_logger("taxiway")
    registry.told = lambda item, reason: log.error(
        "plugin.contribution", plugin=item.owner, point=item.point, key=item.key, reason=reason
    )
    if migrated:
        migrate(loaded.settings.store_url(), data)
    store = _opened(loaded.settings.store_url(), clock, migrated)
    source, schemas = f"taxiway/{quote(loaded.settings.organisation)}", EventSchemas(declared_in(registry))
    journal = Journal(store, new_id, signals, source, schemas)
    engine = DurableRuns(
        store=store,
        clock=clock,
        new_id=new_id,
        events=journal,
        secrets=RegistrySecrets(registry),
        log=log,
        data=data,
        signals=signals,
        step_retries=loaded.settings.step_retries,
    )
    return Platform(
        loaded=loaded,
        clock=clock,
        new_id=new_id,
        store=store,
        registry=registry,
        events=journal,
        runs=engine,
        secrets=engine.secrets,
        artifacts=FolderArtifacts(data / "artifacts"),
        log=log,
        signals=signals,
    )


def _opened(url: str, clock: Clock, migrated: bool) -> Store:
    try:
        return open_store(url, clock)
    except TaxiwayError as error:
        if migrated:
            raise
        return ClosedStore(error)


def close_platform(platform: Platform) -> None:
    """End what `build_platform` opened."""
    platform.stopping.set()
    platform.store.close()
