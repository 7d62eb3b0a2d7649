"""The laptop's destination: workloads as supervised local processes behind a small HTTP router."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import Plugin, PluginContext
from taxiway.plugins.process.settings import ProcessSettings


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    from taxiway.plugins.process.destination import ProcessDestination
    from taxiway.plugins.process.keeper import Keeper
    from taxiway.plugins.process.mounts import VolumeDriver

    keeper = Keeper(ctx)
    return [
        ("destination", ProcessDestination(keeper)),
        ("resource_driver", VolumeDriver(ctx, keeper.places.volumes)),
        ("background_service", keeper),
        ("host_engine", keeper),
    ]


PLUGIN = Plugin(
    name="process",
    version="1.0.0",
    contribute=contribute,
    settings=ProcessSettings,
    description="Workloads as processes of this machine, behind a router",
    runs_repository_code=True,
)
