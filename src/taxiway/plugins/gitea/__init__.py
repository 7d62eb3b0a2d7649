"""Gitea and Forgejo: repositories for the catalog, and files by URL. Actions are in `actions`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import Plugin, PluginContext
from taxiway.plugins.gitea.settings import GiteaSettings


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    from taxiway.plugins.gitea.client import GiteaClients
    from taxiway.plugins.gitea.repositories import GiteaSource
    from taxiway.plugins.gitea.urls import GiteaUrls

    clients = GiteaClients(ctx)
    return [
        ("entity_source", GiteaSource(ctx, clients)),
        ("url_reader", GiteaUrls(clients, [host.host for host in ctx.settings.hosts])),
    ]


PLUGIN = Plugin(
    name="gitea",
    version="1.0.0",
    contribute=contribute,
    settings=GiteaSettings,
    description="Repositories of Gitea and Forgejo",
)
