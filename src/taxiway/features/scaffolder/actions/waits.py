"""`debug:wait`, `approval:wait` and `secret:set`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from taxiway.core.context import Platform
from taxiway.features.scaffolder.extras import wait_approval, wait_seconds
from taxiway.model.errors import InputError
from taxiway.model.run import Created
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema

LONGEST_SECONDS = 600.0
"""The longest `debug:wait`, as in Backstage; `taxiway:wait` has another limit."""
NUMBER = {"type": "number", "minimum": 0}
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}")
Values = Mapping[str, Any]


def waiting_actions(platform: Platform) -> list[FunctionAction]:
    """The actions of this module."""
    return [
        FunctionAction(
            key="debug:wait",
            description="Wait for up to 10 minutes; one second where nothing is said. No thread is held",
            function=_wait,
            input_schema=schema(minutes=NUMBER, seconds=NUMBER, milliseconds=NUMBER),
            output_schema=schema(),
        ),
        FunctionAction(
            key="approval:wait",
            description="Wait until somebody else than who started the run approves; a rejection fails the step",
            function=_approval,
            input_schema=schema(
                message="What is to be decided",
                approvers={"type": "array", "items": {"type": "string"}, "description": "Users and groups who may"},
            ),
            output_schema=schema(),
        ),
        FunctionAction(
            key="secret:set",
            description="Store a secret of this run, and give its reference; undo forgets it",
            function=lambda ctx, values: _secret(platform, ctx, values),
            input_schema=schema(["name", "value"], name="Its name", value="Its value: write secrets.NAME"),
            output_schema=schema(reference="secret://…, to be given where a reference is taken"),
            take_back=lambda ctx, created: _forget(platform, ctx, created),
        ),
    ]


def _wait(ctx: StepContext, values: Values) -> Values:
    seconds = values.get("minutes", 0) * 60 + values.get("seconds", 0) + values.get("milliseconds", 0) / 1000
    seconds = seconds or 1.0
    if seconds > LONGEST_SECONDS:
        raise InputError(f"debug:wait waits for {LONGEST_SECONDS:g} seconds at most", code="scaffolder.bad_wait")
    ctx.log(f"Waiting for {seconds:g} seconds")
    wait_seconds(ctx, seconds)
    return {}


def _approval(ctx: StepContext, values: Values) -> Values:
    wait_approval(ctx, values.get("message") or "The step waits for an approval", values.get("approvers") or [])
    return {}


def _secret(platform: Platform, ctx: StepContext, values: Values) -> Values:
    if NAME.fullmatch(values["name"]) is None:
        raise InputError("a secret's name has letters, digits, '_', '.' and '-'", code="scaffolder.secret_name")
    name = f"golden-paths/{ctx.run_id}/{values['name']}"
    if ctx.is_dry_run:
        return {"reference": f"secret://secrets_local/{name}"}
    reference = platform.secrets.put(name, values["value"])
    ctx.created("secret", reference, {"reference": reference})
    return {"reference": reference}


def _forget(platform: Platform, ctx: StepContext, created: Sequence[Created]) -> None:
    for item in created:
        if item.kind == "secret":
            platform.secrets.delete(item.data["reference"])
            ctx.log(f"Forgot {item.name}")
