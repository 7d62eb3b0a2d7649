"""What a template may have beside Backstage's keys, each prefixed `taxiway:`: one without them stays as it is.

Of a step:

- `taxiway:approval`: the step begins once somebody else than who started the run has approved it.
- `taxiway:wait`: the step begins after some seconds, or once a signal was sent to the run.
- `taxiway:foreach`: how the turns of `each` are gone through: canaries first, some at a time.
- `taxiway:steps`: the steps of a group, which are done at the same time; its action is `taxiway:parallel`.

Of a template's spec: `taxiway:for` binds it to entities (`binding`), `taxiway:quota` bounds it (`quotas`).

Turns and steps of a group are checkpointed one by one: after an interruption or a wait what was done is not done again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import replace
from difflib import get_close_matches
from math import inf
from typing import Any

import jsonschema_rs

from taxiway.features.scaffolder.deprecation import KEY as DEPRECATION
from taxiway.features.scaffolder.deprecation import deprecation_problems
from taxiway.kit.pointer import pointer
from taxiway.model.entity import parse_ref
from taxiway.model.errors import ConflictError, FieldError, InputError
from taxiway.plugin import StepContext

PREFIX = "taxiway:"
GROUP = "taxiway:parallel"
MOST_AT_ONCE = 16
ACTION = "taxiway:action"
"""The key in an inventory entry that says which step of a group it is of."""
LONGEST_SECONDS = 30 * 24 * 3600
EXPRESSION = {"type": "string", "pattern": r"\$\{\{"}
SECONDS = {"anyOf": [{"type": "number", "minimum": 0, "maximum": LONGEST_SECONDS}, EXPRESSION]}
COUNT = {"type": "integer", "minimum": 1, "maximum": MOST_AT_ONCE}
APPROVAL = {
    "type": "object",
    "properties": {
        "message": {"type": "string", "description": "What is to be decided"},
        "from": {"type": "array", "items": {"type": "string"}, "description": "Who may: users and groups"},
    },
    "additionalProperties": False,
}
WAIT = {
    "type": "object",
    "properties": {
        "seconds": SECONDS,
        "signal": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$"},
        "timeoutSeconds": SECONDS,
    },
    "oneOf": [{"required": ["seconds"]}, {"required": ["signal"]}],
    "additionalProperties": False,
}
SUB_STEP = {
    "type": "object",
    "required": ["action"],
    "properties": {
        "id": {"type": "string", "minLength": 1},
        "name": {"type": "string"},
        "action": {"type": "string", "not": {"const": GROUP}},
        "input": {"type": "object"},
        "if": {"type": ["string", "boolean"]},
        "each": {"type": ["string", "array", "object"]},
        f"{PREFIX}approval": APPROVAL,
        f"{PREFIX}wait": WAIT,
    },
    "additionalProperties": False,
}
SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "approval": APPROVAL,
    "wait": WAIT,
    "foreach": {
        "type": "object",
        "properties": {
            "canary": {"type": "integer", "minimum": 1},
            "parallel": COUNT,
            "approve": {"type": "boolean", "description": "Wait for an approval behind the canaries"},
        },
        "additionalProperties": False,
    },
    "steps": {"type": "array", "minItems": 1, "maxItems": MOST_AT_ONCE, "items": SUB_STEP},
}
TEXTS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
SPEC_SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "for": {
        "type": "object",
        "required": ["parameter"],
        "properties": {
            "kind": {"type": "string", "minLength": 1},
            "filter": {**TEXTS, "description": "Backstage's filters, of which one must hold"},
            "parameter": {"type": "string", "minLength": 1, "description": "The answer that is the entity"},
        },
        "anyOf": [{"required": ["kind"]}, {"required": ["filter"]}],
        "additionalProperties": False,
    },
    "quota": {
        "type": "object",
        "minProperties": 1,
        "properties": {
            "services": {"type": "integer", "minimum": 0, "description": "Services that an owner may have from it"},
            "running": {"type": "integer", "minimum": 1, "description": "Tasks of an owner at a time"},
        },
        "additionalProperties": False,
    },
}
"""What a template's spec may have."""
Values = Mapping[str, Any]
Turn = Callable[[StepContext], Any]


