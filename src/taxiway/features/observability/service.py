"""The golden signals of a service in an environment, and why there are none when there are none."""

from __future__ import annotations

from collections.abc import Sequence

from taxiway.core.context import OpContext, Platform
from taxiway.features.environments.service import get_environment, service_entity
from taxiway.features.observability.exposition import ScrapeError, scrape
from taxiway.features.observability.targets import Pages, workloads
from taxiway.plugin import MetricSource, Series

RATE = "rate"


def get_metrics(ctx: OpContext, service: str, environment: str, seconds: int) -> tuple[Sequence[Series], str | None]:
    """(series, reason). The reason is None when requests were measured; else it says what to do about it."""
    entity = service_entity(ctx.platform, service)
    ctx.authorize("observability.read", entity.owner)
    where = get_environment(ctx.platform, environment).name
    sources = ctx.platform.registry.all("metric_source", MetricSource)
    series: Sequence[Series] = ()
    for source in sources:
        series = source.query(where, entity.key, seconds)
        if any(value is not None for one in series for _, value in one.points):
            break
    if any(value is not None for one in series if one.name == RATE for _, value in one.points):
        return series, None
    if not sources:
        return series, "no metric source is installed: enable the plugin metrics_local"
    return series, why_nothing(ctx.platform, entity.key, where)


def why_nothing(platform: Platform, service: str, environment: str) -> str:
    """Why no requests were measured, found out by looking at the service now."""
    there = list(workloads(platform, environment, service))
    if not there:
        return f"{service} is not deployed in {environment}: deploy it there first"
    ready = [workload for workload in there if workload.ready]
    if not ready:
        said = next((f": {workload.message}" for workload in there if workload.message), "")
        return f"{service} is not ready in {environment}{said}"
    port = ready[0].port
    path = Pages(platform).of(ready[0]).path
    if port is None:
        return f"{service} has no service port: add service.ports to its Score file"
    if path is None:
        return f'the Score file of {service} says prometheus.io/scrape: "false"'
    try:
        samples = scrape(port, path)
    except ScrapeError as error:
        return str(error)
    if not samples:
        return (
            f"{path} of {service} has no HTTP metrics: count requests in http_requests_total and time them in "
            "http_request_duration_seconds"
        )
    return "the first measurements appear within 15 seconds after the service became ready"
