"""Kubernetes clusters in the catalog: the cluster, its namespaces, and the workloads that components run as."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import Later, Plugin, PluginContext


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    def source() -> Any:
        from taxiway.plugins.kubernetes_catalog.source import KubernetesSource

        return KubernetesSource(ctx.secrets)

    return [("entity_source", Later("kubernetes", source))]


PLUGIN = Plugin(
    name="kubernetes_catalog",
    version="1.0.0",
    contribute=contribute,
    description="Clusters, namespaces and workloads of Kubernetes in the catalog",
)