def options_of(step: Values) -> dict[str, Any]:
    """The keys of a step that are prefixed, without their prefix."""
    return {str(key).removeprefix(PREFIX): value for key, value in step.items() if str(key).startswith(PREFIX)}


def option_problems(step: Values, where: Sequence[str | int]) -> list[FieldError]:
    """What is wrong with the prefixed keys of a step."""
    given = options_of(step)
    found = _key_problems(given, SCHEMAS, where)
    if "foreach" in given and "each" not in step:
        found.append(FieldError(pointer([*where, "taxiway:foreach"]), "a step with it needs `each`"))
    if ("steps" in given) != (step.get("action") == GROUP):
        found.append(FieldError(pointer(where), f"`taxiway:steps` and the action {GROUP} belong together"))
    if not found and "steps" in given:
        names = [name for name, _ in group_steps(given["steps"])]
        found += [
            FieldError(pointer([*where, "taxiway:steps"]), f"two steps of the group have the id '{name}'")
            for name in sorted({name for name in names if names.count(name) > 1})
        ]
    return found


def spec_problems(spec: Values) -> list[FieldError]:
    """What is wrong with the prefixed keys of a template's spec."""
    keys = options_of(spec)
    keys.pop(DEPRECATION.removeprefix(PREFIX), None)
    return _key_problems(keys, SPEC_SCHEMAS, ["spec"]) + deprecation_problems(spec)


def _key_problems(
    given: Values, schemas: Mapping[str, Mapping[str, Any]], where: Sequence[str | int]
) -> list[FieldError]:
    found: list[FieldError] = []
    for name, value in given.items():
        at = [*where, PREFIX + name]
        if name not in schemas:
            near = get_close_matches(name, list(schemas), n=1)
            hint = f": did you mean '{PREFIX}{near[0]}'?" if near else f"; there are {', '.join(schemas)}"
            found.append(FieldError(pointer(at), f"there is no key '{PREFIX}{name}'{hint}"))
            continue
        for error in jsonschema_rs.validator_for(dict(schemas[name])).iter_errors(value):
            found.append(FieldError(pointer([*at, *error.instance_path]), error.message))
    return found


def group_steps(listed: Sequence[Values]) -> list[tuple[str, Values]]:
    """(id, step) of the steps of a group."""
    return [(str(step.get("id") or f"step-{index + 1}"), step) for index, step in enumerate(listed)]


def gate(options: Values, ctx: StepContext, render: Callable[[Any], Any]) -> dict[str, Any]:
    """Wait for what the step waits for. Returns what its output has of it: `signal`, the data of the signal."""
    found: dict[str, Any] = {}
    if "approval" in options:
        _approval(options["approval"], ctx, render)
    waits = options.get("wait")
    if waits is None:
        return found
    if "signal" in waits:
        name = f"signal:{waits['signal']}"
        if ctx.is_dry_run:
            ctx.log(f"would wait for the signal '{waits['signal']}'")
            return {"signal": {}}
        timeout = waits.get("timeoutSeconds")
        ctx.wait_for(name, None if timeout is None else _seconds(render(timeout)))
        found["signal"] = ctx.checkpoint(name, dict)
    else:
        wait_seconds(ctx, _seconds(render(waits["seconds"])), "before")
    return found


def wait_seconds(ctx: StepContext, seconds: float, name: str = "wait") -> None:
    """Wait without holding a thread."""
    if ctx.is_dry_run:
        ctx.log(f"would wait for {seconds:g} s")
    else:
        ctx.wait_for(f"timer:{name}", seconds)


def _seconds(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"'{value}' is no number of seconds", code="scaffolder.bad_wait") from error
    if not 0 <= seconds <= LONGEST_SECONDS:
        raise InputError(f"a step waits for {LONGEST_SECONDS} seconds at most", code="scaffolder.bad_wait")
    return seconds


