"""Metrics of the last 24 hours on this machine: rate, errors, latency, CPU and memory of every service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import Plugin, PluginContext


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    from taxiway.plugins.metrics_local.source import LocalMetrics

    return [("metric_source", LocalMetrics(ctx.data_dir / "metrics.db", ctx.clock))]


PLUGIN = Plugin(
    name="metrics_local",
    version="1.0.0",
    contribute=contribute,
    description="Metrics of services for 24 hours on this machine",
)
