"""An upgrade as values: the old render, the new one, and the words of the pull request between them.

Both renders are made by trying the template's steps up to its publishing one, with the outputs that the service's own
run recorded for steps that cannot be tried.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from taxiway.core.context import OpContext
from taxiway.features.scaffolder.actions.base import inside, workspace_files
from taxiway.features.scaffolder.model import Order, Service, Template, Version, parse_template
from taxiway.features.scaffolder.record import FILE, record_text
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.features.scaffolder.trying import trial
from taxiway.features.scaffolder.validation import check_values, with_defaults
from taxiway.model.errors import InputError
from taxiway.model.run import StepDefinition
from taxiway.model.workload import FileChange

BRANCH = "taxiway/upgrade-"


def branch_of(version: str) -> str:
    """The branch of an upgrade to `version`."""
    return f"{BRANCH}{version}"


def answers_for(template: Template, before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The answers of an upgrade: those of the service that the template still asks for, with `given` above them.

    InputError names the questions that are new and have no default.
    """
    asked = {name for page in template.pages for name in (page.get("properties") or {})}
    kept = {name: value for name, value in before.items() if name in asked or not asked}
    values = with_defaults(template.pages, {**kept, **given})
    check_values(template.pages, values)
    return values


def render(
    ctx: OpContext, renderer: Renderer, ref: str, version: Version, outputs: Mapping[str, Mapping[str, Any]]
) -> dict[str, FileChange]:
    """What the template publishes for these answers: content by path."""
    template = parse_template(version.document, ref, "", version.name)
    order = Order(template, version.snapshot, version.values)
    known = {step.id: outputs[step.id] for step in template.steps if step.id in outputs}
    with trial(ctx, renderer, order, known=known, until=_publishes) as tried:
        last = tried.steps[-1] if tried.steps else None
        if last is None or not last["action"].startswith("publish:") or not last["inputs"]:
            raise InputError(
                f"{ref} publishes no repository: there is nothing to upgrade", code="scaffolder.no_publish"
            )
        root = inside(tried.workspace, last["inputs"][0].get("sourcePath") or ".")
        files = {path: FileChange(full.read_bytes(), os.access(full, os.X_OK)) for path, full in workspace_files(root)}
    text = record_text(ref, version.document, version.snapshot, version.values)
    return {**files, FILE: FileChange(text.encode())}


def summary(service: Service, target: str, conflicts: Sequence[str]) -> str:
    """The text of the pull request."""
    lines = [
        f"Brings this repository from version `{service.version.name}` of the golden path `{service.template_ref}` to "
        f"`{target}`.",
        "",
        "It is a three-way merge of what the golden path made before, what it makes now, and what is here. Your own "
        "changes are kept.",
    ]
    if conflicts:
        lines += ["", "**Both sides changed these files.** Look for conflict marks, then push to this branch:", ""]
        lines += [f"- `{name}`" for name in conflicts]
    lines += ["", "Merge it to take the upgrade; close it to decline this version."]
    return "\n".join(lines)


def _publishes(step: StepDefinition) -> bool:
    return step.action.startswith("publish:")
