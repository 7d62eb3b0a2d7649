"""Bitbucket Cloud and Bitbucket Data Center: repositories for the catalog, and files by URL."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from taxiway.plugin import Later, Plugin, PluginContext
from taxiway.plugins.bitbucket.actions import actions
from taxiway.plugins.bitbucket.settings import BitbucketSettings

if TYPE_CHECKING:
    from taxiway.plugins.bitbucket.client import BitbucketClients


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    @cache
    def clients() -> BitbucketClients:
        from taxiway.plugins.bitbucket.client import clients_of

        return clients_of(ctx)

    def repositories() -> Any:
        from taxiway.plugins.bitbucket.repositories import BitbucketSource

        return BitbucketSource(ctx, clients())

    def urls() -> Any:
        from taxiway.plugins.bitbucket.urls import BitbucketUrls

        return BitbucketUrls(clients(), [host.host for host in ctx.settings.hosts])

    def suggesting() -> Any:
        from taxiway.plugins.bitbucket.suggesting import suggestions

        return suggestions(clients, [host.host for host in ctx.settings.hosts if host.is_cloud])

    return [
        ("entity_source", Later("bitbucket", repositories)),
        ("url_reader", Later("bitbucket", urls)),
        *actions(ctx, clients),
        ("autocompleter", Later("bitbucket-cloud", suggesting)),
    ]


PLUGIN = Plugin(
    name="bitbucket",
    version="1.0.0",
    contribute=contribute,
    settings=BitbucketSettings,
    description="Repositories of Bitbucket Cloud and Bitbucket Data Center",
)
