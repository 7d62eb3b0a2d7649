"""From a plan to its run: what refuses a plan, and the run that a plan becomes. Used by `service.py`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from taxiway.core.registry import Registry
from taxiway.features.scaffolder.model import OUTPUT_STEP, Order, Plan
from taxiway.model.entity import parse_ref
from taxiway.model.errors import ConflictError, FieldError, PolicyDeniedError, TaxiwayError
from taxiway.model.run import Recovery, RunSpec, StepDefinition
from taxiway.plugin import Action

CAUTION: tuple[Recovery, ...] = ("manual", "probe", "idempotent")


def refuse(plan: Plan) -> None:
    """PolicyDeniedError for a check that failed, ConflictError for a name that is taken."""
    failed = [check for check in plan.checks if check["verdict"] == "failed"]
    if failed:
        errors = [FieldError(f"/checks/{check['id']}", check["detail"]) for check in failed]
        detail = "; ".join(check["detail"] for check in failed)
        raise PolicyDeniedError(f"the plan was refused: {detail}", code="scaffolder.refused", errors=errors)
    taken = [name for name in plan.names if name["taken"]]
    if taken:
        listed = ", ".join(f"{item['kind']} {item['name']}" for item in taken)
        raise ConflictError(f"taken already: {listed}. Choose another name", code="scaffolder.name_taken")


def run_spec(registry: Registry, order: Order, plan: Plan, references: Mapping[str, str]) -> RunSpec:
    """The run, each step with the recovery that its action declares."""
    steps = [replace(step, recovery=_recovery(step, registry)) for step in order.template.steps]
    entities = [name["name"] for name in plan.names if name["kind"] == "entity"]
    subject = next((name for name in entities if name.startswith("component:")), next(iter(entities), None))
    owner = order.values.get("owner")
    title = order.values.get("name")
    if order.bound is not None:
        subject, owner, title = order.bound.ref, order.bound.owner, parse_ref(order.bound.ref).name
    summary = {
        "id": plan.id,
        "hash": plan.hash,
        "resources": plan.resources,
        "names": plan.names,
        "checks": plan.checks,
    }
    files = [{"path": item["path"], "size": item["size"]} for item in plan.files]
    return RunSpec(
        kind="scaffold",
        title=f"{order.template.title}: {title}" if title else order.template.title,
        steps=[*steps, StepDefinition(OUTPUT_STEP, "Collect the output", OUTPUT_STEP)],
        input={"template_ref": order.template.ref, "values": order.values, "secrets": dict(references)},
        subject=subject,
        owner=str(parse_ref(owner, default_kind="group")) if isinstance(owner, str) and owner else plan.created_by,
        plan={**summary, "files": files},
        definition={
            "document": order.template.document,
            "etag": order.template.etag,
            "snapshot": order.snapshot,
            "output": order.template.output,
        },
    )


def _recovery(step: StepDefinition, registry: Registry) -> Recovery:
    """What an interrupted step needs: in a group, what the least safe of its steps needs."""
    inner = [item["action"] for item in step.options.get("steps") or []]
    found: set[Recovery] = {"idempotent"}
    for key in {step.action, *inner}:
        with suppress(TaxiwayError):  # a step that is skipped may name an action that is not installed
            found.add(registry.get("action", key, Action).recovery)
    return next(name for name in CAUTION if name in found)
