"""Azure DevOps: repositories for the catalog, and files by URL."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from taxiway.plugin import Later, Plugin, PluginContext
from taxiway.plugins.azure.settings import AzureSettings

if TYPE_CHECKING:
    from taxiway.plugins.azure.client import AzureClients


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    @cache
    def clients() -> AzureClients:
        from taxiway.plugins.azure.client import clients_of

        return clients_of(ctx)

    def repositories() -> Any:
        from taxiway.plugins.azure.repositories import AzureSource

        return AzureSource(ctx, clients())

    def urls() -> Any:
        from taxiway.plugins.azure.urls import AzureUrls

        return AzureUrls(clients(), [host.host for host in ctx.settings.hosts])

    def publish() -> Any:
        from taxiway.plugins.azure.actions import publish_azure

        return publish_azure(ctx, clients())

    def suggesting() -> Any:
        from taxiway.plugins.azure.suggesting import suggestions

        return suggestions(clients, [host.host for host in ctx.settings.hosts])

    return [
        ("entity_source", Later("azure", repositories)),
        ("url_reader", Later("azure", urls)),
        ("action", Later("publish:azure", publish)),
        ("autocompleter", Later("azure", suggesting)),
    ]


PLUGIN = Plugin(
    name="azure",
    version="1.0.0",
    contribute=contribute,
    settings=AzureSettings,
    description="Repositories of Azure DevOps, and the action that makes them",
)
