"""Which branches the cases of a template take: the `if` of each step, and every condition in its texts and files.

A condition is asked of the template engine in the context that it had in a case. Those inside of loops, which have no
context of their own, are counted as not measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from taxiway.features.catalog.service.lint import Finding
from taxiway.features.scaffolder.authoring.branches import Question, nested
from taxiway.features.scaffolder.authoring.files import RENDERED, Fetch, fetches, outlines
from taxiway.features.scaffolder.authoring.reading import Subject, shown
from taxiway.features.scaffolder.authoring.trying import Tried
from taxiway.kit.yaml12 import line_of

BOTH = frozenset({True, False})


@dataclass(frozen=True, order=True)
class Branch:
    """A condition: its file and line, and what it is."""

    path: str
    line: int
    tag: str
    test: str = field(compare=True, default="")


@dataclass(frozen=True)
class Coverage:
    """The ways that each condition took, and how many were not measured."""

    ways: Mapping[Branch, frozenset[bool]]
    unmeasured: int

    @property
    def taken(self) -> int:
        return sum(len(ways) for ways in self.ways.values())

    @property
    def all(self) -> int:
        return 2 * len(self.ways)

    @property
    def percent(self) -> float:
        """How many of the branches were taken; all of none."""
        return 100.0 if not self.ways else 100.0 * self.taken / self.all

    def missed(self) -> Iterator[tuple[Branch, bool]]:
        """Each branch that no case took."""
        for branch, ways in sorted(self.ways.items()):
            for way in sorted(BOTH - ways, reverse=True):
                yield branch, way


@dataclass
class _Count:
    ways: dict[Branch, set[bool]] = field(default_factory=dict)
    unmeasured: set[Branch] = field(default_factory=set)


def measure(subject: Subject, tried: Sequence[Tried]) -> Coverage:
    """The coverage of a template by what came of its cases."""
    count = _Count()
    good = [one for one in tried if not one.invalid]
    for _, name, step in subject.steps:
        if isinstance(step.get("if"), str):
            _step(subject, count, name, step, good)
    for text in subject.texts:
        line = line_of(subject.source, subject.line, text.pointer)
        contexts = [one.expressions for one in good if one.expressions]
        conditions = [one for one in text.outline.get("conditions", []) if text.path[3:] != ("if",)]
        _conditions(subject, count, subject.shown, conditions, contexts, {}, line)
    for fetch in fetches(subject):
        if not isinstance(fetch, Finding) and fetch.step["action"] in RENDERED:
            contexts = [{fetch.root: values} for values in _values(subject, fetch, good)]
            for (path, is_name), outline in outlines(subject, fetch).items():
                conditions = outline.get("conditions", [])
                _conditions(subject, count, shown(path), conditions, contexts, fetch.options, 1 if is_name else None)
    ways = {branch: frozenset(found) for branch, found in count.ways.items()}
    return Coverage(ways, len(count.unmeasured))


def _step(subject: Subject, count: _Count, name: str, step: Mapping[str, Any], tried: Sequence[Tried]) -> None:
    index = next(i for i, one, _ in subject.steps if one == name)
    line = line_of(subject.source, subject.line, f"/spec/steps/{index}/if")
    ways = count.ways.setdefault(Branch(subject.shown, line, "step if", str(step["if"])), set())
    ways |= {not one["skipped"] for case in tried for one in case.steps if one["id"] == name}


def _values(subject: Subject, fetch: Fetch, tried: Sequence[Tried]) -> list[Mapping[str, Any]]:
    name = next(name for index, name, _ in subject.steps if index == fetch.index)
    steps = [one for case in tried for one in case.steps if one["id"] == name]
    return [dict(values.get("values") or {}) for one in steps for values in one["inputs"]]


def _conditions(
    subject: Subject,
    count: _Count,
    path: str,
    conditions: Sequence[Mapping[str, Any]],
    contexts: Sequence[Mapping[str, Any]],
    options: Mapping[str, Any],
    line: int | None,
) -> None:
    asking: list[tuple[Branch, str]] = []
    for condition in conditions:
        parts = [*condition["given"], condition]
        branch = Branch(path, line or condition["line"], condition["tag"], str(condition["test"]))
        if any(part["scoped"] or part["test"] is None for part in parts) or _is_each(parts):
            count.unmeasured.add(branch)
            continue
        count.ways.setdefault(branch, set())
        asking.append((branch, nested(Question(condition, condition["given"]))))
    if not asking or not contexts:
        return
    texts = [text for _, text in asking]
    for (branch, _), results in zip(
        asking, subject.renderer.decide(texts, [contexts] * len(texts), options), strict=True
    ):
        count.ways[branch] |= {result["value"] == "1" for result in results if result.get("value") in ("0", "1")}


def _is_each(parts: Sequence[Mapping[str, Any]]) -> bool:
    return any(path[0] == "each" for part in parts for path in part["paths"])
