"""Tries the steps of a template in a scratch folder: for plans, dry runs and upgrades. Nothing outside of it changes.

Actions that cannot be tried are skipped. Their output is the one that an earlier run recorded, where the caller knows
it, else it is made up from their schema, as in Backstage's dry run.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from taxiway.core.context import OpContext
from taxiway.features.scaffolder.actions.fetch import TEMPLATE_FOLDER
from taxiway.features.scaffolder.execution import user_of
from taxiway.features.scaffolder.model import Order
from taxiway.features.scaffolder.record import record_text, recorded
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.features.scaffolder.snapshot import link_loose, loose, unpack
from taxiway.features.scaffolder.steps import run_step
from taxiway.features.scaffolder.user_tokens import acts_on_forge, host_at, refuse_without, takes_token, token_names
from taxiway.model.errors import InputError, NotFoundError, TaxiwayError
from taxiway.model.run import StepDefinition
from taxiway.plugin import Action, CheckResult, StepContext

Values = Mapping[str, Any]
MASK = "***"
PUBLISHING_HERE = "publish:git"
CERTAIN = ("scaffolder.missing_action", "scaffolder.syntax", "scaffolder.user_credentials")


@dataclass(frozen=True)
class Trial:
    """How it went: the workspace as it is now, log lines, steps with their rendered inputs, what expressions see, and
    what is wrong."""

    workspace: Path
    expressions: Mapping[str, Any]
    log: list[Mapping[str, Any]] = field(default_factory=list)
    steps: list[Mapping[str, Any]] = field(default_factory=list)
    problems: list[CheckResult] = field(default_factory=list)
    made_up: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    """Of forges that its steps act on."""
    inside: list[tuple[str, Any, bool]] = field(default_factory=list)
    """(step, what trying it gave, whether outputs before it were made up) of golden paths inside of this one."""


@contextmanager
def trial(
    ctx: OpContext,
    renderer: Renderer,
    order: Order,
    *,
    known: Mapping[str, Values] | None = None,
    until: Callable[[StepDefinition], bool] = lambda step: False,
    collect: bool = False,
) -> Iterator[Trial]:
    """Try the steps of an order, up to the first for which `until` holds: its input is rendered, and it is not called.

    `known` has outputs by step id. With `collect` a step that fails is among the problems, and the next ones are tried.
    """
    scratch = ctx.platform.settings.data / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        workspace = Path(folder, "workspace")
        workspace.mkdir()
        if order.folder is None:
            unpack(ctx.platform, order.snapshot, Path(folder, TEMPLATE_FOLDER))
        else:
            link_loose(order.folder, Path(folder, TEMPLATE_FOLDER))
        user = user_of(ctx.platform, ctx.principal.subject, order.template.document["spec"])
        task = {"task": {"id": "dry-run"}}
        tried = Trial(workspace, {"parameters": order.values, "steps": {}, "user": user, "context": task})
        for step in order.template.steps:
            is_last = until(step)
            _try_step(ctx, renderer, order, step, tried, known or {}, is_last=is_last, collect=collect)
            if is_last:
                break
        yield tried


def _try_step(
    ctx: OpContext,
    renderer: Renderer,
    order: Order,
    step: StepDefinition,
    tried: Trial,
    known: Mapping[str, Values],
    *,
    is_last: bool,
    collect: bool,
) -> None:
    registry, inputs = ctx.platform.registry, []
    tokens = token_names(order.template.pages, order.values)

    def call(action: Action, step_ctx: StepContext, rendered: Values) -> Values:
        inputs.append(rendered)
        has_token = takes_token(action) and tokens.get(host_at(action, rendered)) in order.secrets
        refuse_without(ctx.platform.settings.scaffolder, action, rendered, has_token=has_token)
        if is_last:
            return {}
        if action.key == PUBLISHING_HERE:
            tried.hosts.add(urlsplit(ctx.platform.public_url()).netloc.lower())
        done = _run_dry(action, step_ctx, rendered, tried, has_token=has_token)
        if step_ctx.step_id in known:
            return known[step_ctx.step_id]
        if done is not None:
            return done
        try_inside = getattr(action, "try_inside", None)
        if try_inside is not None:
            output, found = try_inside(ctx, rendered, order.deep)
            tried.inside.append((step_ctx.step_id, found, bool(tried.made_up)))
            tried.made_up.append(step_ctx.step_id)
            return dict(output)
        step_ctx.log(f"{action.key} is not tried in a dry run")
        tried.made_up.append(step_ctx.step_id)
        return _example(action.output_schema)

    definition = {"action": step.action, "input": step.input, "if": step.condition, "each": step.each}
    definition |= {"options": step.options} if step.options else {}
    masked = dict.fromkeys(order.secrets, MASK)
    context = _context(ctx, step.id, tried.workspace, tried.log)
    output: Values | None
    try:
        output = run_step(
            registry,
            renderer,
            definition,
            tried.expressions,
            masked,
            context,
            call=recorded(call, partial(_record, order)),
        )
    except TaxiwayError as error:
        if not collect:
            raise
        output = {}
        tried.problems.append(_problem(step, error, tried.made_up))
        tried.made_up.append(step.id)
    if output is None and not registry.has("action", step.action):
        detail = f"the action '{step.action}' is not installed; with these answers its step is skipped"
        tried.problems.append(CheckResult(f"step:{step.id}", f"Step {step.name}", "not_checked", detail))
    tried.expressions["steps"][step.id] = {"output": output or {}}
    told = {"id": step.id, "action": step.action, "skipped": output is None}
    tried.steps.append({**told, "inputs": inputs, "output": output or {}})


def _record(order: Order) -> str:
    pinned = order.snapshot if order.folder is None else loose(order.folder)
    return record_text(order.template.ref, order.template.document, pinned, order.values)


def _run_dry(action: Action, ctx: StepContext, values: Values, tried: Trial, *, has_token: bool) -> Values | None:
    """What an action gives in a dry run; None where it is not tried."""
    host = host_at(action, values)
    if acts_on_forge(action):
        tried.hosts.add(host)
    elif host and (has_token or values.get("token")):
        return None  # nobody has given the person's token yet, and nothing else may read in its place
    if not action.supports_dry_run:
        return None
    try:
        return action.run(ctx, values)
    except NotFoundError:
        if not acts_on_forge(action) and host in tried.hosts:  # a step before it may make what it fetches
            tried.made_up.append(ctx.step_id)
        raise


def _problem(step: StepDefinition, error: TaxiwayError, made_up: Sequence[str]) -> CheckResult:
    """What is wrong with a step. Behind steps whose output is made up, only what does not depend on it is certain."""
    title, is_certain = f"Step {step.name}", error.code in CERTAIN
    if made_up and not is_certain:
        detail = f"cannot be tried behind {', '.join(dict.fromkeys(made_up))}: {error.detail}"
        return CheckResult(f"step:{step.id}", title, "not_checked", detail)
    return CheckResult(f"step:{step.id}", title, "failed", error.detail)


def _context(ctx: OpContext, step_id: str, workspace: Path, log: list[Mapping[str, Any]]) -> StepContext:
    def refuse(*_: Any) -> Any:
        raise InputError("this action would wait, which a dry run cannot")

    return StepContext(
        run_id="dry-run",
        step_id=step_id,
        attempt=1,
        idempotency_key=f"dry-run/{step_id}",
        principal=ctx.principal,
        workspace=workspace,
        is_dry_run=True,
        cancelled=threading.Event(),
        log=lambda text, stream="stdout": log.append({"step": step_id, "text": str(text)}),
        created=lambda kind, name, data: None,
        checkpoint=lambda key, compute: compute(),
        wait_for_run=refuse,
        wait_for=refuse,
        resolve_secret=lambda reference: MASK,
    )


def _example(schema: Mapping[str, Any]) -> dict[str, Any]:
    """An output in the shape of `schema`: `<name>` for text, 0, false, empty list or object."""
    examples: dict[str, Any] = {"number": 0, "integer": 0, "boolean": False, "array": [], "object": {}}

    def example(name: str, kind: Any) -> Any:
        first = kind[0] if isinstance(kind, list) and kind else kind
        return examples.get(first, f"<{name}>")

    return {name: example(name, spec.get("type")) for name, spec in (schema.get("properties") or {}).items()}