def _approval(asked: Values, ctx: StepContext, render: Callable[[Any], Any]) -> None:
    message = render(asked.get("message") or "The step waits for an approval")
    wanted = render(asked.get("from") or [])
    wait_approval(ctx, str(message), [str(one) for one in wanted])


def wait_approval(ctx: StepContext, message: str, wanted: Sequence[str]) -> None:
    """Wait until somebody else than who started the run approved; PolicyDeniedError when it was rejected."""
    refs = [str(parse_ref(one, default_kind="group")) for one in wanted]
    told = f"{message} (to be decided by {', '.join(refs)})" if refs else message
    if ctx.is_dry_run:
        ctx.log(f"would wait for an approval: {told}")
        return

    def ask() -> str:
        ctx.log(told)
        return message

    if refs:
        ctx.checkpoint("approvers", lambda: refs)
    ctx.checkpoint("approval", ask)
    ctx.wait_for("approval", None)


def scoped(ctx: StepContext, name: str, action: str | None = None) -> StepContext:
    """The context of a turn, or of a step of a group: its checkpoints, its keys and what it waits for are its own."""

    def created(kind: str, what: str, data: Values) -> None:
        ctx.created(kind, what, {**data, ACTION: action} if action else data)

    def wait_for(topic: str, seconds: float | None = None) -> None:
        kind, _, what = topic.partition(":")
        if kind in ("approval", "timer"):  # of this part; a signal is the run's
            topic = f"{kind}:{name}/{what}" if what else f"{kind}:{name}"
        ctx.wait_for(topic, seconds)

    def checkpoint(key: str, compute: Callable[[], Any]) -> Any:
        return ctx.checkpoint(key if key.startswith("signal:") else f"{name}/{key}", compute)

    return replace(
        ctx,
        step_id=f"{ctx.step_id}.{name}",
        idempotency_key=f"{ctx.idempotency_key}/{name}",
        log=lambda text, stream="stdout": ctx.log(f"[{name}] {text}", stream),
        created=created,
        checkpoint=checkpoint,
        wait_for=wait_for,
    )


def each_turn(ctx: StepContext, foreach: Values, turns: Sequence[Turn]) -> list[Any]:
    """The results of all turns: the canaries one by one, then, approved where that is asked for, the others, so many at
    a time. The first that fails keeps others from beginning."""
    canaries = min(int(foreach.get("canary", 0)), len(turns))

    def done(index: int) -> Any:
        name = f"turn-{index}"
        return ctx.checkpoint(name, lambda: turns[index](scoped(ctx, name)))

    results = [done(index) for index in range(canaries)]
    if foreach.get("approve") and 0 < canaries < len(turns):
        wait_approval(ctx, f"{canaries} of {len(turns)} are done: go on with the others?", [])
    rest = [lambda index=index: done(index) for index in range(canaries, len(turns))]
    return results + together(ctx, rest, int(foreach.get("parallel", 1)))


def together(ctx: StepContext, calls: Sequence[Callable[[], Any]], at_once: int) -> list[Any]:
    """The results of some calls, so many at a time. After a failure none begins; those under way are waited for."""

    def begin(call: Callable[[], Any]) -> Any:
        if ctx.cancelled.is_set():
            raise ConflictError("the step was ended before all of it was done")
        return call()

    if at_once == 1:
        return [begin(call) for call in calls]
    with ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="step") as pool:
        futures = [pool.submit(begin, call) for call in calls]
        wait(futures, return_when=FIRST_EXCEPTION)
        for future in futures:
            future.cancel()
        wait([future for future in futures if not future.cancelled()])
    errors = [error for future in futures if not future.cancelled() and (error := future.exception()) is not None]

    # One that only waits is no exception of the ordinary kind: it is told last, and called again then. Of those the run
    # waits for the one whose time comes first; called again, it looks at all of them.
    def order(one: BaseException) -> tuple[bool, float]:
        return not isinstance(one, Exception), getattr(one, "wake_at", None) or inf

    for error in sorted(errors, key=order):
        raise error
    return [future.result() for future in futures]
