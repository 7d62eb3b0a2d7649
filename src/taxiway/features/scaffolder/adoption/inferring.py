"""Which version of a template, with which answers, made what is in a repository: the likeliest, by rendering.

Answers that are known are taken; open questions are read back from the lines in which their marks show; closed ones,
and open ones with several findings, are tried one after the other. A render takes 20-200 ms, and more where a template
wants it to; `MOST_RENDERS` and `MOST_SECONDS` bound all of them together.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from taxiway.features.scaffolder.adoption.marking import Files, gain, likeness, mark_of, options_of, votes_of
from taxiway.features.scaffolder.model import Template, Version, is_secret, parse_template, secret_fields
from taxiway.model.errors import TaxiwayError

MOST_RENDERS = 60
MOST_SECONDS = 60.0
"""When these are over no other render is begun: what was found until then is the answer."""
CANDIDATES = 3
EMPTY: Mapping[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False, "array": [], "object": {}}
ABSENT = object()
"""No answer to a question that needs none."""
Origin = Literal["given", "found", "tried", "default", "unknown"]
Draw = Callable[[Version], Files]
"""Renders a version with its answers; TaxiwayError where it cannot."""


@dataclass(frozen=True)
class Field:
    """A question of a template: its JSON Schema, and whether it needs an answer."""

    schema: Mapping[str, Any]
    is_required: bool


@dataclass(frozen=True)
class Inferred:
    """`likeness` is that of the render and the repository, 0 to 1; `origins` says for each answer how it was come by:
    given, found in `lines` lines, tried, the default, or unknown."""

    version: Version
    likeness: float
    origins: Mapping[str, Origin]
    lines: Mapping[str, int]


class _Renders:
    """Renders, counted and timed."""

    def __init__(self, draw: Draw, now: Callable[[], float]) -> None:
        self._draw, self._now = draw, now
        self._left, self._end = MOST_RENDERS, now() + MOST_SECONDS

    def __call__(self, version: Version) -> Files | None:
        """None where it cannot be rendered, or enough was rendered."""
        if self._left <= 0 or self._now() > self._end:
            return None
        self._left -= 1
        try:
            return self._draw(version)
        except TaxiwayError:
            return None


def infer(
    ref: str,
    versions: Sequence[Version],
    there: Files,
    given: Mapping[str, Any],
    draw: Draw,
    now: Callable[[], float] = time.monotonic,
) -> Inferred:
    """The likeliest version and answers. `versions` are the newest first; `given` answers win over all findings; `now`
    gives seconds.

    Raises what rendering the newest version with the answers found raises.
    """
    newest, renders = versions[0], _Renders(draw, now)
    fields = fields_of(parse_template(newest.document, ref, "", newest.name))
    answers, origins = _first(fields, given)
    votes: dict[str, Counter[Any]] = {}
    for _ in range(2):
        # Behind a closed question there may be lines that only its right answer shows: look again.
        votes = _look(newest, fields, answers, origins, there, renders)
        for name, counted in votes.items():
            if counted:
                answers[name], origins[name] = counted.most_common(1)[0][0], "found"
        _try(newest, fields, answers, origins, votes, there, renders)
    best = replace(newest, values=answers)
    drawn = draw(best)
    for version in versions[1:]:
        known = fields_of(parse_template(version.document, ref, "", version.name))
        other = replace(version, values={**_first(known, given)[0], **_only(answers, known)})
        made = renders(other)
        if made is not None and gain(made, there) > gain(drawn, there):
            best, drawn = other, made
    kept = {name: origins.get(name, "default") for name in best.values}
    return Inferred(
        best, likeness(drawn, there), kept, {name: max(votes[name].values()) for name in kept if votes.get(name)}
    )


def fields_of(template: Template) -> dict[str, Field]:
    """The questions of a template that are no secrets, by name; those too that depend on the answer to another."""
    hidden = secret_fields(template.pages)
    required = {name for page in template.pages for name in page.get("required") or []}
    found: dict[str, Field] = {}
    for name, schema in _properties(template.pages):
        if name not in hidden and isinstance(schema, Mapping) and not is_secret(schema):
            found.setdefault(name, Field(schema, name in required))  # A later one only says when it holds.
    return found


def _properties(schema: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(schema, Mapping):
        inner = schema.get("properties")
        if isinstance(inner, Mapping):
            yield from inner.items()
        for key in ("dependencies", "allOf", "oneOf", "anyOf", "then", "else", "if"):
            yield from _properties(schema.get(key))
        dependencies = schema.get("dependencies")
        yield from _properties(list(dependencies.values())) if isinstance(dependencies, Mapping) else ()
    elif isinstance(schema, Sequence) and not isinstance(schema, str):
        for part in schema:
            yield from _properties(part)


def _first(fields: Mapping[str, Field], given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Origin]]:
    """Answers to begin with: those given, defaults, and for what is required the first option or what is empty."""
    answers: dict[str, Any] = {}
    origins: dict[str, Origin] = dict.fromkeys(fields, "unknown")
    for name, field in fields.items():
        options = options_of(field.schema)
        if name in given:
            answers[name], origins[name] = given[name], "given"
        elif "default" in field.schema:
            answers[name], origins[name] = field.schema["default"], "default"
        elif field.is_required:
            answers[name] = options[0] if options else EMPTY.get(str(field.schema.get("type", "string")), "")
    return answers, origins


def _look(
    version: Version,
    fields: Mapping[str, Field],
    answers: Mapping[str, Any],
    origins: Mapping[str, Origin],
    there: Files,
    renders: _Renders,
) -> dict[str, Counter[Any]]:
    """What the repository shows in the places of open questions."""
    named = [(name, field.schema) for name, field in fields.items() if origins[name] != "given"]
    marks = [mark for number, (name, schema) in enumerate(named) if (mark := mark_of(name, number, schema))]
    made = renders(replace(version, values={**answers, **{mark.name: mark.answer for mark in marks}}))
    return votes_of(made, marks, there) if made is not None else {}


def _try(
    version: Version,
    fields: Mapping[str, Field],
    answers: dict[str, Any],
    origins: dict[str, Origin],
    votes: Mapping[str, Counter[Any]],
    there: Files,
    renders: _Renders,
) -> None:
    """Settle what is open between several answers: the one whose render is most like the repository."""
    for name, field in fields.items():
        if origins[name] == "given":
            continue
        counted = votes.get(name)
        found = [value for value, _ in counted.most_common(CANDIDATES)] if counted else []
        choices = found or options_of(field.schema)
        if not found and choices and name not in answers:
            choices = [ABSENT, *choices]
        if len(choices) < 2:
            continue
        rated: list[tuple[float, int]] = []
        for index, choice in enumerate(choices):
            made = renders(replace(version, values=_with(answers, name, choice)))
            rated.append((gain(made, there) if made is not None else float("-inf"), -index))
        most, first = max(rated)
        if most > min(rated)[0]:
            origins[name] = "found" if found else "tried"
            answers.update(_with({}, name, choices[-first]))


def _with(answers: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    return dict(answers) if value is ABSENT else {**answers, name: value}


def _only(answers: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    return {name: value for name, value in answers.items() if name in fields}
