"""GitHub: repositories, people and teams for the catalog, and files by URL. Actions are in `actions`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import Plugin, PluginContext
from taxiway.plugins.github.settings import GitHubSettings


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    from taxiway.plugins.github.client import GitHubClients
    from taxiway.plugins.github.people import GitHubOrgSource
    from taxiway.plugins.github.repositories import GitHubSource
    from taxiway.plugins.github.urls import GitHubUrls

    clients = GitHubClients(ctx)
    return [
        ("entity_source", GitHubSource(ctx, clients)),
        ("entity_source", GitHubOrgSource(clients)),
        ("url_reader", GitHubUrls(clients, [host.host for host in ctx.settings.hosts])),
    ]


PLUGIN = Plugin(
    name="github",
    version="1.0.0",
    contribute=contribute,
    settings=GitHubSettings,
    description="Repositories, people and teams of GitHub",
)
