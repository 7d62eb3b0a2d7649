"""`Action` entities as actions: found in the catalog by their ids, beside those that are installed.

The registry asks `declared_actions` for what no plugin or feature brings, so that lists, the template editor, lint,
plans and runs treat them like any other. An id that an installed action has stays the installed one's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from taxiway.core.context import Platform
from taxiway.core.runs.redact import Redactor
from taxiway.features.catalog import service as catalog
from taxiway.features.scaffolder.actions.using import may_use
from taxiway.features.scaffolder.commands.running import Job, as_text, run_job
from taxiway.features.scaffolder.declared import calling
from taxiway.features.scaffolder.declared.model import KIND, Declared, declared_of
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.features.scaffolder.validation import schema_errors
from taxiway.model.access import Principal
from taxiway.model.errors import InputError, TaxiwayError
from taxiway.model.run import Created, Recovery
from taxiway.plugin import StepContext

CALL = "call"
Values = Mapping[str, Any]


@dataclass(frozen=True)
class DeclaredAction:
    """An `Action` entity that a step can call."""

    platform: Platform
    renderer: Callable[[], Renderer]
    declared: Declared

    @property
    def key(self) -> str:
        return self.declared.key

    @property
    def description(self) -> str:
        return self.declared.description

    @property
    def input_schema(self) -> Values:
        return self.declared.input_schema

    @property
    def output_schema(self) -> Values:
        return self.declared.output_schema

    @property
    def recovery(self) -> Recovery:
        return self.declared.recovery

    @property
    def supports_dry_run(self) -> bool:
        return self.declared.runs_in_dry_run

    def check_use(self, principal: Principal) -> None:
        """NotAllowedError for who may not use it."""
        may_use(self.platform, principal, self.key, self.declared.allowed)

    def run(self, ctx: StepContext, values: Values) -> Values:
        secrets, redactor = self._secrets(ctx, self.declared.secrets), Redactor()
        for value in secrets.values():
            redactor.add(value)

        def log(text: str, stream: str = "stdout") -> None:
            ctx.log(redactor.values(text), stream)

        try:
            masked = replace(ctx, log=log, mask=lambda text: ctx.mask(redactor.values(text)))
            return dict(redactor.document(self._run(masked, values, secrets)))
        except TaxiwayError as error:
            again = error.retry_after_seconds
            detail = redactor.values(error.detail)
            raise type(error)(detail, code=error.code, errors=error.errors, retry_after_seconds=again) from error

    def _run(self, ctx: StepContext, values: Values, secrets: Mapping[str, str]) -> Values:
        action, undo = self.declared, self.declared.how.get("undo")
        early = undo is not None and "output" not in json.dumps(undo)
        if undo is not None and early:
            self._note(ctx, undo, values, {})
        if action.kind == "http":
            output = calling.call(self.platform, self.renderer(), ctx, action, values, secrets)
        else:
            output = run_job(self.platform, ctx, self._job(action.how, {"input": values, "secrets": secrets}))
        if undo is not None and not early:
            self._note(ctx, undo, values, output)
        self._check_output(output)
        return output

    def probe(self, ctx: StepContext, values: Values) -> Values | None:
        return None

    def undo(self, ctx: StepContext, created: Sequence[Created]) -> None:
        """Take back by what was noted then, whatever the entity says now."""
        for item in reversed(created):
            data = item.data
            given, secrets = {"input": data["input"], "output": data["output"]}, self._secrets(ctx, data["secrets"])
            if data["kind"] == "http":
                calling.take_back(self.platform, self.renderer(), ctx, data["undo"], given, secrets)
            else:
                run_job(self.platform, ctx, self._job(data["undo"], {**given, "secrets": secrets}, is_undo=True))
            ctx.log(f"Took back {item.name}")

    def _note(self, ctx: StepContext, undo: Values, values: Values, output: Values) -> None:
        if ctx.is_dry_run:
            return
        noted = {"kind": self.declared.kind, "undo": undo, "secrets": dict(self.declared.secrets)}
        name = f"{self.key} by {ctx.idempotency_key}"
        ctx.created(CALL, name, {**noted, "input": dict(values), "output": dict(output)})

    def _secrets(self, ctx: StepContext, references: Mapping[str, str]) -> dict[str, str]:
        # A dry run resolves none by itself; what it calls changes nothing, and needs them all the same.
        resolve = self.platform.secrets.get if ctx.is_dry_run else ctx.resolve_secret
        return {name: resolve(reference) for name, reference in references.items()}

    def _job(self, how: Values, scope: Values, *, is_undo: bool = False) -> Job:
        rendered = self.renderer().value(
            {"arguments": list(how["arguments"]), "environment": how.get("environment") or {}}, scope
        )
        if is_undo:
            calling.refuse_masked(rendered)
        files = {"input.json": json.dumps({key: value for key, value in scope.items() if key != "secrets"})}
        files |= how.get("files") or {}
        return Job(
            arguments=[as_text(one) for one in rendered["arguments"]],
            environment={name: as_text(value) for name, value in rendered["environment"].items()},
            files={f".action/{name}": (text.encode(), text.startswith("#!")) for name, text in files.items()},
            uses_workspace=bool(how.get("workspace")) and not is_undo,
            outputs="none" if is_undo else how.get("outputs") or "file",
            seconds=how.get("timeoutSeconds"),
            memory_bytes=how.get("memoryBytes"),
        )

    def _check_output(self, output: Values) -> None:
        problems = schema_errors(self.output_schema, dict(output))
        if problems:
            first = problems[0]
            raise InputError(
                f"the action {self.key} gave outputs that its schema refuses, {first.pointer or 'the outputs'}: "
                f"{first.detail}: ask {self.declared.ref}'s owner",
                code="scaffolder.invalid_output",
                errors=problems,
            )


def declared_actions(platform: Platform, renderer: Callable[[], Renderer]) -> Mapping[str, DeclaredAction]:
    """Every usable `Action` entity by its id. Of two that claim one id the first by reference has it."""
    found: dict[str, DeclaredAction] = {}
    for document in catalog.list_entities(platform, kind=KIND.lower()):
        try:
            declared = declared_of(document)
        except InputError as error:
            platform.log.warning("scaffolder.bad_action", error=error.detail, at=[one.pointer for one in error.errors])
            continue
        found.setdefault(declared.key, DeclaredAction(platform, renderer, declared))
    return found
