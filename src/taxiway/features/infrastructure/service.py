"""Resources: match a recipe, provision through its driver, destroy from the inventory, explain.

Called by delivery's run steps (provision, destroy) and by environments' operations (lists, explain). Secret outputs
are stored at once and passed on as references; they are never in a row, a step's output or an event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.core.cursors import position_of
from taxiway.features.infrastructure import entities, repository
from taxiway.features.infrastructure.model import (
    Candidate,
    Needed,
    Provisioned,
    Recipe,
    choose,
    facts_of,
    rank,
    recipe_of,
)
from taxiway.features.infrastructure.writes import write_or_find
from taxiway.kit.paging import Page, page_of
from taxiway.model.access import Scope
from taxiway.model.errors import Changed, ConflictError, InputError, NotFoundError, TaxiwayError
from taxiway.model.workload import ResourceRequest, ResourceResult
from taxiway.plugin import InspectingDriver, ResourceDriver, RotatingDriver, StepContext

MASK = "********"


def recipes(platform: Platform) -> list[Recipe]:
    """Every recipe of the catalog that can be read; broken ones are skipped, the catalog shows their errors."""
    found = []
    for document in entities.list_entities(platform, "Recipe"):
        try:
            found.append(recipe_of(document))
        except TaxiwayError as error:
            platform.log.warning("recipe_skipped", reason=error.detail)
    return found


def match(platform: Platform, needed: Needed) -> Recipe:
    """The recipe for a need. NotFoundError or ConflictError say what to do."""
    return choose(recipes(platform), needed.type, facts_of(needed))


def explain(platform: Platform, type_: str, facts: Mapping[str, str | None]) -> list[Candidate]:
    """Every recipe of the type, best first, with its reason."""
    return rank(recipes(platform), type_, facts)


def provision_resource(ctx: OpContext, step: StepContext, needed: Needed) -> Provisioned:
    """Make or converge the resource. Safe to repeat: one need has one resource, whatever crashed in between."""
    platform = ctx.platform
    recipe = match(platform, needed)
    driver: ResourceDriver = platform.registry.get("resource_driver", recipe.driver)
    facts = {
        "params": {**recipe.params, **needed.params},
        "workload": {**needed.workload, "service": needed.service_key, "environment": dict(needed.environment)},
        "id": needed.id or f"{needed.workload_name}.{needed.name}",
        "service": needed.service_key,
    }
    fresh = platform.new_id()
    row = write_or_find(platform, lambda tx: repository.claim(tx, fresh, needed, recipe, facts, step.run_id))
    if row["driver"] != recipe.driver:
        raise ConflictError(
            f"{needed.key} was made by the driver '{row['driver']}', and {recipe.ref} now says '{recipe.driver}': "
            "destroy the service in this environment first, or give the recipe its old driver back",
            code="infrastructure.driver_changed",
        )
    uid = str(row["uid"])
    if row["created_by_run"] == step.run_id:
        detail = {"uid": uid, "type": needed.type, "driver": recipe.driver, "environment": needed.environment["name"]}
        step.checkpoint(f"resource:{uid}", lambda: _record(step, uid, detail))
    try:
        result = _call_driver(platform, driver, step, uid, {**row, "request": facts})
        secrets = _keep_secrets(platform, uid, (needed.environment["name"], needed.service_key, needed.name), result)
    except TaxiwayError as error:
        detail_text = error.detail
        platform.store.write(lambda tx: repository.change(tx, uid, state="failed", error=detail_text))
        raise
    outputs = {key: value for key, value in result.outputs.items() if key not in secrets}
    inventory = [dict(item) for item in result.inventory]

    def ready(tx: Any) -> None:
        kept = inventory or (repository.get(tx.conn, uid) or {}).get("inventory", [])
        repository.change(tx, uid, state="ready", outputs=outputs, secrets=secrets, inventory=kept, error=None)

    platform.store.write(ready)
    return Provisioned(uid, needed.name, needed.type, recipe.driver, outputs, secrets, tuple(result.manifests))


def destroy_for_service(ctx: OpContext, step: StepContext, service_ref: str, environment: str) -> list[str]:
    """The service lets go of its resources in the environment; those that nobody else uses are destroyed."""
    with ctx.platform.store.read() as conn:
        rows = repository.used_by(conn, service_ref, environment)
    destroyed = []
    for row in rows:
        uid = str(row["uid"])
        others = ctx.platform.store.write(partial(repository.begin_destroy, uid=uid, service_ref=service_ref))
        if others:
            step.log(f"{row['key']} stays: {', '.join(sorted(others))} uses it too", "stdout")
        else:
            destroy_resource(ctx, step, row)
            destroyed.append(uid)
        ctx.platform.store.write(partial(repository.release_uses, uid=uid, service_ref=service_ref))
    return destroyed


def destroy_made_by_run(ctx: OpContext, step: StepContext, run_id: str) -> None:
    """Undo of provisioning: what this run made first, and nobody but its service uses."""
    with ctx.platform.store.read() as conn:
        rows = repository.made_by_run(conn, run_id)
    for row in rows:
        begin = partial(repository.begin_destroy, uid=str(row["uid"]), service_ref=row["service_ref"])
        if not ctx.platform.store.write(begin):
            destroy_resource(ctx, step, row)


def held_for_service(platform: Platform, service_ref: str, environment: str) -> list[Changed]:
    """What `destroy_for_service` would lose, or may lose where nobody can tell."""
    with platform.store.read() as conn:
        rows = repository.used_by(conn, service_ref, environment)
        mine = [row for row in rows if repository.uses(conn, str(row["uid"])) == {service_ref}]
    return _held(platform, mine)


def held_by_run(platform: Platform, run_id: str) -> list[Changed]:
    """What `destroy_made_by_run` would lose, or may lose where nobody can tell."""
    with platform.store.read() as conn:
        rows = repository.made_by_run(conn, run_id)
        mine = [row for row in rows if repository.uses(conn, str(row["uid"])) <= {row["service_ref"]}]
    return _held(platform, mine)


def _held(platform: Platform, rows: Sequence[Mapping[str, Any]]) -> list[Changed]:
    # An empty inventory says nothing: a driver may keep all that it makes in manifests.
    told = [(row, _contents(platform, row)) for row in rows]
    return [Changed(f"{row['environment']}/{row['name']}", text) for row, text in told if text is not None]


def _contents(platform: Platform, row: Mapping[str, Any]) -> str | None:
    driver: ResourceDriver = platform.registry.get("resource_driver", row["driver"])
    if not isinstance(driver, InspectingDriver):
        reason = f"the driver {row['driver']} does not look into it"
    else:
        try:
            held = driver.contents(list(row["inventory"]))
        except TaxiwayError as error:
            reason = error.detail
        else:
            return None if held is None else f"the {row['type']} holds {held}"
    return f"cannot tell what is in the {row['type']}, which is destroyed with all of it: {reason}"


def destroy_resource(ctx: OpContext, step: StepContext, row: Mapping[str, Any]) -> None:
    """Destroy from the inventory, forget the secrets, mark deleted. Safe to repeat.

    The row must be in `deleting` by then: nobody can get this resource any more, a new need gets another one.
    """
    platform, uid = ctx.platform, str(row["uid"])
    driver: ResourceDriver = platform.registry.get("resource_driver", row["driver"])
    inventory: Sequence[Mapping[str, Any]] = list(row["inventory"])
    if not inventory and row["state"] != "ready":
        inventory = _inventory_of_interrupted(platform, driver, step, row)
    driver.destroy(step, inventory)
    for reference in row["secrets"].values():
        platform.secrets.delete(reference)
    platform.store.write(
        lambda tx: repository.change(tx, uid, state="deleted", live_key=None, secrets={}, outputs={}, inventory=[])
    )
    step.log(f"{row['key']} is gone", "stdout")


def resource_of(
    platform: Platform, service_ref: str, environment: str, name: str
) -> tuple[Mapping[str, Any], list[str]]:
    """A resource that a service uses, by the name that it has there, and every service that uses it."""
    with platform.store.read() as conn:
        rows = repository.used_by(conn, service_ref, environment)
        row = next((one for one in rows if one["name"] == name), None)
        if row is None:
            there = ", ".join(sorted(str(one["name"]) for one in rows)) or "none"
            raise NotFoundError(
                f"{service_ref} has no resource '{name}' in {environment}; it has: {there}",
                code="infrastructure.no_resource",
            )
        return row, sorted(repository.uses(conn, str(row["uid"])))


def resources_of(platform: Platform, service_ref: str) -> list[tuple[Mapping[str, Any], list[str]]]:
    """Every resource that a service uses, in all environments, with who uses it."""
    with platform.store.read() as conn:
        rows = repository.used_by(conn, service_ref, None)
        return [(row, sorted(repository.uses(conn, str(row["uid"])))) for row in rows]


def rotate_resource(ctx: OpContext, step: StepContext, row: Mapping[str, Any]) -> list[str]:
    """Give a resource new credentials; the names of those that are new. What uses it must be started anew."""
    platform, uid = ctx.platform, str(row["uid"])
    driver: ResourceDriver = platform.registry.get("resource_driver", row["driver"])
    if not isinstance(driver, RotatingDriver):
        raise InputError(
            f"the driver {row['driver']} of {row['key']} gives no new credentials: change them where it is kept",
            code="infrastructure.no_rotation",
        )
    result = driver.rotate(step, _request_of(uid, row))
    place = (str(row["environment"]), str(row["request"]["service"]), str(row["name"]))
    secrets = _keep_secrets(platform, uid, place, result)
    platform.store.write(lambda tx: repository.change(tx, uid, secrets=secrets))
    step.log(f"{row['key']} has new credentials: {', '.join(sorted(secrets))}", "stdout")
    return sorted(secrets)


def list_resources(
    ctx: OpContext, scope: Scope, service_ref: str | None, environment: str | None, cursor: str | None, limit: int
) -> Page[dict[str, Any]]:
    """Resources as the API shows them: secret outputs are masked."""
    after = position_of(cursor, str)
    with ctx.platform.store.read() as conn:
        rows = repository.page(conn, scope, service_ref, environment, after, limit + 1)
    page = page_of(rows, limit, lambda row: [row["uid"]])
    return Page([_shown(row) for row in page.items], page.next_cursor)


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["uid"],
        "key": row["key"],
        "name": row["name"],
        "type": row["type"],
        "class": row["class"],
        "environment": row["environment"],
        "service_ref": row["service_ref"],
        "recipe": row["recipe"],
        "driver": row["driver"],
        "state": row["state"],
        "error": row["error"],
        "outputs": {**row["outputs"], **dict.fromkeys(row["secrets"], MASK)},
        "created_at": row["created_at"],
    }


def _record(step: StepContext, uid: str, detail: Mapping[str, Any]) -> bool:
    step.created("resource", uid, detail)
    return True


def _call_driver(
    platform: Platform, driver: ResourceDriver, step: StepContext, uid: str, row: Mapping[str, Any]
) -> ResourceResult:
    def created(kind: str, name: str, data: Mapping[str, Any]) -> None:
        item = {**data, "kind": kind, "name": name}
        platform.store.write(lambda tx: repository.append_inventory(tx, uid, item))

    return driver.provision(replace(step, created=created), _request_of(uid, row))


def _request_of(uid: str, row: Mapping[str, Any]) -> ResourceRequest:
    facts = row["request"]
    return ResourceRequest(
        uid=uid,
        type=row["type"],
        resource_class=row["class"],
        id=facts["id"],
        environment=row["environment"],
        service=facts["service"],
        params=facts["params"],
        workload=facts["workload"],
    )


def _inventory_of_interrupted(
    platform: Platform, driver: ResourceDriver, step: StepContext, row: Mapping[str, Any]
) -> Sequence[Mapping[str, Any]]:
    """What an interrupted provisioning left. Drivers converge, so asking again tells; failing that, what they noted."""
    try:
        return list(_call_driver(platform, driver, step, str(row["uid"]), row).inventory)
    except TaxiwayError as error:
        step.log(f"{row['key']} could not be completed before its removal: {error.detail}", "stderr")
    with platform.store.read() as conn:
        return list((repository.get(conn, str(row["uid"])) or {}).get("inventory", []))


def _keep_secrets(platform: Platform, uid: str, place: tuple[str, str, str], result: ResourceResult) -> dict[str, str]:
    """The references of a resource's secrets, stored by (environment, service, name)."""
    environment, service, name = place
    base = f"environments/{environment}/{service}/{name}-{uid[-12:]}"
    return {key: platform.secrets.put(f"{base}/{key}", value) for key, value in sorted(result.secrets.items())}
