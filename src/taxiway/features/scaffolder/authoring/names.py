"""Names in expressions: parameters that nobody asks for, filters that there are not, outputs that no step gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from taxiway.features.catalog.service.lint import Finding
from taxiway.features.scaffolder.authoring.form import Asked, asked, used_by_form
from taxiway.features.scaffolder.authoring.reading import Subject, Text, suggestion

ROOTS = ("parameters", "steps", "user", "context", "secrets", "environment", "each")
CALLS = ("always", "failure", "range", "cycler", "joiner")
NOTHING = "An expression that names nothing renders as nothing."


def name_findings(subject: Subject) -> Iterator[Finding]:
    """Findings about every text of the steps and the output."""
    known = asked(subject)
    for text in subject.texts:
        yield from syntax_findings(subject, text.outline, text.path, subject.filters)
        for used in text.outline.get("paths", []):
            yield from _path(subject, text, used["path"], whole=used["whole"], known=known)


def syntax_findings(
    subject: Subject, outline: Mapping[str, Any], where: Sequence[str | int], filters: Sequence[str]
) -> Iterator[Finding]:
    """What the engine cannot read, and filters and functions that it does not have."""
    error = outline.get("error")
    if error:
        remedy = "Correct the expression; `{% raw %}` keeps text that is none."
        yield subject.finding("error", "template-syntax", where, error["message"], remedy)
    for used in outline.get("filters", []):
        if used["name"] not in filters:
            remedy = suggestion(used["name"], filters, "There are")
            yield subject.finding("error", "unknown-filter", where, f"there is no filter '{used['name']}'", remedy)
    for used in outline.get("calls", []):
        if used["name"] not in CALLS:
            remedy = suggestion(used["name"], CALLS, "There are")
            yield subject.finding("error", "unknown-function", where, f"there is no function '{used['name']}'", remedy)


def _path(
    subject: Subject, text: Text, path: Sequence[str], *, whole: bool, known: Mapping[str, Sequence[Asked]]
) -> Iterator[Finding]:
    root = path[0]
    if root == "parameters":
        yield from _parameter(subject, text, path, known)
    elif root == "steps":
        yield from _step(subject, text, path, whole=whole)
    elif root == "secrets":
        yield from _secret(subject, text, path, known)
    elif root == "each":
        if text.step is None or not _each(subject, text.step):
            message = "`each` stands only in a step that has `each`"
            yield subject.finding("error", "each-outside", text.path, message, "Give the step an `each`.")
    elif root not in ROOTS and root not in CALLS:
        remedy = f"{suggestion(root, ROOTS, 'Expressions begin with')} {NOTHING}"
        yield subject.finding("error", "unknown-name", text.path, f"there is nothing named '{root}' here", remedy)


def _parameter(
    subject: Subject, text: Text, path: Sequence[str], known: Mapping[str, Sequence[Asked]]
) -> Iterator[Finding]:
    if len(path) < 2:
        return
    name = path[1]
    if name not in known:
        remedy = f"{suggestion(name, known, 'The form asks for')} {NOTHING}"
        yield subject.finding("error", "unknown-parameter", text.path, f"no page asks for '{name}'", remedy)
    elif all(one.is_secret for one in known[name]):
        message = f"'{name}' is a secret, and no parameter has its value"
        yield subject.finding("error", "secret-parameter", text.path, message, f"Write secrets.{name} in an input.")


def _secret(
    subject: Subject, text: Text, path: Sequence[str], known: Mapping[str, Sequence[Asked]]
) -> Iterator[Finding]:
    if text.step is None or (len(text.path) > 3 and text.path[3] == "if" and not _each(subject, text.step)):
        message = "secrets are known in the inputs of steps only"
        yield subject.finding("error", "unknown-secret", text.path, message, NOTHING)
        return
    secrets = subject.spec.get("secrets")
    schema = secrets.get("schema") if isinstance(secrets, Mapping) else None
    named = schema.get("properties") if isinstance(schema, Mapping) else None
    if len(path) < 2 or not isinstance(named, Mapping) or path[1] in named or path[1] in known:
        return
    remedy = suggestion(path[1], named, "The template asks for")
    yield subject.finding("warning", "unknown-secret", text.path, f"the template asks for no '{path[1]}'", remedy)


def _each(subject: Subject, index: int) -> bool:
    step = subject.spec["steps"][index]
    inner = step.get("taxiway:steps")
    return "each" in step or any("each" in one for one in (inner if isinstance(inner, list) else []))


def _step(subject: Subject, text: Text, path: Sequence[str], *, whole: bool) -> Iterator[Finding]:
    if len(path) < 2:
        return
    last = len(subject.steps) if text.step is None else text.step
    before = {name: step for index, name, step in subject.steps if index < last}
    name = path[1]
    if name not in before:
        later = name in {one for _, one, _ in subject.steps}
        message = f"the step '{name}' has not run by then" if later else f"there is no step '{name}'"
        remedy = "Move it up." if later else suggestion(name, before, "The steps before are")
        dashed = [one for one in before if one.startswith(f"{name}-")]
        if dashed and not later:
            remedy = f"A dash is a minus in an expression: write steps['{dashed[0]}']."
        yield subject.finding("error", "unknown-step", text.path, message, remedy)
        return
    if len(path) > 2 and path[2] != "output":
        message, remedy = f"a step has an output and no '{path[2]}'", f"Write steps.{name}.output.{path[2]}."
        yield subject.finding("error", "unknown-output", text.path, message, remedy)
    elif len(path) > 3 and not whole:
        yield from _output(subject, text, before[name], path)


def _output(subject: Subject, text: Text, step: Mapping[str, Any], path: Sequence[str]) -> Iterator[Finding]:
    action = subject.actions.get(str(step.get("action")))
    schema = action.output_schema if action else {}
    named = schema.get("properties")
    if not isinstance(named, Mapping) or schema.get("additionalProperties") not in (None, False) or path[3] in named:
        return
    message = f"{step['action']} has no output '{path[3]}'"
    remedy = f"{suggestion(path[3], named, 'It has')} {NOTHING}"
    yield subject.finding("error", "unknown-output", text.path, message, remedy)


def unused_findings(subject: Subject) -> Iterator[Finding]:
    """Answers that nothing uses."""
    used = used_by_form(subject)
    for text in subject.texts:
        for one in text.outline.get("paths", []):
            path = one["path"]
            if path[0] == "parameters" and len(path) == 1:
                return  # all of them go somewhere
            if path[0] in ("parameters", "secrets") and len(path) > 1:
                used.add(path[1])
    for name, places in asked(subject).items():
        if name not in used:
            message = f"'{name}' is asked for, and nothing uses the answer"
            remedy = "Use it in a step, or do not ask."
            yield subject.finding("warning", "unused-parameter", places[0].path, message, remedy)
