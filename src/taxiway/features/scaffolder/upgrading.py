"""An upgrade as values: the old render, the new one, and the words of the pull request between them.

Both renders are made by trying the template's steps up to its publishing one, with the outputs that the service's own
run recorded for steps that cannot be tried.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from taxiway.core.context import OpContext
from taxiway.features.scaffolder.model import (
    Order,
    Service,
    Template,
    Version,
    page_schema,
    parse_template,
    secret_fields,
)
from taxiway.features.scaffolder.record import FILE, record_text
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.features.scaffolder.trying import MASK, trial
from taxiway.features.scaffolder.validation import check_values, schema_errors, with_defaults
from taxiway.kit.pointer import pointer
from taxiway.model.errors import FieldError, InputError
from taxiway.model.pulls import CarryConflict
from taxiway.model.run import StepDefinition
from taxiway.model.workload import FileChange
from taxiway.plugin.actions import inside, workspace_files

BRANCH = "taxiway/upgrade-"
KINDS = {
    "content": "both sides changed it: it holds conflict marks",
    "binary": "both sides changed it and it cannot be merged: it is as it was here",
    "deleted_here": "the golden path changed it, here it was deleted: it stays deleted",
    "deleted_there": "the golden path deleted it, here it was changed: it stays",
    "moved": "both sides moved it, each to another place",
}
Values = Mapping[str, Any]


def branch_of(version: str) -> str:
    """The branch of an upgrade to `version`."""
    return f"{BRANCH}{version}"


def kept_answers(template: Template, before: Values, given: Values) -> dict[str, Any]:
    """The answers of a service that the template still asks for, with `given` above them, and defaults below."""
    asked = set(_names(template.pages))
    kept = {name: value for name, value in before.items() if name in asked or not asked}
    return with_defaults(template.pages, {**kept, **given})


def answers_for(template: Template, before: Values, given: Values) -> dict[str, Any]:
    """The answers of an upgrade. InputError names the questions that are new and have no default."""
    values = kept_answers(template, before, given)
    hidden = secret_fields(template.pages)
    required = [name for page in template.pages for name in page.get("required") or []]
    missing = [name for name in dict.fromkeys(required) if name not in values and name not in hidden]
    if missing:
        raise InputError(
            f"the new version asks for {', '.join(missing)}: give an answer",
            code="scaffolder.invalid_values",
            errors=[FieldError(pointer([name]), "it needs an answer") for name in missing],
        )
    check_values(template.pages, {**values, **dict.fromkeys(hidden, MASK)})
    return {name: value for name, value in values.items() if name not in hidden}


def questions(template: Template, before: Template, values: Values) -> list[dict[str, Any]]:
    """What the template asks that the version before did not ask, or asked otherwise so that the answer no longer
    fits: {name, schema, is_required, is_new, answer, problem}."""
    hidden, known, asked = secret_fields(template.pages), _asked(before), _asked(template)
    wrong: dict[str, str] = {}
    for page in template.pages:
        for error in schema_errors(page_schema(page), {**values, **dict.fromkeys(hidden, MASK)}):
            wrong.setdefault(error.pointer.strip("/").split("/")[0], error.detail)
    required = {name for page in template.pages for name in page.get("required") or []}
    return [
        {
            "name": name,
            "schema": spec,
            "is_required": name in required,
            "is_new": name not in known,
            "answer": values.get(name),
            "problem": "it needs an answer" if name in required and name not in values else wrong.get(name),
        }
        for name, spec in asked.items()
        if name not in hidden and (name not in known or name in wrong)
    ]


def _names(schema: Any) -> Iterator[str]:
    """Names of all questions, of those too that depend on the answer to another."""
    if isinstance(schema, Mapping):
        yield from (schema.get("properties") or {}) if isinstance(schema.get("properties"), Mapping) else ()
        for part in schema.values():
            yield from _names(part)
    elif isinstance(schema, Sequence) and not isinstance(schema, str):
        for part in schema:
            yield from _names(part)


def _asked(template: Template) -> dict[str, Any]:
    return {name: spec for page in template.pages for name, spec in (page.get("properties") or {}).items()}


def render(
    ctx: OpContext, renderer: Renderer, ref: str, version: Version, outputs: Mapping[str, Mapping[str, Any]]
) -> dict[str, FileChange]:
    """What the template publishes for these answers: content by path."""
    template = parse_template(version.document, ref, "", version.name)
    hidden = {*secret_fields(template.pages), *((template.secrets_schema or {}).get("properties") or {})}
    order = Order(template, version.snapshot, version.values, sorted(hidden))
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


def summary(service: Service, target: str, conflicts: Sequence[CarryConflict], is_record_changed: bool) -> str:
    """The text of the pull request."""
    lines = [
        f"Brings this repository from version `{service.version.name}` of the golden path `{service.template_ref}` to "
        f"`{target}`.",
        "",
        "It is a three-way merge of what the golden path made before, what it makes now, and what is here. Your own "
        "changes are kept.",
    ]
    if conflicts:
        lines += ["", "**Look at these files**, then push what you decide to this branch:", ""]
        lines += [f"- `{item.path}`: {KINDS[item.kind]}" for item in conflicts]
    if any(item.kind == "content" for item in conflicts):
        lines += ["", "It is a draft because of the conflict marks: mark it as ready when they are gone."]
    if is_record_changed:
        lines += ["", f"`{FILE}` was changed by hand. It is written anew: the upgrade goes by what Taxiway remembers."]
    lines += ["", "Merge it to take the upgrade; close it to decline this version."]
    return "\n".join(lines)


def _publishes(step: StepDefinition) -> bool:
    return step.action.startswith("publish:")
