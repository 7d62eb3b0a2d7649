"""`taxiway:parallel`, the action of a group of steps, and `taxiway:template`, a golden path inside of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.features.scaffolder.extras import ACTION, GROUP
from taxiway.features.scaffolder.model import MOST_DEEP, OUTPUT_STEP
from taxiway.model.errors import Changed, ChangedSinceError, ConflictError, InputError, refuse_changed
from taxiway.model.run import Created
from taxiway.plugin import Action, StepContext
from taxiway.plugin.actions import FunctionAction, schema

OBJECT = {"type": "object"}


@dataclass(frozen=True, kw_only=True)
class TemplateAction(FunctionAction):
    """`taxiway:template`, which plans can try: the golden path inside is tried as it would be by itself."""

    platform: Platform

    def try_inside(self, op: OpContext, values: Mapping[str, Any], deep: int) -> tuple[Mapping[str, Any], Any]:
        """(output of the step, what trying gave)."""
        scaffolder = self.platform.services["scaffolder"]
        given, secrets = values.get("values") or {}, values.get("secrets") or {}
        found = scaffolder.try_inside(op, str(values["template"]), given, secrets, deep)
        steps = {step["id"]: step["output"] for step in found.steps}
        return {"runId": "<runId>", "entityRef": "<entityRef>", "output": dict(found.output), "steps": steps}, found


def group_actions(platform: Platform) -> list[FunctionAction]:
    """The actions of this module."""

    def take_back(ctx: StepContext, created: Sequence[Created]) -> None:
        for key, items in _by_action(created):
            platform.registry.get("action", key, Action).undo(ctx, items)

    def check_back(created: Sequence[Created]) -> None:
        refuse_changed(one for key, items in _by_action(created) for one in _changed(platform, key, items))

    return [
        FunctionAction(
            key=GROUP,
            description="Do the steps in `taxiway:steps` at the same time; its output has theirs by their ids",
            function=_no_steps,
            input_schema=schema(),
            take_back=take_back,
            check_back=check_back,
        ),
        TemplateAction(
            platform=platform,
            key="taxiway:template",
            description="Run another golden path, and wait for it",
            function=lambda ctx, values: _template(platform, ctx, values),
            input_schema=schema(
                ["template"],
                template="Reference of the template",
                values={**OBJECT, "description": "Answers of its form"},
                secrets={**OBJECT, "description": "Its secrets", "additionalProperties": {"type": "string"}},
            ),
            output_schema=schema(
                runId="The run",
                entityRef="The entity that it made, if one",
                output={**OBJECT, "description": "Its output"},
                steps={**OBJECT, "description": "The outputs of its steps by their ids"},
            ),
            supports_dry_run=False,
            take_back=lambda ctx, created: _undo(platform, ctx, created),
            check_back=lambda created: _check(platform, created),
        ),
    ]


def _no_steps(ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any]:
    raise InputError(f"a step with the action {GROUP} needs `taxiway:steps`", code="scaffolder.bad_template")


def _by_action(created: Sequence[Created]) -> list[tuple[str, list[Created]]]:
    """(action, what it created) of the steps of a group, last first."""
    found: dict[str, list[Created]] = {}
    for item in created:
        data = {key: value for key, value in item.data.items() if key != ACTION}
        found.setdefault(str(item.data[ACTION]), []).append(replace(item, data=data))
    return list(reversed(found.items()))


def _template(platform: Platform, ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any]:
    op = OpContext(platform, ctx.principal, f"run-{ctx.run_id}")
    _check_depth(platform, ctx.run_id)
    child = ctx.checkpoint(
        "run",
        lambda: platform.services["scaffolder"].create_task(
            op,
            str(values["template"]),
            values.get("values") or {},
            values.get("secrets") or {},
            parent_id=ctx.run_id,
            request_key=ctx.idempotency_key,
        ),
    )
    ctx.created("run", child, {"run_id": child})
    if ctx.attempt > 1:
        ctx.checkpoint(f"again-{ctx.attempt}", lambda: _again(op, child))
    state, output = ctx.wait_for_run(child)
    run = platform.runs.get(child)
    if state != "succeeded":
        raise ConflictError(f"the run of {values['template']} ended as {state}: {run.error or f'see run {child}'}")
    steps = {step.id: step.output or {} for step in run.steps if step.id != OUTPUT_STEP}
    return {"runId": child, "entityRef": run.subject, "output": dict(output), "steps": steps}


def _again(op: OpContext, child: str) -> bool:
    """When this step is tried again, so is the run that it waits for."""
    if op.platform.runs.get(child).state not in ("failed", "cancelled"):
        return False
    op.platform.runs.retry(op, child)
    return True


def _check_depth(platform: Platform, run_id: str) -> None:
    deep, run = 0, platform.runs.get(run_id)
    while run.parent_id is not None:
        deep, run = deep + 1, platform.runs.get(run.parent_id)
    if deep >= MOST_DEEP:
        raise InputError(f"golden paths may be {MOST_DEEP} deep inside of each other", code="scaffolder.too_deep")


def _undo(platform: Platform, ctx: StepContext, created: Sequence[Created]) -> None:
    op = OpContext(platform, ctx.principal, f"run-{ctx.run_id}")
    for item in reversed(created):
        child = item.data["run_id"]
        ctx.checkpoint(f"undo-{child}", partial(_start_undo, op, child, ctx.confirmed))
        state, _ = ctx.wait_for_run(child)
        if state != "undone":
            raise ConflictError(platform.runs.get(child).error or f"run {child} was not undone")


def _start_undo(op: OpContext, child: str, confirmed: frozenset[str]) -> bool:
    if op.platform.runs.get(child).state == "undone":
        return False
    op.platform.runs.undo(op, child, confirmed)
    return True


def _check(platform: Platform, created: Sequence[Created]) -> None:
    """Ask each step of the run inside, as its own undo would."""
    for item in created:
        if platform.runs.get(item.data["run_id"]).state != "undone":
            refuse_changed(platform.runs.changed_since(item.data["run_id"]))


def _changed(platform: Platform, key: str, created: Sequence[Created]) -> Sequence[Changed]:
    """What others changed since of what an action created."""
    check = getattr(platform.registry.get("action", key, Action), "check_undo", None)
    try:
        if check is not None:
            check(created)
    except ChangedSinceError as error:
        return error.changes
    return ()
