"""Properties that a kind computes of its entities: by a CEL expression, along a relation path, or over what lies there.

Pure: `compute` reads through a `Reader`, which notes what was read. Everything is bounded: the length of an expression,
the iterations of one evaluation (by the engine), the size of what it sees, and how many entities a path may reach.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

from taxiway.features.catalog.cel import Expression, compiled, related_in, used_in

Value = str | int | float | bool | list[Any]
TYPES = ("string", "number", "integer", "boolean", "strings")
FUNCTIONS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "sum": sum,
    "min": min,
    "max": max,
    "avg": lambda numbers: sum(numbers) / len(numbers),
}
MAX_REACHED = 10_000
MAX_RELATED = 200
MAX_LISTED = 100
MAX_TOLD = 20
NAME = re.compile(r"[a-z][A-Za-z0-9_]{0,62}")


class CannotComputeError(Exception):
    """Why there is no value."""


@dataclass(frozen=True)
class Rule:
    """How one property is computed: `cel`, or a `path` of relation types with the `field` at its end, which `function`
    brings together where there is one. `kind` limits what is counted, in lower case."""

    name: str
    title: str
    type: str
    cel: str | None = None
    path: tuple[str, ...] = ()
    field: str | None = None
    function: str | None = None
    kind: str | None = None

    def __str__(self) -> str:
        if self.cel is not None:
            return self.cel
        along = ".".join(self.path)
        of = f" of {self.kind}" if self.kind else ""
        end = f" {self.field}" if self.field else ""
        return f"{self.function or 'mirror'}({along}{of}{end})"


@dataclass(frozen=True)
class Input:
    """What was read for a value."""

    ref: str
    field: str
    value: Any = None


@dataclass
class Computed:
    """A value, or why there is none."""

    value: Value | None = None
    error: str | None = None
    inputs: list[Input] = field(default_factory=list)


class Reader(Protocol):
    """What rules read. Each call notes its key, so that a change of what was read is known to matter."""

    def load(self, refs: Sequence[str], field: str) -> None: ...

    def document(self, ref: str) -> Mapping[str, Any] | None: ...

    def properties(self, ref: str) -> Mapping[str, Any]: ...

    def targets(self, refs: Sequence[str], relation: str) -> list[str]: ...


def rule_of(item: Mapping[str, Any]) -> Rule:
    """The rule that a valid declaration states."""
    said = item.get("mirror") or item.get("aggregate") or {}
    counted = item.get("aggregate", {}).get("function") == "count"
    default = "integer" if counted else "number" if "aggregate" in item else "string"
    kind = said.get("kind")
    return Rule(
        item["name"],
        item.get("title") or item["name"],
        item.get("type", default),
        item.get("cel"),
        tuple(said.get("path", ())),
        said.get("field"),
        said.get("function"),
        kind.lower() if kind else None,
    )


@lru_cache(1024)
def in_order(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """The rules, each behind those whose values it reads. ValueError names the circle when there is one."""
    by_name = {rule.name: rule for rule in rules}
    done: dict[str, Rule] = {}

    def visit(rule: Rule, above: tuple[str, ...]) -> None:
        if rule.name in above:
            raise ValueError(" → ".join((*above[above.index(rule.name) :], rule.name)))
        if rule.name not in done:
            for name in used_in(rule.cel) if rule.cel is not None else ():
                if name in by_name:
                    visit(by_name[name], (*above, rule.name))
            done[rule.name] = rule

    for rule in rules:
        visit(rule, ())
    return tuple(done.values())


def compute(ref: str, rules: tuple[Rule, ...], reader: Reader, refused: str = "") -> dict[str, Computed]:
    """Every property of an entity by name. `refused` is the error of those that read properties of other entities."""
    found: dict[str, Computed] = {}
    values: dict[str, Value] = {}
    for rule in in_order(rules):
        result = Computed()
        try:
            if refused and (rule.field or "").startswith("properties."):
                raise CannotComputeError(f"{refused}, by {rule}")
            result.value = _typed(_value(ref, rule, values, reader, result.inputs), rule.type)
        except CannotComputeError as error:
            result.error = str(error)[:500]
        if result.value is not None:
            values[rule.name] = result.value
        found[rule.name] = result
    return found


def _value(ref: str, rule: Rule, values: Mapping[str, Any], reader: Reader, inputs: list[Input]) -> Any:
    if rule.cel is not None:
        return _cel(ref, compiled(rule.cel, rule.type), rule.cel, values, reader, inputs)
    ends = [end for end in _reached(ref, rule.path, reader) if rule.kind in (None, end.partition(":")[0])]
    if rule.function == "count":
        inputs.extend(Input(end, "ref") for end in ends[:MAX_TOLD])
        return len(ends)
    reader.load(ends, rule.field or "")
    found = [(end, value) for end in ends for value in _at(end, rule.field or "", reader)]
    inputs.extend(Input(end, rule.field or "", value) for end, value in found[:MAX_TOLD])
    if rule.function is None:
        return _mirrored([value for _, value in found], rule)
    numbers = [value for _, value in found if isinstance(value, int | float) and not isinstance(value, bool)]
    if not numbers:
        raise CannotComputeError(f"nothing along {'.'.join(rule.path)} has a number at {rule.field}")
    return FUNCTIONS[rule.function](numbers)


def _mirrored(found: list[Any], rule: Rule) -> Any:
    if not found:
        raise CannotComputeError(f"nothing along {'.'.join(rule.path)} has {rule.field}")
    if rule.type == "strings":
        return [str(value) for value in dict.fromkeys(map(str, found))][:MAX_LISTED]
    if any(value != found[0] for value in found):
        told = ", ".join(str(value)[:40] for value in found[:3])
        raise CannotComputeError(f"there is more than one ({told}): let the type be strings, or aggregate them")
    return found[0]


def _reached(ref: str, path: Sequence[str], reader: Reader) -> list[str]:
    wave = [ref]
    for relation in path:
        wave = reader.targets(wave, relation)
        if len(wave) > MAX_REACHED:
            raise CannotComputeError(f"{relation} leads to more than {MAX_REACHED} entities: take a shorter path")
    return wave


def _at(ref: str, path: str, reader: Reader) -> Iterator[Any]:
    if path == "ref":
        yield ref
        return
    head, _, rest = path.partition(".")
    value = reader.properties(ref) if head == "properties" else (reader.document(ref) or {}).get(head)
    yield from _below(value, rest)


def _below(value: Any, path: str) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value[:MAX_LISTED]:
            yield from _below(item, path)
    elif not path:
        if isinstance(value, str | int | float):
            yield value
    elif isinstance(value, Mapping):
        # A key may hold dots itself, as those of annotations do.
        for end in (*(match.start() for match in reversed(list(re.finditer(r"\.", path)))), None):
            key, rest = (path, "") if end is None else (path[:end], path[end + 1 :])
            if key in value:
                yield from _below(value[key], rest)
                return


def _cel(
    ref: str, expression: Expression, text: str, values: Mapping[str, Any], reader: Reader, inputs: list[Input]
) -> Any:
    inputs.append(Input(ref, "entity"))
    inputs.extend(Input(ref, f"properties.{name}", values.get(name)) for name in used_in(text))
    related: dict[str, list[Any]] = {}
    for relation in related_in(text):
        ends = reader.targets([ref], relation)
        if len(ends) > MAX_RELATED:
            raise CannotComputeError(f"{relation} leads to more than {MAX_RELATED} entities: aggregate them instead")
        reader.load(ends, "spec")
        inputs.extend(Input(end, relation) for end in ends[:MAX_TOLD])
        related[relation] = [{**(reader.document(end) or {}), "ref": end} for end in ends]
    try:
        return expression.value(reader.document(ref) or {}, dict(values), related)
    except ValueError as error:
        raise CannotComputeError(str(error)) from error


def _typed(value: Any, type_: str) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
    fits = {
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": is_number and isinstance(value, int),
        "number": is_number,
        "strings": isinstance(value, list) and all(isinstance(item, str) for item in value),
    }
    if type_ == "string" and is_number:
        return str(value)
    if not fits[type_]:
        raise CannotComputeError(f"{str(value)[:80]!r} is no {type_}: change the property's type")
    return value[:1000] if isinstance(value, str) else value
