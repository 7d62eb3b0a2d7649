"""Azure DevOps: the descriptors in its repositories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import Later, Plugin, PluginContext


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    def source() -> Any:
        from taxiway.plugins.azure.source import AzureSource

        return AzureSource(ctx.secrets)

    return [("entity_source", Later("azure", source))]


PLUGIN = Plugin(
    name="azure",
    version="1.0.0",
    contribute=contribute,
    description="Descriptors in repositories of Azure DevOps",
)
