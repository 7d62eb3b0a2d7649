"""People and groups of Entra ID (Azure Active Directory) through Microsoft Graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import Plugin, PluginContext


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    from taxiway.plugins.entra_id.source import EntraSource

    return [("entity_source", EntraSource(ctx.secrets, ctx.cache_dir))]


PLUGIN = Plugin(
    name="entra_id",
    version="1.0.0",
    contribute=contribute,
    description="People and groups of Entra ID in the catalog",
)
