"""Conditions that can come out one way only: the branch behind them is dead, or the question is idle.

A condition is tried with every answer that the form can give, on the template engine itself. Where an answer is free
text, it is tried only in conditions that look at its truth or compare it with constants, so that a few values stand for
all. What cannot be decided so is let be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from taxiway.features.scaffolder.authoring.form import Asked
from taxiway.features.scaffolder.model import is_true

MOST = 256
MISSING = object()
Domain = tuple[Sequence[Any], bool]
"""Values, and whether these are all that there are."""
GENERIC: tuple[Any, ...] = (MISSING, None, False, True, "", "x", 0, 1)


@dataclass(frozen=True)
class Question:
    """A condition with the way to it, and what each path in it may be. `given` has the outcomes that lead to it."""

    condition: Mapping[str, Any]
    given: Sequence[Mapping[str, Any]]
    whole: str | None = None
    """The text of a step's `if`, which is judged as a step's `if` is."""


@dataclass(frozen=True)
class Trial:
    """The texts to render, and the contexts to render them in."""

    text: str
    contexts: Sequence[Mapping[str, Any]]


def domain_of(places: Sequence[Asked]) -> Domain:
    """What an answer may be."""
    values: list[Any] = []
    is_closed = True
    for place in places:
        found, closed = _schema_values(place.schema)
        values += [value for value in found if not any(value is other or _same(value, other) for other in values)]
        is_closed = is_closed and closed
    if not any(place.always for place in places):
        values.append(MISSING)
    return values, is_closed


def _same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and left == right


def _schema_values(schema: Mapping[str, Any]) -> Domain:
    if "const" in schema:
        return [schema["const"]], True
    if isinstance(schema.get("enum"), list):
        return list(schema["enum"]), True
    for key in ("oneOf", "anyOf"):
        parts = schema.get(key)
        if isinstance(parts, list) and parts and all(isinstance(part, Mapping) and "const" in part for part in parts):
            return [part["const"] for part in parts], True
    kind = schema.get("type")
    if kind == "boolean":
        return [True, False], True
    if kind == "string":
        return ["x"] if _length(schema) else ["", "x"], False
    if kind in ("number", "integer"):
        return [0, 1, 7], False
    if kind == "array":
        return [["x"]] if schema.get("minItems") else [[], ["x"]], False
    if kind == "object":
        return [{}], False
    return [value for value in GENERIC if value is not MISSING], False


def _length(schema: Mapping[str, Any]) -> bool:
    least = schema.get("minLength")
    return isinstance(least, int) and least > 0


def trial_of(question: Question, domain: Callable[[Sequence[str]], Domain | None]) -> Trial | None:
    """How to try a condition, or None where trying says nothing."""
    parts = [*question.given, question.condition]
    if any(part["scoped"] or part["test"] is None or part["calls"] for part in parts):
        return None
    paths = sorted({tuple(path) for part in parts for path in part["paths"]})
    if any(other[: len(path)] == path for path in paths for other in paths if other != path):
        return None
    literals = [value for part in parts for value in part["literals"]]
    choices = []
    for path in paths:
        found = domain(path)
        if found is None:
            return None
        values, closed = found
        if not closed:
            if not all(part["plain"] for part in parts):
                return None
            values = [*values, *(value for value in literals if not any(_same(value, other) for other in values))]
        choices.append(values)
    if not parts or _count(choices) > MOST:
        return None
    contexts = [_context(zip(paths, chosen, strict=True)) for chosen in product(*choices)]
    return Trial(question.whole or nested(question), contexts)


def _count(choices: Sequence[Sequence[Any]]) -> int:
    count = 1
    for values in choices:
        count *= max(len(values), 1)
    return count


def _context(pairs: Iterator[tuple[Sequence[str], Any]]) -> dict[str, Any]:
    context: dict[str, Any] = {}
    for path, value in pairs:
        place = context
        for part in path[:-1]:
            place = place.setdefault(part, {})
        if value is not MISSING:
            place[path[-1]] = value
    return context


def nested(question: Question) -> str:
    """A text that gives 1 or 0 as the condition does, and nothing where the way to it is not taken."""
    text = f"{{% if {question.condition['test']} %}}1{{% else %}}0{{% endif %}}"
    for part in reversed(question.given):
        way = f"{text}{{% endif %}}" if part["wanted"] else f"{{% else %}}{text}{{% endif %}}"
        text = f"{{% if {part['test']} %}}{way}"
    return text


def outcomes(results: Sequence[Mapping[str, Any]], *, is_step: bool) -> set[bool] | None:
    """The ways that a condition came out; None where it could not always be rendered."""
    if any("error" in result for result in results):
        return None
    values = [result["value"] for result in results]
    if is_step:
        return {is_true(value) for value in values}
    return {value == "1" for value in values if value in ("0", "1")}
