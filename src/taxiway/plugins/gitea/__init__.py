"""Gitea and Forgejo: repositories for the catalog, and files by URL. Actions are in `actions`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from taxiway.plugin import Later, Plugin, PluginContext
from taxiway.plugins.gitea.settings import GiteaSettings

if TYPE_CHECKING:
    from taxiway.plugins.gitea.client import GiteaClients


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    @cache
    def clients() -> GiteaClients:
        from taxiway.plugins.gitea.client import clients_of

        return clients_of(ctx)

    def repositories() -> Any:
        from taxiway.plugins.gitea.repositories import GiteaSource

        return GiteaSource(ctx, clients())

    def urls() -> Any:
        from taxiway.plugins.gitea.urls import GiteaUrls

        return GiteaUrls(clients(), [host.host for host in ctx.settings.hosts])

    def publish() -> Any:
        from taxiway.plugins.gitea.actions import publish_gitea

        return publish_gitea(ctx, clients())

    def suggesting() -> Any:
        from taxiway.plugins.gitea.suggesting import suggestions

        return suggestions(clients, [host.host for host in ctx.settings.hosts])

    return [
        ("entity_source", Later("gitea", repositories)),
        ("url_reader", Later("gitea", urls)),
        ("action", Later("publish:gitea", publish)),
        ("autocompleter", Later("gitea", suggesting)),
    ]


PLUGIN = Plugin(
    name="gitea",
    version="1.0.0",
    contribute=contribute,
    settings=GiteaSettings,
    description="Repositories of Gitea and Forgejo, and the action that makes them",
)
