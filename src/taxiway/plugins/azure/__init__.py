"""Azure DevOps: the descriptors in its repositories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import Plugin, PluginContext


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    from taxiway.plugins.azure.source import AzureSource

    return [("entity_source", AzureSource(ctx.secrets))]


PLUGIN = Plugin(
    name="azure",
    version="1.0.0",
    contribute=contribute,
    description="Descriptors in repositories of Azure DevOps",
)
