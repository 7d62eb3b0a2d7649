"""Steps: ids that repeat, actions that are not installed, inputs that the action's schema refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jsonschema_rs

from taxiway.features.catalog.matching import Tests
from taxiway.features.catalog.repository.grammar import read_filters
from taxiway.features.catalog.service.lint import Finding
from taxiway.features.scaffolder.authoring.form import asked
from taxiway.features.scaffolder.authoring.reading import Known, Subject, suggestion
from taxiway.features.scaffolder.extras import option_problems, spec_problems
from taxiway.features.scaffolder.rendering.client import MARKS
from taxiway.model.errors import InputError

COMPOSED = ("anyOf", "oneOf", "allOf", "not", "if", "then", "else")
INSTALL = "Install the plugin that brings it, or name the server's actions with --actions"


def step_findings(subject: Subject) -> Iterator[Finding]:
    """Findings about each step by itself."""
    yield from _spec_keys(subject)
    seen: dict[str, int] = {}
    for index, name, step in subject.steps:
        where = ("spec", "steps", index)
        if name in seen:
            message = f"the id '{name}' is that of step {seen[name] + 1} too"
            yield subject.finding("error", "repeated-step", (*where, "id"), message, "Give each step its own id.")
        seen.setdefault(name, index)
        inner = step.get("taxiway:steps")
        yield from _prefixed(subject, where, step)
        for number, one in enumerate(inner if isinstance(inner, list) else []):
            yield from _call(subject, (*where, "taxiway:steps", number), one if isinstance(one, Mapping) else {})
        yield from _call(subject, where, step)


def _prefixed(subject: Subject, where: Sequence[str | int], step: Mapping[str, Any]) -> Iterator[Finding]:
    for problem in option_problems(step, where):
        yield subject.finding(
            "error", "prefixed-key", problem.pointer, problem.detail, "Correct the key, or remove it."
        )


def _spec_keys(subject: Subject) -> Iterator[Finding]:
    problems = spec_problems(subject.spec)
    for problem in problems:
        remedy = "Correct the key, or remove it."
        yield subject.finding("error", "prefixed-key", problem.pointer, problem.detail, remedy)
    bound = subject.spec.get("taxiway:for")
    if problems or bound is None:
        return
    known = asked(subject)
    if bound["parameter"] not in known:
        where, message = ("spec", "taxiway:for", "parameter"), f"no page asks for '{bound['parameter']}'"
        yield subject.finding(
            "error", "unknown-parameter", where, message, suggestion(bound["parameter"], known, "The form asks for")
        )
    filters = bound.get("filter") or []
    try:
        read_filters(Tests(), [filters] if isinstance(filters, str) else filters)
    except InputError as error:
        where = ("spec", "taxiway:for", "filter")
        yield subject.finding("error", "prefixed-key", where, error.detail, "Write it as for the catalog's lists.")


def _call(subject: Subject, where: Sequence[str | int], step: Mapping[str, Any]) -> Iterator[Finding]:
    action = step.get("action")
    if not isinstance(action, str) or MARKS.search(action):
        return
    known = subject.actions.get(action)
    if known is None:
        remedy = suggestion(action, subject.actions, "There are")
        remedy = remedy if remedy.startswith("Did") else f"{INSTALL}."
        message = f"the action '{action}' is not installed"
        yield subject.finding("error", "unknown-action", (*where, "action"), message, remedy)
    else:
        yield from _input(subject, (*where, "input"), action, known, step.get("input") or {})


def _input(subject: Subject, where: Sequence[str | int], action: str, known: Known, values: Any) -> Iterator[Finding]:
    schema = known.input_schema
    if not schema:
        return
    named = schema.get("properties")
    if isinstance(named, Mapping) and isinstance(values, Mapping):
        for key in values:
            if key not in named:
                level = "error" if suggestion(key, named, "").startswith("Did") else "warning"
                remedy = suggestion(key, named, "It takes")
                message = f"{action} takes no '{key}': it has no effect"
                yield subject.finding(
                    "error" if level == "error" else "warning", "unknown-input", (*where, key), message, remedy
                )
    try:
        faults = list(jsonschema_rs.validator_for(dict(schema)).iter_errors(values))
    except ValueError:
        return  # the plugin's own mistake
    for fault in faults:
        at = list(fault.instance_path)
        composed = next((key for key in COMPOSED if key in fault.schema_path), None)
        if fault.schema_path[-1:] == ["additionalProperties"] or _is_open(
            _at(values, at), composed=composed is not None
        ):
            continue
        place = "".join(f".{part}" for part in at)
        message = f"{action} refuses its input{place}: {fault.message}"
        yield subject.finding(
            "error", "invalid-input", (*where, *at), message, "See `taxiway api scaffolder.list_actions`."
        )


def _at(value: Any, path: Sequence[str | int]) -> Any:
    for part in path:
        value = value[part]
    return value


def _is_open(value: Any, *, composed: bool) -> bool:
    """Whether only rendering tells what a value is. An alternative may turn on anything inside."""
    if isinstance(value, str):
        return MARKS.search(value) is not None
    if not composed:
        return False
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return any(_is_open(item, composed=True) for item in items)
