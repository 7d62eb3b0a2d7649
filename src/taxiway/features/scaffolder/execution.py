"""Runs of kind `scaffold`: the handler that executes a pinned template step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from taxiway.core.context import Platform
from taxiway.core.runs.handler import BaseHandler, StepResult
from taxiway.core.runs.redact import SHORTEST
from taxiway.core.store.database import Tx
from taxiway.features.catalog import service as catalog
from taxiway.features.scaffolder import repository
from taxiway.features.scaffolder.actions.fetch import TEMPLATE_FOLDER
from taxiway.features.scaffolder.model import OUTPUT_STEP, is_true, pages_of, runs_after_failure
from taxiway.features.scaffolder.record import record_text, recorded, service_of
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.features.scaffolder.snapshot import unpack
from taxiway.features.scaffolder.steps import Call, probe_action, run_action, run_step
from taxiway.features.scaffolder.user_tokens import host_at, refuse_without, takes_token, token_names
from taxiway.model.errors import InputError
from taxiway.model.event import Event
from taxiway.model.run import Run, RunState, Step
from taxiway.plugin import Action, StepContext
from taxiway.plugin.actions import inside, workspace_files

PUBLISHING = ("publish:", "pull-request:create", "github:repo:push", "gitlab:repo:push")
"""What the actions begin with by which files of the workspace leave the host."""


class ScaffoldHandler(BaseHandler):
    """Steps are the template's, plus a last one that renders the output."""

    def __init__(self, platform: Platform, renderer: Renderer) -> None:
        self._platform = platform
        self._renderer = renderer

    def execute(self, run: Run, step: Step, ctx: StepContext) -> StepResult:
        return self._call(run, step, ctx, run_action)

    def probe(self, run: Run, step: Step, ctx: StepContext) -> StepResult:
        """Asks the action first, for each turn of a loop; what was not done is done now."""
        return self._call(run, step, ctx, probe_action)

    def _call(self, run: Run, step: Step, ctx: StepContext, call: Call) -> StepResult:
        unpack(self._platform, run.definition["snapshot"], ctx.workspace.parent / TEMPLATE_FOLDER)
        asked = run.definition["output"] if step.id == OUTPUT_STEP else step.definition
        expressions = self._expressions(run, asked)
        if step.id == OUTPUT_STEP:
            return StepResult(render_output(self._renderer, run.definition["output"], expressions))
        pinned, values = run.definition, run.input["values"]
        text = partial(record_text, run.input["template_ref"], pinned["document"], pinned["snapshot"], values)
        output = run_step(
            self._platform.registry,
            self._renderer,
            {**step.definition, "action": step.action},
            expressions,
            self._secrets(run, step, ctx),
            ctx,
            failed=_failed(run),
            call=self._as_person(run, self._keeping(run, recorded(call, text))),
        )
        if output is None:
            ctx.log(f"Skipping step {step.id} because its if condition was false")
            return StepResult({}, "skipped")
        return StepResult(output)

    def runs_after_failure(self, run: Run, step: Step) -> bool:
        return runs_after_failure(step.definition.get("if"))

    def check_undo(self, run: Run, step: Step) -> None:
        action = self._platform.registry.get("action", step.action, Action)
        check = getattr(action, "check_undo", None)
        if check is not None:
            check(step.created)

    def undo(self, run: Run, step: Step, ctx: StepContext) -> None:
        if step.created:
            self._platform.registry.get("action", step.action, Action).undo(ctx, step.created)

    def finish(self, tx: Tx, run: Run, state: RunState) -> Mapping[str, Any]:
        last = run.steps[-1]
        service = service_of(run) if state == "succeeded" else None
        if service is not None:
            repository.insert_service(tx, service)
        return last.output or {} if last.id == OUTPUT_STEP else {}

    def _keeping(self, run: Run, call: Call) -> Call:
        """`call`, which refuses to publish a file that has a secret of the run in it."""

        def calling(action: Action, ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any]:
            secrets = run.input.get("secrets", {})
            if secrets and action.key.startswith(PUBLISHING):
                known = [value for one in secrets.values() if len(value := ctx.resolve_secret(one)) >= SHORTEST]
                refuse_secrets(inside(ctx.workspace, values.get("sourcePath") or "."), known)
            return call(action, ctx, values)

        return calling

    def _as_person(self, run: Run, call: Call) -> Call:
        """`call` with the token of who filled in the form, where it was asked for on the host of the step."""
        names = token_names(pages_of(run.definition["document"]), run.input["values"])
        secrets = run.input.get("secrets", {})

        def calling(action: Action, ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any]:
            reference = secrets.get(names.get(host_at(action, values), ""))
            if reference and takes_token(action) and not values.get("token"):
                values = {**values, "token": ctx.resolve_secret(reference)}
            refuse_without(self._platform.settings.scaffolder, action, values, has_token=False)
            return call(action, ctx, values)

        return calling

    def _expressions(self, run: Run, asked: Any) -> dict[str, Any]:
        return {
            "parameters": run.input["values"],
            "steps": {step.id: {"output": step.output or {}} for step in run.steps if step.id != OUTPUT_STEP},
            "user": user_of(self._platform, run.created_by, asked),
            "context": {"task": {"id": run.id}},
        }

    def _secrets(self, run: Run, step: Step, ctx: StepContext) -> dict[str, str]:
        # Only steps that name secrets get them into the rendering process.
        if "secrets" not in str(step.definition):
            return {}
        return {name: ctx.resolve_secret(reference) for name, reference in run.input.get("secrets", {}).items()}


def user_of(platform: Platform, ref: str, asked: Any) -> dict[str, Any]:
    """What expressions see of who runs a template; the entity is looked up where `asked` names the user at all."""
    return {"ref": ref, "entity": catalog.get_entity(platform, ref) if "user" in str(asked) else None}


def refuse_secrets(folder: Path, secrets: Sequence[str]) -> None:
    """InputError when a file below `folder` holds one of `secrets`."""
    for name, path in workspace_files(folder):
        content = path.read_bytes()
        if any(secret.encode() in content for secret in secrets):
            raise InputError(
                f"'{name}' holds a secret, so nothing is published: put a reference there, made by secret:set",
                code="scaffolder.secret_written",
            )


class ForgetSecrets:
    """Forgets the secrets of a scaffold run when nobody can retry it any more."""

    key = "scaffolder_forget_secrets"
    types = ("dev.taxiway.run.ended.v1",)

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def handle(self, event: Event) -> None:
        if event.data.get("kind") != "scaffold" or event.data.get("state") not in ("succeeded", "undone"):
            return
        run = self._platform.runs.get(event.subject.removeprefix("run:"))
        for reference in run.input.get("secrets", {}).values():
            self._platform.secrets.delete(reference)


def render_output(renderer: Renderer, output: Mapping[str, Any], expressions: Mapping[str, Any]) -> Mapping[str, Any]:
    """The template's output with links and texts whose `if` is false left out."""
    rendered = renderer.value(dict(output), expressions)
    for part in ("links", "text"):
        if isinstance(rendered.get(part), list):
            kept = [item for item in rendered[part] if isinstance(item, Mapping) and is_true(item.get("if", True))]
            rendered[part] = [{key: value for key, value in item.items() if key != "if"} for item in kept]
    return {name: value for name, value in rendered.items() if value is not None}


def _failed(run: Run) -> bool:
    return any(step.state == "failed" for step in run.steps)
