"""Operations of observability: the metrics of a service."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel

from taxiway.core.http.context import Ctx
from taxiway.core.operations import Operations
from taxiway.features.observability import service as observability

operations = Operations("observability")


class SeriesView(BaseModel):
    """One signal. Points are [microseconds UTC, value]; null where nothing was measured."""

    name: str
    unit: str
    points: list[tuple[int, float | None]]


class MetricsView(BaseModel):
    """The signals of a service; `reason` says why no requests are shown, and what to do."""

    series: list[SeriesView]
    reason: str | None


@operations.get("/api/observability/v1/metrics", "observability.read", response=MetricsView)
def get_metrics(
    ctx: Ctx,
    service: Annotated[str, Query(max_length=200, description="reference of the service")],
    environment: Annotated[str, Query(max_length=100, description="name of the environment")],
    seconds: Annotated[int, Query(ge=60, le=86_400, description="how far back")] = 3600,
) -> MetricsView:
    """Rate, errors, latency, CPU and memory of a service in an environment.

    At most 240 points each, from the metric source that knows the service.
    """
    series, reason = observability.get_metrics(ctx, service, environment, seconds)
    views = [SeriesView(name=one.name, unit=one.unit, points=list(one.points)) for one in series]
    return MetricsView(series=views, reason=reason)
