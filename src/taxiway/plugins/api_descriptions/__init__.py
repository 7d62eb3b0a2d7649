"""APIs in the catalog from the descriptions that running services serve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import Later, Plugin, PluginContext


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    def source() -> Any:
        from taxiway.plugins.api_descriptions.source import ApiSource

        return ApiSource(ctx.secrets)

    return [("entity_source", Later("api-descriptions", source))]


PLUGIN = Plugin(
    name="api_descriptions",
    version="1.0.0",
    contribute=contribute,
    description="API descriptions that running services serve, in the catalog",
)
