"""Resources that Terraform and OpenTofu manage, from their state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import Later, Plugin, PluginContext


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    def source() -> Any:
        from taxiway.plugins.terraform_state.source import TerraformSource

        return TerraformSource(ctx.secrets, ctx.clock)

    return [("entity_source", Later("terraform", source))]


PLUGIN = Plugin(
    name="terraform_state",
    version="1.0.0",
    contribute=contribute,
    description="Resources that Terraform and OpenTofu manage, in the catalog",
)
