"""The entities of a running Backstage, followed while both portals are in use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import Later, Plugin, PluginContext


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    def source() -> Any:
        from taxiway.plugins.backstage.source import BackstageSource

        return BackstageSource(ctx.secrets)

    return [("entity_source", Later("backstage", source))]


PLUGIN = Plugin(
    name="backstage",
    version="1.0.0",
    contribute=contribute,
    description="The entities of a running Backstage in the catalog",
)
