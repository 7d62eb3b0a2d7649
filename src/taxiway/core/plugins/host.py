"""Builds the `PluginContext` of one plugin: folders, records, secrets, identities, events and runs in its name."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from taxiway.core.context import Platform
from taxiway.core.plugins.records import StoredRecords
from taxiway.core.settings import EngineSettings, Settings
from taxiway.model.access import Principal, system_principal
from taxiway.model.errors import InputError
from taxiway.model.event import EventDraft
from taxiway.model.run import RunSpec
from taxiway.plugin import Identity, PluginContext

PURPOSES = ("pipelines", "workloads", "databases", "templates", "commands")


def identity_for(engines: EngineSettings, *, is_root: bool) -> Callable[[str], Identity]:
    """The function that says which user code of a purpose runs as: only root can change users."""
    uids = {
        "pipelines": engines.pipeline_uid,
        "workloads": engines.workload_uid,
        "databases": engines.database_uid,
        "templates": engines.template_uid,
        "commands": engines.command_uid,
    }

    def identity(purpose: str) -> Identity:
        if purpose not in uids:
            raise InputError(
                f"there is no user for '{purpose}': use one of {', '.join(PURPOSES)}", code="plugin.identity"
            )
        return Identity(uids[purpose], uids[purpose]) if is_root else Identity(None, None)

    return identity


def public_url_of(settings: Settings) -> str:
    """Where users reach the portal."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return (settings.public_url or f"http://{host}:{settings.port}").rstrip("/")


def plugin_context(platform: Platform, name: str, settings: Any, log: Any) -> PluginContext:
    """The services of the host for the plugin `name`."""
    principal = Principal(
        f"system:plugin-{name}", roles=system_principal(name).roles, display_name=name, via=f"plugin:{name}"
    )
    data = platform.settings.data.resolve()

    def emit(draft: EventDraft) -> None:
        platform.store.write(lambda tx: platform.events.append(tx, principal, draft))

    def start_run(spec: RunSpec) -> str:
        return platform.store.write(lambda tx: platform.runs.start(tx, principal, spec))

    return PluginContext(
        name=name,
        settings=settings,
        data_dir=_folder(data / "plugins" / name, 0o700),
        run_dir=_folder(data / "run" / name, 0o711),
        cache_dir=_folder(data / "cache" / name, 0o711),
        public_url=public_url_of(platform.settings),
        clock=platform.clock,
        new_id=platform.new_id,
        log=log,
        records=StoredRecords(platform.store, name),
        secrets=platform.secrets,
        artifacts=platform.artifacts,
        emit=emit,
        start_run=start_run,
        identity=identity_for(platform.settings.engines, is_root=hasattr(os, "geteuid") and os.geteuid() == 0),
        stopping=platform.stopping,
    )


def _folder(path: Path, mode: int) -> Path:
    """The folder, made with `mode` when it is not there. Later its mode is the plugin's own business: servers that run
    on it, perhaps started by another process, may need what the plugin gave them."""
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
    return path
