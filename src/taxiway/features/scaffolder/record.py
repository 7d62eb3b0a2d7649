"""What a service remembers of its golden path: a file in its repository, and a record in the store.

Both name the template, its version, the engine and the answers that are no secrets; the record also has the template as
it was, the snapshot of its files and the steps' outputs, so that the old render can be made again when the template is
gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import yaml

from taxiway.features.scaffolder.model import OUTPUT_STEP, Service, Version, version_name
from taxiway.features.scaffolder.steps import Call
from taxiway.model.run import Run
from taxiway.plugin import Action, StepContext
from taxiway.plugin.actions import inside

FILE = ".taxiway/scaffold.yaml"
ENGINE = "nunjitsu"
HEAD = """\
# Written by Taxiway: the golden path that made this repository, and the answers that it was given.
# Upgrades start from here. Change it only through an upgrade.
"""
Values = Mapping[str, Any]


def record_text(template_ref: str, document: Values, snapshot: str, values: Values) -> str:
    """The content of the file."""
    body = {
        "template": template_ref,
        "version": version_name(document, snapshot),
        "engine": ENGINE,
        "answers": dict(values),
    }
    return HEAD + yaml.safe_dump(body, sort_keys=False, allow_unicode=True)


def recorded(call: Call, text: Callable[[], str]) -> Call:
    """`call`, with the file (`text` gives it) written into what a publishing action is about to publish."""

    def calling(action: Action, ctx: StepContext, values: Values) -> Values:
        if action.key.startswith("publish:"):
            file = inside(ctx.workspace, values.get("sourcePath") or ".") / FILE
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text())
        return call(action, ctx, values)

    return calling


def service_of(run: Run) -> Service | None:
    """The service that a run of a golden path made; None where it made no repository for an entity."""
    made = [item.name for step in run.steps for item in step.created if item.kind == "repository"]
    if run.subject is None or len(made) != 1:
        return None
    pinned = run.definition
    return Service(
        subject=run.subject,
        repository=made[0],
        owner=run.owner,
        template_ref=run.input["template_ref"],
        version=Version(pinned["document"], pinned["snapshot"], run.input["values"]),
        outputs={step.id: step.output or {} for step in run.steps if step.id != OUTPUT_STEP},
        run_id=run.id,
        created_at=run.created_at,
    )
