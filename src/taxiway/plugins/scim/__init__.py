"""SCIM 2.0: identity providers push people and groups, and the catalog has them as users and groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import MountedRoutes, Plugin, PluginContext
from taxiway.plugins.scim.settings import ScimSettings


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    from taxiway.plugins.scim.announcing import Announcer
    from taxiway.plugins.scim.app import ScimApp
    from taxiway.plugins.scim.directory import Directory
    from taxiway.plugins.scim.source import ScimSource

    directory = Directory(ctx.records, ctx.clock, ctx.new_id, ctx.settings.most_resources)
    base = f"{ctx.public_url}/scim/v2"
    app = ScimApp(directory, base, Announcer(ctx.emit, ctx.clock).changed)
    return [
        ("mounted_routes", MountedRoutes("scim", "scim", app)),
        ("entity_source", ScimSource(directory, base)),
    ]


PLUGIN = Plugin(
    name="scim",
    version="1.0.0",
    contribute=contribute,
    settings=ScimSettings,
    description="People and groups that identity providers push by SCIM 2.0",
)
