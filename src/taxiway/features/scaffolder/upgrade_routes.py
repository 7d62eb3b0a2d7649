"""Upgrades over HTTP: services of golden paths, and what brings them to a new version."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import Query
from pydantic import BaseModel, Field

from taxiway.core.http.context import Ctx
from taxiway.core.operations import Operations
from taxiway.features.scaffolder import paths, upgrade_fleet, upgrades
from taxiway.features.scaffolder.routes import TaskRef, scaffolder_of

operations = Operations("scaffolder")
V1 = "/api/scaffolder/v1"
State = Literal["current", "behind", "proposed", "declined", "unknown"]


class UpgradeStart(BaseModel):
    """A service to upgrade, with answers to questions that are new or to be answered anew."""

    subject: str
    answers: dict[str, Any] = Field(default_factory=dict)


class ServiceRef(BaseModel):
    """A service that a golden path made, by the reference of its entity."""

    subject: str


class FleetStart(BaseModel):
    """All services of a golden path that lag behind, or some of them. `canary`: how many go first, and must succeed
    before any other; `pace`: how many at once; `stop_after_failures`: how many may fail until no more is begun;
    `answers`: to questions that are new, for all of them."""

    template_ref: str
    canary: int = Field(1, ge=0, le=100)
    pace: int = Field(5, ge=1, le=50)
    stop_after_failures: int = Field(1, ge=1, le=1000)
    subjects: list[str] = Field(default_factory=list, max_length=upgrade_fleet.MOST_SERVICES)
    answers: dict[str, Any] = Field(default_factory=dict)


@operations.get(V1 + "/golden-paths", "scaffolder.read")
def list_golden_paths(ctx: Ctx) -> dict[str, Any]:
    """Every golden path in figures of the last 90 days: tasks, success rate, lead time, time to the first deployment,
    services and how many lag behind, its deprecation; and the share of services that are on one."""
    return paths.list_paths(ctx, scaffolder_of(ctx))


@operations.get(V1 + "/services", "scaffolder.read")
def list_services(
    ctx: Ctx,
    state: State | None = None,
    template: str | None = None,
    subject: str | None = None,
    limit: int = Query(50, ge=1, le=200),
    cursor: str | None = None,
) -> dict[str, Any]:
    """Services that golden paths made: version, newest version, and which of them lag behind."""
    page = upgrades.list_services(
        ctx, scaffolder_of(ctx), limit, cursor, state=state, template=template, subject=subject
    )
    return {"items": list(page.items), "next_cursor": page.next_cursor}


@operations.post(V1 + "/upgrades/plan", "scaffolder.plan", effect="read")
def plan_upgrade(ctx: Ctx, body: UpgradeStart) -> dict[str, Any]:
    """What an upgrade of a service would change: files, conflicts, and questions to answer first. Nothing is kept."""
    return upgrades.plan_upgrade(ctx, scaffolder_of(ctx), body.subject, body.answers)


@operations.post(V1 + "/upgrades", "scaffolder.task.create", status=202)
def start_upgrade(ctx: Ctx, body: UpgradeStart) -> TaskRef:
    """Propose the newest version of its golden path to a service: a run that merges it and opens a pull request."""
    service = upgrades.get_service(ctx, body.subject)
    aim = upgrades.aim_of(scaffolder_of(ctx), service.template_ref)
    return TaskRef(id=upgrades.start_upgrade(ctx, service, aim, body.answers))


@operations.post(V1 + "/fleet-upgrades", "scaffolder.task.create", status=202)
def start_fleet_upgrade(ctx: Ctx, body: FleetStart) -> TaskRef:
    """Propose the newest version of a golden path to all services that lag behind: a run with a child per service."""
    order = upgrade_fleet.FleetOrder(**body.model_dump())
    return TaskRef(id=upgrade_fleet.start_fleet(ctx, scaffolder_of(ctx), order))


@operations.post(V1 + "/services/decline", "pulls.write")
def decline_upgrade(ctx: Ctx, body: ServiceRef) -> dict[str, Any]:
    """Decline the newest version for a service, until there is another."""
    return upgrades.decline(ctx, scaffolder_of(ctx), body.subject)
