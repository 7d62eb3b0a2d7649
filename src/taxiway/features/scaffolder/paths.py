"""Golden paths in figures: how often they are used and succeed, how long they take, and which services are on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from taxiway.core.context import OpContext
from taxiway.features.catalog import service as catalog
from taxiway.features.environments.service import first_deployments
from taxiway.features.scaffolder import repository
from taxiway.features.scaffolder.deprecation import deprecation_of, deprecation_problems
from taxiway.features.scaffolder.model import Reached, Task
from taxiway.features.scaffolder.service import Scaffolder
from taxiway.features.scaffolder.upgrades import newest_of, view
from taxiway.features.scaffolder.wizards import WINDOW_SECONDS, figures, idle_before
from taxiway.kit.clock import MICROSECONDS
from taxiway.model.entity import ref_of

MOST_TASKS, MOST_SERVICES = 10_000, 10_000
PAGE = 200
BEHIND = frozenset({"behind", "proposed"})
"""States of services that lag behind: one that declined the newest version does not."""
SERVICE_TYPES = frozenset({"service", "website"})
"""Types of components that a golden path could have made; libraries and the like count for no coverage."""


def list_paths(ctx: OpContext, scaffolder: Scaffolder) -> dict[str, Any]:
    """Every golden path with its figures, and how many services are on one.

    Figures are of the tasks that began in the last 90 days, the newest 10,000 at most, which the caller may see. Costs
    a read of these tasks and of the services (10,000 at most), and a snapshot of each template that has services.
    """
    since = ctx.platform.clock.now() - WINDOW_SECONDS * MICROSECONDS
    templates = {str(ref_of(item)): item for item in catalog.list_entities(ctx.platform, kind="template")}
    with ctx.platform.store.read() as conn:
        tasks = repository.recent_tasks(conn, ctx.scope("runs.read"), since, MOST_TASKS)
        opened = repository.count_wizards(conn, since, idle_before(ctx))
    runs: dict[str, list[Task]] = {}
    for task in tasks:
        runs.setdefault(task.template_ref, []).append(task)
    wizards: dict[str, list[Reached]] = {}
    for one in opened:
        wizards.setdefault(one.template_ref, []).append(one)
    found = _services(ctx)
    newest = {ref: newest_of(scaffolder, ref) for ref in {service.template_ref for service in found}}
    services: dict[str, list[dict[str, Any]]] = {}
    for service in found:
        services.setdefault(service.template_ref, []).append(view(service, newest[service.template_ref]))
    now = ctx.platform.clock.now()
    items = []
    for ref in sorted({*templates, *services}):
        there = services.get(ref, [])
        spec = (templates.get(ref) or {}).get("spec") or {}
        known = deprecation_of(spec) if not deprecation_problems(spec) else None
        items.append(
            {
                "template": ref,
                "title": _title(templates.get(ref), ref),
                "owner": spec.get("owner"),
                "is_gone": ref not in templates,
                "deprecation": known.view(now) if known else None,
                "newest": newest.get(ref),
                **_use(runs.get(ref, [])),
                "wizards": figures(spec, wizards.get(ref, [])),
                **_deployed(ctx, there),
                "services": len(there),
                "behind": sum(1 for item in there if item["state"] in BEHIND),
            }
        )
    return {"items": items, "coverage": _coverage(ctx, services.values())}


def _title(template: Mapping[str, Any] | None, ref: str) -> str:
    metadata = template["metadata"] if template else {}
    return str(metadata.get("title") or ref.rpartition("/")[2])


def _use(runs: Sequence[Task]) -> dict[str, Any]:
    """Tasks by outcome, and the median seconds of those that succeeded, waits for people included."""
    states = Counter(run.state for run in runs)
    ended = [run for run in runs if run.state in ("succeeded", "failed", "needs_attention")]
    took = [(run.ended_at - run.created_at) / MICROSECONDS for run in runs if run.state == "succeeded" and run.ended_at]
    return {
        "tasks": len(runs),
        "succeeded": states["succeeded"],
        "failed": states["failed"] + states["needs_attention"],
        "success_rate": round(states["succeeded"] / len(ended), 4) if ended else None,
        "lead_seconds": round(median(took), 3) if took else None,
    }


def _deployed(ctx: OpContext, services: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The median seconds from the form to the first deployment, over services that were deployed."""
    first = first_deployments(ctx.platform, [item["subject"] for item in services])
    took = [
        (first[item["subject"]] - item["created_at"]) / MICROSECONDS
        for item in services
        # An adopted service was deployed before Taxiway knew it, or is older than its record.
        if item["subject"] in first and first[item["subject"]] > item["created_at"]
    ]
    return {"first_deployment_seconds": round(median(took), 3) if took else None, "deployed": len(took)}


def _coverage(ctx: OpContext, services: Iterable[Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """How many services and websites of the catalog are on a golden path: {total, covered, share}."""
    scope = ctx.scope("catalog.entity.read")
    total = [
        str(ref_of(item))
        for item in catalog.list_entities(ctx.platform, kind="component")
        if item.get("spec", {}).get("type") in SERVICE_TYPES
        and (scope.everything or catalog.owner_of(item) in scope.owners)
    ]
    on_path = {item["subject"] for group in services for item in group}
    covered = sum(1 for ref in total if ref in on_path)
    return {"total": len(total), "covered": covered, "share": round(covered / len(total), 4) if total else None}


def _services(ctx: OpContext) -> list[Any]:
    found: list[Any] = []
    cursor = None
    with ctx.platform.store.read() as conn:
        while len(found) < MOST_SERVICES:
            page = repository.list_services(conn, ctx.scope("scaffolder.read"), PAGE, cursor)
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
    return found
