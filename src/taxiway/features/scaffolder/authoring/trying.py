"""Tries a template with a case's answers, by the server's own dry run, and keeps what came of it.

Nothing outside of a scratch folder changes. The platform is a throw-away one, without a server.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.features.catalog import service as catalog
from taxiway.features.scaffolder.authoring.cases import Case
from taxiway.features.scaffolder.authoring.reading import Known, Subject
from taxiway.features.scaffolder.execution import render_output
from taxiway.features.scaffolder.model import parse_template
from taxiway.features.scaffolder.service import Scaffolder
from taxiway.features.scaffolder.trying import trial
from taxiway.kit.canonical import digest
from taxiway.model.access import Principal
from taxiway.model.entity import parse_ref
from taxiway.model.errors import InputError, TaxiwayError
from taxiway.plugin import Action, SourcedEntity
from taxiway.plugin.actions import FunctionAction, workspace_files

SOURCE = "template-test"


@dataclass(frozen=True)
class Tried:
    """What came of a case. `invalid` are answers that were refused, `error` is why the run would fail."""

    files: Mapping[str, tuple[bytes, bool]] = field(default_factory=dict)
    steps: Sequence[Mapping[str, Any]] = ()
    expressions: Mapping[str, Any] = field(default_factory=dict)
    output: Mapping[str, Any] = field(default_factory=dict)
    log: Sequence[Mapping[str, Any]] = ()
    invalid: Sequence[str] = ()
    error: str = ""


def known_actions(platform: Platform) -> dict[str, Known]:
    """The actions that are installed."""
    actions = platform.registry.all("action", Action)
    return {action.key: Known(action.input_schema, action.output_schema) for action in actions}


def add_actions(platform: Platform, listed: Sequence[Mapping[str, Any]]) -> None:
    """Actions of a server, by its own list of them: their inputs are checked, and they are not tried."""
    for item in listed:
        if platform.registry.has("action", item["id"]):
            continue
        schema = item.get("schema") or {}
        action = FunctionAction(
            key=item["id"],
            description=item.get("description") or "",
            function=lambda ctx, values: {},
            input_schema=schema.get("input") or {},
            output_schema=schema.get("output") or {},
            supports_dry_run=False,
        )
        platform.registry.add("action", action, "listed")


def try_case(platform: Platform, subject: Subject, case: Case) -> Tried:
    """Try a case. Only faults of the template and its answers are part of the answer; others are raised."""
    scaffolder: Scaffolder = platform.services["scaffolder"]
    name = str(subject.document["metadata"]["name"]).lower()
    user = str(parse_ref(case.user, default_kind="user"))
    system = platform.system(SOURCE)
    items = [SourcedEntity(document, f"file:{subject.file}") for document in case.entities]
    platform.store.write(lambda tx: catalog.apply_entities(tx, system, items, SOURCE, full=True))
    ctx = system.acting_as(Principal(user, roles=frozenset({"developer"}), ownership=frozenset({user})))
    try:
        template = parse_template(
            subject.document, f"template:default/{name}", f"file:{subject.file}", digest(subject.document)
        )
        order = scaffolder.order(template, case.values, case.secrets)
    except InputError as error:
        if error.code != "scaffolder.invalid_values" and error.code != "scaffolder.invalid_secrets":
            return Tried(error=error.detail)
        return Tried(invalid=sorted({_answer(item.pointer, item.detail) for item in error.errors}), error=error.detail)
    except TaxiwayError as error:
        return Tried(error=error.detail)
    return _run(ctx, scaffolder, order, case)


def _answer(pointer: str, detail: str) -> str:
    """The name of the answer that a fault is about. One that is missing is named in the words only."""
    name = pointer.lstrip("/").split("/")[0]
    return name or detail.partition('"')[2].partition('"')[0] or detail


def _run(ctx: OpContext, scaffolder: Scaffolder, order: Any, case: Case) -> Tried:
    renderer = scaffolder.renderer
    found = Tried()
    try:
        with trial(ctx, renderer, order, known=case.outputs) as tried:
            files = {
                path: (full.read_bytes(), os.access(full, os.X_OK)) for path, full in workspace_files(tried.workspace)
            }
            found = Tried(files, list(tried.steps), tried.expressions, {}, list(tried.log))
            output = render_output(renderer, order.template.output, tried.expressions)
            return replace(found, output=output)
    except TaxiwayError as error:
        return replace(found, error=error.detail)
