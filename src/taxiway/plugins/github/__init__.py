"""GitHub: repositories, people and teams for the catalog, files by URL, and actions of golden paths."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from taxiway.plugin import Later, Plugin, PluginContext
from taxiway.plugins.github.actions import actions
from taxiway.plugins.github.settings import GitHubSettings

if TYPE_CHECKING:
    from taxiway.plugins.github.client import GitHubClients


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    @cache
    def clients() -> GitHubClients:
        from taxiway.plugins.github.client import clients_of

        return clients_of(ctx)

    def repositories() -> Any:
        from taxiway.plugins.github.repositories import GitHubSource

        return GitHubSource(ctx, clients())

    def people() -> Any:
        from taxiway.plugins.github.people import GitHubOrgSource

        return GitHubOrgSource(clients())

    def urls() -> Any:
        from taxiway.plugins.github.urls import GitHubUrls

        return GitHubUrls(clients(), [host.host for host in ctx.settings.hosts])

    def suggesting() -> Any:
        from taxiway.plugins.github.suggesting import suggestions

        return suggestions(clients, [host.host for host in ctx.settings.hosts])

    return [
        ("entity_source", Later("github", repositories)),
        ("entity_source", Later("github-org", people)),
        ("url_reader", Later("github", urls)),
        *actions(ctx, clients),
        ("autocompleter", Later("github", suggesting)),
    ]


PLUGIN = Plugin(
    name="github",
    version="1.0.0",
    contribute=contribute,
    settings=GitHubSettings,
    description="Repositories, people and teams of GitHub, and actions on it",
)
