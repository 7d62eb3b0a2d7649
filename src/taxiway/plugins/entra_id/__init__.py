"""People and groups of Entra ID (Azure Active Directory) through Microsoft Graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import Later, Plugin, PluginContext


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    def source() -> Any:
        from taxiway.plugins.entra_id.source import EntraSource

        return EntraSource(ctx.secrets, ctx.cache_dir)

    return [("entity_source", Later("entra", source))]


PLUGIN = Plugin(
    name="entra_id",
    version="1.0.0",
    contribute=contribute,
    description="People and groups of Entra ID in the catalog",
)
