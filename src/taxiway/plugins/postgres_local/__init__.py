"""PostgreSQL of a single machine: one server per installation, one database and role per resource."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import Plugin, PluginContext
from taxiway.plugins.postgres_local.settings import PostgresLocalSettings


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    from taxiway.plugins.postgres_local.driver import KeepRunning, PostgresDriver
    from taxiway.plugins.postgres_local.server import Server

    server = Server(ctx)
    driver = PostgresDriver(ctx, server)
    return [("resource_driver", driver), ("host_engine", driver), ("background_service", KeepRunning(server))]


PLUGIN = Plugin(
    name="postgres_local",
    version="1.0.0",
    contribute=contribute,
    settings=PostgresLocalSettings,
    description="PostgreSQL databases on this machine",
)
