"""GitLab: projects, people and groups for the catalog, and files by URL. Actions are in `actions`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from taxiway.plugin import Later, Plugin, PluginContext
from taxiway.plugins.gitlab.actions import actions
from taxiway.plugins.gitlab.settings import GitLabSettings

if TYPE_CHECKING:
    from taxiway.plugins.gitlab.client import GitLabClients


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    @cache
    def clients() -> GitLabClients:
        from taxiway.plugins.gitlab.client import clients_of

        return clients_of(ctx)

    def repositories() -> Any:
        from taxiway.plugins.gitlab.repositories import GitLabSource

        return GitLabSource(ctx, clients())

    def people() -> Any:
        from taxiway.plugins.gitlab.people import GitLabOrgSource

        return GitLabOrgSource(clients())

    def urls() -> Any:
        from taxiway.plugins.gitlab.urls import GitLabUrls

        return GitLabUrls(clients(), [host.host for host in ctx.settings.hosts])

    def suggesting() -> Any:
        from taxiway.plugins.gitlab.suggesting import suggestions

        return suggestions(clients, [host.host for host in ctx.settings.hosts])

    return [
        ("entity_source", Later("gitlab", repositories)),
        ("entity_source", Later("gitlab-org", people)),
        ("url_reader", Later("gitlab", urls)),
        *actions(ctx, clients),
        ("autocompleter", Later("gitlab", suggesting)),
    ]


PLUGIN = Plugin(
    name="gitlab",
    version="1.0.0",
    contribute=contribute,
    settings=GitLabSettings,
    description="Projects, people and groups of GitLab, and actions on it",
)
