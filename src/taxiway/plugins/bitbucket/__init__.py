"""Bitbucket Cloud and Data Center: the descriptors in their repositories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import Plugin, PluginContext


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    from taxiway.plugins.bitbucket.source import BitbucketSource

    return [("entity_source", BitbucketSource(ctx.secrets))]


PLUGIN = Plugin(
    name="bitbucket",
    version="1.0.0",
    contribute=contribute,
    description="Descriptors in repositories of Bitbucket",
)
