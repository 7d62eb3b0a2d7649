"""GitLab: projects, people and groups for the catalog, and files by URL. Actions are in `actions`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import Plugin, PluginContext
from taxiway.plugins.gitlab.settings import GitLabSettings


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    from taxiway.plugins.gitlab.client import GitLabClients
    from taxiway.plugins.gitlab.people import GitLabOrgSource
    from taxiway.plugins.gitlab.repositories import GitLabSource
    from taxiway.plugins.gitlab.urls import GitLabUrls

    clients = GitLabClients(ctx)
    return [
        ("entity_source", GitLabSource(ctx, clients)),
        ("entity_source", GitLabOrgSource(clients)),
        ("url_reader", GitLabUrls(clients, [host.host for host in ctx.settings.hosts])),
    ]


PLUGIN = Plugin(
    name="gitlab",
    version="1.0.0",
    contribute=contribute,
    settings=GitLabSettings,
    description="Projects, people and groups of GitLab",
)
