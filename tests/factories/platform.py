"""A `Platform` for tests: real store, events and runs, secrets in memory, and no server."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.core.events.journal import Journal
from taxiway.core.events.schemas import EventSchemas, declared_in
from taxiway.core.permissions import READ, Grant
from taxiway.core.registry import Registry
from taxiway.core.runs.durable import DurableRuns
from taxiway.core.settings import Loaded, Settings
from taxiway.core.store.database import Store, open_store
from taxiway.core.store.migrate import migrate
from taxiway.kit.clock import Clock, SystemClock
from taxiway.kit.ids import new_ids
from taxiway.kit.signals import Signals
from taxiway.model.access import Principal
from taxiway.model.errors import NotFoundError


class MemorySecrets:
    """`Secrets` without a store."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def put(self, name: str, value: str) -> str:
        self.values[f"secret://memory/{name}"] = value
        return f"secret://memory/{name}"

    def get(self, reference: str) -> str:
        if reference not in self.values:
            raise NotFoundError(f"{reference} is not there")
        return self.values[reference]

    def delete(self, reference: str) -> None:
        self.values.pop(reference, None)


class MemoryLog:
    """A `Logger` that keeps what it was told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, Any]]] = []

    def _keep(self, level: str, event: str, fields: dict[str, Any]) -> None:
        self.lines.append((level, event, fields))

    def debug(self, event: str, **fields: Any) -> None:
        self._keep("debug", event, fields)

    def info(self, event: str, **fields: Any) -> None:
        self._keep("info", event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        self._keep("warning", event, fields)

    def error(self, event: str, **fields: Any) -> None:
        self._keep("error", event, fields)

    def exception(self, event: str, **fields: Any) -> None:
        import traceback

        self._keep("exception", event, {**fields, "traceback": traceback.format_exc()})


class NoArtifacts:
    """`Artifacts` that has none."""

    def put(self, source: Path) -> str:
        raise NotFoundError("no artifacts here")

    def path(self, digest: str) -> Path:
        raise NotFoundError("no artifacts here")


def fresh_store(url: str, data: Path, clock: Clock | None = None) -> Store:
    """The store behind `url` with every table. `data` is a folder for what migrating needs."""
    migrate(url, data)
    return open_store(url, clock or SystemClock())


def build_platform(
    data: Path,
    *,
    url: str | None = None,
    clock: Clock | None = None,
    fresh: bool = True,
    step_retries: int = 0,
    **settings: Any,
) -> Platform:
    """A platform on `data`. `url` None: SQLite in it. `fresh` creates the tables."""
    data.mkdir(parents=True, exist_ok=True)
    clock = clock or SystemClock()
    values = {"data": data, "port": 0, **({"database_url": url} if url else {}), **settings}
    loaded = Loaded(Settings.model_validate(values), {})
    if fresh:
        migrate(loaded.settings.store_url(), data)
    store = open_store(loaded.settings.store_url(), clock)
    signals, new_id, log = Signals(), new_ids(clock), MemoryLog()
    registry = Registry()
    events = Journal(store, new_id, signals, schemas=EventSchemas(declared_in(registry)))
    runs = DurableRuns(
        store=store,
        clock=clock,
        new_id=new_id,
        events=events,
        secrets=MemorySecrets(),
        log=log,
        data=data,
        signals=signals,
        step_retries=step_retries,
    )
    return Platform(
        loaded=loaded,
        clock=clock,
        new_id=new_id,
        store=store,
        registry=registry,
        events=events,
        runs=runs,
        secrets=runs.secrets,
        artifacts=NoArtifacts(),
        log=log,
        permissions={"test.read": READ, "test.write": Grant(developer="own")},
        stopping=threading.Event(),
    )


def principal(name: str, *roles: str, owns: frozenset[str] = frozenset()) -> Principal:
    """The user `user:default/<name>`; a developer unless roles are given."""
    subject = f"user:default/{name}"
    return Principal(subject, roles=frozenset(roles or ("developer",)), ownership=owns | {subject})


def context(platform: Platform, who: Principal) -> OpContext:
    """A request of `who`."""
    return OpContext(platform, who, f"req-{platform.new_id()}")
