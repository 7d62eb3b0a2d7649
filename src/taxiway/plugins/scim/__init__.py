"""SCIM 2.0: identity providers push people and groups, and the catalog has them as users and groups."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from taxiway.plugin import Later, MountedRoutes, Plugin, PluginContext
from taxiway.plugins.scim.settings import ScimSettings

if TYPE_CHECKING:
    from taxiway.plugins.scim.app import ScimApp
    from taxiway.plugins.scim.directory import Directory


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    base = f"{ctx.public_url}/scim/v2"

    @cache
    def directory() -> Directory:
        from taxiway.plugins.scim.directory import Directory

        return Directory(ctx.records, ctx.clock, ctx.new_id, ctx.settings.most_resources)

    @cache
    def app() -> ScimApp:
        from taxiway.plugins.scim.announcing import Announcer
        from taxiway.plugins.scim.app import ScimApp

        return ScimApp(directory(), base, Announcer(ctx.emit, ctx.clock).changed)

    async def serve(scope: dict[str, Any], receive: Any, send: Any) -> None:
        # Loaded by the first push: most installations never get one.
        await app()(scope, receive, send)

    def source() -> Any:
        from taxiway.plugins.scim.source import ScimSource

        return ScimSource(directory(), base)

    return [("mounted_routes", MountedRoutes("scim", "scim", serve)), ("entity_source", Later("scim", source))]


PLUGIN = Plugin(
    name="scim",
    version="1.0.0",
    contribute=contribute,
    settings=ScimSettings,
    description="People and groups that identity providers push by SCIM 2.0",
)
