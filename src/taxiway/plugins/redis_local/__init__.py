"""Redis of a single machine: one small server per resource, with a password and a folder of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import Plugin, PluginContext
from taxiway.plugins.redis_local.settings import RedisLocalSettings


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    from taxiway.plugins.redis_local.driver import KeepRunning, RedisDriver

    driver = RedisDriver(ctx)
    return [("resource_driver", driver), ("host_engine", driver), ("background_service", KeepRunning(driver))]


PLUGIN = Plugin(
    name="redis_local",
    version="1.0.0",
    contribute=contribute,
    settings=RedisLocalSettings,
    description="Redis servers on this machine",
)
