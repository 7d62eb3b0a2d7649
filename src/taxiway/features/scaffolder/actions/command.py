"""`command`: a program on the files of the workspace, in a folder and as a user of its own, without a shell.

What it writes into the workspace comes back when it ends with exit code 0; a plan runs it only where the step says that
it changes nothing else (`dryRun: true`). Undo has nothing to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taxiway.core.context import Platform
from taxiway.features.scaffolder.actions.using import may_use
from taxiway.features.scaffolder.commands.running import Job, as_text, run_job
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema

KEY = "command"
TEXT = {"type": ["string", "number", "boolean"]}
Values = Mapping[str, Any]


def command_action(platform: Platform) -> FunctionAction:
    """The action."""
    return FunctionAction(
        key=KEY,
        description="Run a program on the workspace: bounded, as a user of its own, without a shell",
        function=lambda ctx, values: _run(platform, ctx, values),
        input_schema=schema(
            ["arguments"],
            arguments={
                "type": "array",
                "items": TEXT,
                "minItems": 1,
                "maxItems": 100,
                "description": "A program of the host, or a file of the workspace as ./name, and its arguments",
            },
            workingDirectory="Folder of the workspace where it starts",
            environment={"type": "object", "additionalProperties": TEXT, "description": "Its variables"},
            outputs={
                "type": "string",
                "enum": ["file", "stdout", "none"],
                "description": "Where its outputs are: in the file $TAXIWAY_OUTPUT (default), or printed as JSON",
            },
            timeoutSeconds={"type": "number", "exclusiveMinimum": 0},
            dryRun={"type": "boolean", "description": "Run it in plans too: it changes nothing but the workspace"},
        ),
        output_schema=schema(outputs={"type": "object", "description": "What it gave back, by name"}),
        recovery="manual",
        check=lambda principal: may_use(platform, principal, KEY),
    )


def _run(platform: Platform, ctx: StepContext, values: Values) -> Values:
    arguments = [as_text(one) for one in values["arguments"]]
    if ctx.is_dry_run and not values.get("dryRun"):
        ctx.log(f"a dry run does not run {arguments[0]}")
        return {"outputs": {}}
    job = Job(
        arguments=arguments,
        environment={name: as_text(value) for name, value in (values.get("environment") or {}).items()},
        directory=values.get("workingDirectory") or ".",
        outputs=values.get("outputs") or "file",
        seconds=values.get("timeoutSeconds"),
    )
    return {"outputs": run_job(platform, ctx, job)}
