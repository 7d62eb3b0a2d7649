"""The built-in forge: bare repositories behind smart HTTP, with the ordinary git program as server and client."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from taxiway.plugin import MountedRoutes, Plugin, PluginContext
from taxiway.plugins.git_local.settings import GitLocalSettings


class CatchUp:
    """Once after a start: announces pushes that a crash kept from being announced."""

    key = "git_local_catch_up"
    exclusive = True

    def __init__(self, forge: Any) -> None:
        self._forge = forge

    def run(self, ctx: PluginContext, stop: threading.Event) -> None:
        self._forge.announce_all()
        stop.wait()


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    from taxiway.plugins.git_local.forge import LocalForge
    from taxiway.plugins.git_local.pulls import LocalPulls
    from taxiway.plugins.git_local.serve import GitApp

    forge = LocalForge(ctx, ctx.settings.max_push_bytes)
    return [
        ("forge", forge),
        ("pull_host", LocalPulls(forge)),
        ("mounted_routes", MountedRoutes("git", "git", GitApp(forge, ctx.settings, ctx), basic=True)),
        ("background_service", CatchUp(forge)),
    ]


PLUGIN = Plugin(
    name="git_local",
    version="1.0.0",
    contribute=contribute,
    settings=GitLocalSettings,
    description="Built-in git server",
)
