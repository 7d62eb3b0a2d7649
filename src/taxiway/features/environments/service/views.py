"""What the portal shows: the matrix, deployments, workloads and their logs, resources, explanations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.core.cursors import position_of
from taxiway.features.environments import repository
from taxiway.features.environments.model import Environment, service_key
from taxiway.features.environments.score import parse_score
from taxiway.features.environments.service.catalogue import get_environment, list_environments
from taxiway.features.infrastructure import entities
from taxiway.features.infrastructure import service as infrastructure
from taxiway.kit.paging import Page, page_of
from taxiway.model.entity import parse_ref
from taxiway.model.errors import NotFoundError, TaxiwayError
from taxiway.model.workload import LogLine, WorkloadStatus
from taxiway.plugin import Destination

READ = "environments.read"
Row = Mapping[str, Any]


def full_ref(text: str | None) -> str | None:
    """A service's full reference from what a caller wrote."""
    return str(parse_ref(text, default_kind="component")) if text else None


def environment_view(environment: Environment) -> dict[str, Any]:
    """An environment as the API shows it."""
    return {
        "name": environment.name,
        "title": environment.title,
        "type": environment.type,
        "destination": environment.destination,
        "production": environment.is_production,
        "rank": environment.rank,
        "auto_deploy": environment.auto_deploy,
        "repository": environment.repository,
    }


def matrix(ctx: OpContext) -> dict[str, Any]:
    """Every deployed service by environment: what is live, else what is under way or failed there."""
    environments = list_environments(ctx.platform)
    with ctx.platform.store.read() as conn:
        rows = repository.current(conn, ctx.scope(READ))
    services: dict[str, dict[str, Any]] = {}
    for row in rows:
        cells = services.setdefault(row["service_ref"], {"owner": row["owner"], "cells": {}})["cells"]
        there = cells.get(row["environment"])
        if there is None or (row["state"] == "live" and there["state"] != "live"):
            cell = deployment_view(row)
            # Newest first: what came before the live one in this list is newer than it.
            cell["latest_state"] = there["latest_state"] if there else row["state"]
            cells[row["environment"]] = cell
    items = [
        {"ref": ref, "title": _title(ctx.platform, ref), "owner": value["owner"], "cells": value["cells"]}
        for ref, value in sorted(services.items())
    ]
    return {"environments": [environment_view(e) for e in environments], "services": items}


def deployment_view(row: Row) -> dict[str, Any]:
    """A deployment as the API shows it. Health is the measured one for what is live, the recorded one otherwise."""
    is_measured = row["status_deployment_id"] == row["id"] and row["state"] in ("live", "queued", "failed")
    return {
        "id": row["id"],
        "deployment_id": row["id"],
        "service_ref": row["service_ref"],
        "environment": row["environment"],
        "release_id": row["release_id"],
        "previous_release_id": row["previous_release_id"],
        "version": row["release_version"],
        "commit": row["release_commit"],
        "action": row["action"],
        "state": row["state"],
        "health": row["status_health"] if is_measured else row["health"],
        "sync": row["status_sync"] if is_measured else None,
        "message": row["status_message"] if is_measured else "",
        "url": (row["status_url"] if is_measured else None) or row["url"],
        "created_at": row["created_at"],
        "deployed_at": row["deployed_at"],
        "run_id": row["run_id"],
    }


def deployments(
    ctx: OpContext, service: str | None, environment: str | None, cursor: str | None, limit: int
) -> Page[dict[str, Any]]:
    """Newest first."""
    with ctx.platform.store.read() as conn:
        rows = repository.deployments(
            conn, ctx.scope(READ), full_ref(service), environment, position_of(cursor, str), limit + 1
        )
    page = page_of(rows, limit, lambda row: [row["id"]])
    return Page([deployment_view(row) for row in page.items], page.next_cursor)


def releases(ctx: OpContext, service: str | None, cursor: str | None, limit: int) -> Page[dict[str, Any]]:
    """Newest first."""
    with ctx.platform.store.read() as conn:
        rows = repository.releases(conn, ctx.scope(READ), full_ref(service), position_of(cursor, int, str), limit + 1)
    page = page_of(rows, limit, lambda row: [row["created_at"], row["id"]])
    columns = ("id", "service_ref", "commit", "version", "digest", "score_hash", "repository", "created_at")
    return Page([{name: row[name] for name in columns} for row in page.items], page.next_cursor)


def workloads(ctx: OpContext, service: str | None, environment: str | None) -> list[tuple[str, WorkloadStatus]]:
    """(destination, workload) of every destination that has some."""
    key = service_key(parse_ref(service, default_kind="component")) if service else None
    destinations: list[Destination] = ctx.platform.registry.all("destination")
    found = []
    for destination in destinations:
        for item in destination.workloads(environment, key):
            if (key is None or item.service == key) and environment in (None, item.environment):
                found.append((destination.key, item))
    return sorted(found, key=lambda pair: (pair[1].environment, pair[1].service, pair[1].name, pair[1].id))


def workload_logs(ctx: OpContext, workload_id: str, after: int, limit: int) -> Sequence[LogLine]:
    """Lines behind `after` of a workload, from the destination that has it. NotFoundError when none has."""
    destinations: list[Destination] = ctx.platform.registry.all("destination")
    for destination in destinations:
        if any(item.id == workload_id for item in destination.workloads()):
            return destination.logs(workload_id, after, limit)
    raise NotFoundError(f"there is no workload {workload_id}: list them to see its id", code="environments.no_workload")


def resources(
    ctx: OpContext, service: str | None, environment: str | None, cursor: str | None, limit: int
) -> Page[dict[str, Any]]:
    """Resources, secrets masked."""
    return infrastructure.list_resources(ctx, ctx.scope(READ), full_ref(service), environment, cursor, limit)


def explain(ctx: OpContext, service: str, environment: str, resource: str) -> dict[str, Any]:
    """Why a resource of the service's newest release gets its recipe there: all candidates, best first."""
    ref, place = str(full_ref(service)), get_environment(ctx.platform, environment)
    with ctx.platform.store.read() as conn:
        rows = repository.releases(conn, ctx.scope(READ), ref, [], 1)
    if not rows:
        raise NotFoundError(f"{ref} has no release yet: push a commit whose pipeline makes one")
    workload = parse_score(rows[0]["score"])
    spec = next((r for r in workload.resources if r.name == resource), None)
    if spec is None:
        names = ", ".join(r.name for r in workload.resources) or "none"
        raise NotFoundError(f"{ref} declares no resource '{resource}' (there are: {names})")
    facts = {"class": spec.resource_class, "id": spec.id, "environment": place.name, "environmentType": place.type}
    ranked = infrastructure.explain(ctx.platform, spec.type, facts)
    best = [c for c in ranked if c.matches]
    is_tie = len(best) > 1 and best[0].specificity == best[1].specificity
    return {
        "resource": resource,
        "type": spec.type,
        "key": spec.key,
        "chosen": best[0].recipe.ref if best and not is_tie else None,
        "reason": "a tie: make one recipe more specific" if is_tie else best[0].reason if best else "no recipe matches",
        "candidates": [
            {
                "recipe": c.recipe.ref,
                "driver": c.recipe.driver,
                "matches": c.matches,
                "specificity": c.specificity,
                "reason": c.reason,
            }
            for c in ranked
        ],
    }


def _title(platform: Platform, ref: str) -> str:
    try:
        metadata = (entities.get_entity(platform, ref) or {}).get("metadata") or {}
    except TaxiwayError:
        metadata = {}
    return str(metadata.get("title") or metadata.get("name") or parse_ref(ref).name)
