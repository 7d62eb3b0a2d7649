"""Bitbucket Cloud and Data Center: the descriptors in their repositories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import Later, Plugin, PluginContext


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    def source() -> Any:
        from taxiway.plugins.bitbucket.source import BitbucketSource

        return BitbucketSource(ctx.secrets)

    return [("entity_source", Later("bitbucket", source))]


PLUGIN = Plugin(
    name="bitbucket",
    version="1.0.0",
    contribute=contribute,
    description="Descriptors in repositories of Bitbucket",
)
