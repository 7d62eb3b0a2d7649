"""The laptop's destination: workloads as supervised local processes behind a small HTTP router."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import Plugin, PluginContext
from taxiway.plugins.process.settings import ProcessSettings


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    from taxiway.plugins.process.destination import ProcessDestination
    from taxiway.plugins.process.job_keeper import JobKeeper
    from taxiway.plugins.process.job_runner import ProcessJobs
    from taxiway.plugins.process.keeper import Keeper
    from taxiway.plugins.process.mounts import VolumeDriver

    keeper = Keeper(ctx)
    job_keeper = JobKeeper(ctx, keeper.places)
    runner = ProcessJobs(job_keeper)
    return [
        ("destination", ProcessDestination(keeper, job_keeper, runner)),
        ("job_runner", runner),
        ("resource_driver", VolumeDriver(ctx, keeper.places.volumes)),
        ("background_service", keeper),
        ("background_service", job_keeper),
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
