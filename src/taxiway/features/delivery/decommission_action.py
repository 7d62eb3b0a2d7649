"""`service:decommission`: takes a service back for good, as an undo across its life.

It refuses while others depend on the service. What changed since it was made, and what would be lost, is listed, and
must be confirmed by name; a plan says both, so that nobody finds out afterwards. The work is the API's own run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.features.catalog import service as catalog
from taxiway.features.catalog.model import ORIGIN
from taxiway.features.delivery.engines import forge, op_context
from taxiway.features.delivery.environment_actions import TEXT, EnvironmentAction, action_schema, wait_for
from taxiway.features.delivery.service.views import decommission
from taxiway.features.environments.service import ServiceEntity, service_entity
from taxiway.features.environments.service.deployments import DESTROY
from taxiway.features.infrastructure import service as infrastructure
from taxiway.model.entity import ref_of
from taxiway.model.errors import ConflictError
from taxiway.plugin import StepContext

Values = Mapping[str, Any]
TEXTS = {"type": "array", "items": TEXT}
DEPENDENTS = ("dependencyOf", "apiConsumedBy", "hasPart")
"""Relations to what needs an entity."""
MOST_COMMITS = 200
MOST_TOLD = 20


def decommission_action(platform: Platform) -> EnvironmentAction:
    """The action."""
    return EnvironmentAction(
        "service:decommission",
        "Take a service out of use: everywhere it runs, its resources, its repository (archived), its entities",
        partial(_decommission, platform),
        action_schema(
            ["entityRef"],
            entityRef=TEXT,
            confirm={**TEXTS, "description": "Names of what changed since, or would be lost, as the plan lists them"},
            deleteRepository={"type": "boolean", "description": "Delete the repository instead of archiving it"},
        ),
        action_schema([], runId=TEXT, repository={"type": ["string", "null"]}, removed=TEXTS),
        recovery="idempotent",
        supports_dry_run=True,
    )


def _decommission(platform: Platform, ctx: StepContext, values: Values) -> Values:
    op = op_context(platform, ctx)
    # Judged once: when the step is called again behind its wait, the service is gone.
    facts = ctx.checkpoint("facts", lambda: _judged(op, ctx, values))
    if ctx.is_dry_run:
        ctx.log(f"would remove {', '.join(facts['removed'])}")
        return {"runId": "", **facts}
    archive, key = not values.get("deleteRepository"), ctx.idempotency_key
    run_id = ctx.checkpoint(
        "run",
        lambda: decommission(op, values["entityRef"], archive=archive, parent_id=ctx.run_id, request_key=key)["run_id"],
    )
    state, _ = wait_for(op, ctx, run_id)
    if state != "succeeded":
        raise ConflictError(f"taking {values['entityRef']} out of use ended as {state}: see run {run_id}, then retry")
    return {"runId": run_id, **facts}


def _judged(op: OpContext, ctx: StepContext, values: Values) -> dict[str, Any]:
    """What goes: {repository, removed}. Raises for what must not."""
    service = service_entity(op.platform, values["entityRef"])
    op.authorize(DESTROY, service.owner)
    removed = _removed(op.platform, service)
    _refuse_dependents(op.platform, service, removed)
    _refuse_unconfirmed(op.platform, ctx, service, set(values.get("confirm") or []))
    return {"repository": service.repository, "removed": removed}


def _removed(platform: Platform, service: ServiceEntity) -> list[str]:
    """The entities that go with the service: itself, and what its repository describes."""
    found = {service.ref}
    for location in catalog.list_locations(platform, repository=service.repository) if service.repository else ():
        described = catalog.list_entities(platform, filters={f"metadata.annotations.{ORIGIN}": location.reference})
        found |= {str(ref_of(document)) for document in described}
    return sorted(found)


def _refuse_dependents(platform: Platform, service: ServiceEntity, removed: list[str]) -> None:
    """ConflictError that names who needs the service, or an API that goes with it."""
    needing: set[str] = set()
    for ref in [*removed, *_apis(platform, service.ref)]:
        document = catalog.get_entity(platform, ref) or {}
        targets = [r["targetRef"] for r in document.get("relations") or [] if r["type"] in DEPENDENTS]
        needing |= {target for target in targets if target not in removed}
    if needing:
        told = ", ".join(sorted(needing)[:MOST_TOLD])
        raise ConflictError(
            f"{service.ref} is still needed by {told}: let them do without it first", code="delivery.still_needed"
        )


def _apis(platform: Platform, ref: str) -> list[str]:
    """The APIs that only this service provides: nobody serves them any more when it is gone."""
    document = catalog.get_entity(platform, ref) or {}
    provided = [r["targetRef"] for r in document.get("relations") or [] if r["type"] == "providesApi"]
    found = []
    for api in provided:
        others = (catalog.get_entity(platform, api) or {}).get("relations") or []
        if not [r for r in others if r["type"] == "apiProvidedBy" and r["targetRef"] != ref]:
            found.append(api)
    return found


def _refuse_unconfirmed(platform: Platform, ctx: StepContext, service: ServiceEntity, confirmed: set[str]) -> None:
    """ConflictError with what has to be confirmed by name, and was not."""
    missing = []
    for name, why in [*_commits(platform, service), *_resources(platform, service)]:
        ctx.log(f"{name}: {why}{' (confirmed)' if name in confirmed else ''}")
        if name not in confirmed:
            missing.append(f"'{name}' ({why})")
    if missing:
        raise ConflictError(
            f"confirm what would be lost, by its name: {', '.join(missing[:MOST_TOLD])}", code="delivery.unconfirmed"
        )


def _commits(platform: Platform, service: ServiceEntity) -> Iterator[tuple[str, str]]:
    there = forge(platform).get_repository(service.repository) if service.repository else None
    if there is None or there.head is None:
        return
    log = forge(platform).log(there.name, there.default_branch, limit=MOST_COMMITS)
    since = len(log) - 1  # the first is the golden path's own
    if since > 0:
        many = f"{since}{' or more' if len(log) == MOST_COMMITS else ''}"
        last = str(log[0].get("message") or log[0]["sha"]).splitlines()[0]
        yield there.name, f"{many} commits since it was made, the last: {last}"


def _resources(platform: Platform, service: ServiceEntity) -> Iterator[tuple[str, str]]:
    for row, users in infrastructure.resources_of(platform, service.ref):
        if row["inventory"] and users == [service.ref]:
            yield f"{row['environment']}/{row['name']}", f"{row['type']}, with all of its data"
