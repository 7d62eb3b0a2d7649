"""One step of a template: its condition, its loop, its rendered input, and the call of its action.

Used by the run handler for real and by planning for a dry run; both give the context of expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from taxiway.core.registry import Registry
from taxiway.features.scaffolder.extras import MOST_AT_ONCE, each_turn, gate, group_steps, options_of, scoped, together
from taxiway.features.scaffolder.model import is_true
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.features.scaffolder.validation import check_input
from taxiway.model.access import Principal
from taxiway.model.errors import ConflictError, InputError, NotFoundError
from taxiway.plugin import Action, StepContext

MAX_ITERATIONS = 1_000
Values = Mapping[str, Any]
Call = Callable[[Action, StepContext, Values], Values]


def run_action(action: Action, ctx: StepContext, values: Values) -> Values:
    """Call an action for real."""
    return action.run(ctx, values)


def probe_action(action: Action, ctx: StepContext, values: Values) -> Values:
    """What an earlier call came to, else call the action for real."""
    found = action.probe(ctx, values)
    return run_action(action, ctx, values) if found is None else found


def run_step(
    registry: Registry,
    renderer: Renderer,
    definition: Values,
    expressions: Values,
    secrets: Values,
    ctx: StepContext,
    *,
    failed: bool = False,
    call: Call = run_action,
) -> Values | None:
    """The output of a step, or None when its condition skipped it.

    `definition` has action, input, if and each; `expressions` is what expressions see; `secrets` are added to
    it for inputs only. With `each`, outputs are lists by name, and all inputs are checked before the first call.
    """
    condition, each = definition.get("if"), definition.get("each")
    if condition is False:
        return None
    if each is None and condition is not None and not _holds(renderer, condition, expressions, failed):
        return None
    options = definition.get("options") or {}
    action = _action(registry, definition["action"])
    gained = gate(options, ctx, lambda value: renderer.value(value, expressions)) if options else {}
    if "steps" in options:
        return {**_group(registry, renderer, options["steps"], expressions, secrets, ctx, failed, call), **gained}
    with_secrets = {**expressions, "secrets": secrets}
    if each is None:
        values = _input(renderer, definition, with_secrets, action, ctx.principal)
        return {**call(action, ctx, values), **gained}
    calls = []
    for iteration in _iterations(renderer.value(each, with_secrets)):
        scope = {**with_secrets, "each": iteration}
        if condition is None or _holds(renderer, condition, scope, failed):
            calls.append(_input(renderer, definition, scope, action, ctx.principal))
    if "foreach" in options:
        turns = [partial(_scoped_turn, call, action, values) for values in calls]
        outputs = each_turn(ctx, options["foreach"], turns)
    else:
        outputs = [_turn(call, action, ctx, values) for values in calls]
    names = {name for output in outputs for name in output}
    return {**{name: [output.get(name) for output in outputs] for name in sorted(names)}, **gained}


def _action(registry: Registry, key: str) -> Action:
    try:
        return registry.get("action", key, Action)
    except NotFoundError as error:
        raise NotFoundError(
            f"the action '{key}' is not installed: install the plugin that brings it",
            code="scaffolder.missing_action",
        ) from error


def _scoped_turn(call: Call, action: Action, values: Values, ctx: StepContext) -> Values:
    return call(action, ctx, values)


def _group(
    registry: Registry,
    renderer: Renderer,
    listed: Sequence[Values],
    expressions: Values,
    secrets: Values,
    ctx: StepContext,
    failed: bool,
    call: Call,
) -> Values:
    """The outputs of the steps of a group by their ids; None for those that were skipped."""

    def done(name: str, step: Values) -> Any:
        inner = scoped(ctx, name, str(step["action"]))

        def work() -> Any:
            whole = {**step, "options": options_of(step)}
            return run_step(registry, renderer, whole, expressions, secrets, inner, failed=failed, call=call)

        return ctx.checkpoint(f"step {name}", work)

    steps = group_steps(listed)
    for _, step in steps:
        _action(registry, str(step["action"]))
    calls = [partial(done, name, step) for name, step in steps]
    outputs = together(ctx, calls, min(len(calls), MOST_AT_ONCE))
    return {name: output for (name, _), output in zip(steps, outputs, strict=True)}


def _turn(call: Call, action: Action, ctx: StepContext, values: Values) -> Values:
    """One turn of a loop. None begins once the run is to stop, or another worker has it."""
    if ctx.cancelled.is_set():
        raise ConflictError("the step was ended before all turns of its loop were done")
    return call(action, ctx, values)


def _holds(renderer: Renderer, condition: Any, expressions: Values, failed: bool) -> bool:
    return is_true(renderer.value(condition, expressions, failed=failed))


def _input(renderer: Renderer, definition: Values, expressions: Values, action: Action, principal: Principal) -> Values:
    values = renderer.value(definition.get("input") or {}, expressions)
    # An expression that gave nothing is as good as absent, as it is in JSON over Backstage's wire.
    values = {name: value for name, value in values.items() if value is not None}
    check_input(action.key, action.input_schema, values)
    check = getattr(action, "check_use", None)
    if check is not None:
        check(principal)
    return values


def _iterations(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, Mapping):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = [(str(index), item) for index, item in enumerate(value)]
    else:
        raise InputError("`each` must be a list or an object", code="scaffolder.bad_each")
    if len(pairs) > MAX_ITERATIONS:
        raise InputError(f"`each` may go over {MAX_ITERATIONS} items at most", code="scaffolder.bad_each")
    return [{"key": key, "value": item} for key, item in pairs]
