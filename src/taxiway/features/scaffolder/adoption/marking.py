"""Reads answers back out of files that a template made from them.

The template is rendered once more with marks as answers. A rendered line that holds a mark is a pattern for the line of
the repository that holds the answer: the more lines agree on an answer, the likelier it is. Pure functions over texts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_LINES = 2_000
MAX_LINE = 300
MAX_MARKS = 2
"""Lines that are longer, or hold more marks, are left out: matching two marks costs the square of their length."""
MOST_WORK = 20_000_000
"""What comparing costs at most, in characters looked at: template and repository may both be made to cost much."""
PATTERN_WORK = 2_000
"""What making a pattern costs, in the same measure."""
LEAST_LITERAL = 3
"""How many characters beside the marks a line needs to be told from others."""
REFERENCES = {"OwnerPicker": "group:default/", "EntityPicker": "component:default/", "EntityNamePicker": ""}
Votes = dict[str, Counter[Any]]
Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Mark:
    """An answer that gives itself away: `before` and `token`. A template may show the whole, or the token alone."""

    name: str
    before: str
    token: str
    is_number: bool = False

    @property
    def answer(self) -> Any:
        return int(self.token) if self.is_number else self.before + self.token

    def value(self, found: str, *, is_whole: bool) -> Any:
        """The answer that was shown as `found`, by its token alone or whole; None where it cannot be one."""
        if not self.is_number:
            return found if is_whole else self.before + found
        return int(found) if found.isascii() and found.isdigit() and len(found) < 16 else None


Groups = dict[str, tuple[Mark, bool]]
Shown = tuple[Mark, bool, str]
"""A mark, whether it stood there whole, and what the repository has in its place."""


@dataclass
class _Work:
    """Counts what comparing costs; behind `MOST_WORK` nothing matches any more."""

    left: int = MOST_WORK

    def take(self, cost: int) -> bool:
        self.left -= cost
        return self.left >= 0


@dataclass(frozen=True)
class _Pattern:
    """A text in which marks stand for others: what it begins and ends with, and the marks by group."""

    first: str
    last: str
    whole: re.Pattern[str]
    groups: Groups

    def match(self, text: str, work: _Work) -> re.Match[str] | None:
        if not work.take(1) or not (text.startswith(self.first) and text.endswith(self.last)):
            return None
        # Two groups may be tried at each pair of places.
        return self.whole.fullmatch(text) if work.take(len(text) ** len(self.groups)) else None


def options_of(schema: Mapping[str, Any]) -> list[Any]:
    """The answers to a closed question, the default first; empty for an open one."""
    choices = [False, True] if schema.get("type") == "boolean" else list(schema.get("enum") or [])
    if "default" in schema and schema["default"] in choices:
        choices.remove(schema["default"])
        choices.insert(0, schema["default"])
    return choices[:12]


def mark_of(name: str, number: int, schema: Mapping[str, Any]) -> Mark | None:
    """The mark for an open question with one value; None for lists, objects and closed questions."""
    kind = schema.get("type", "string")
    if options_of(schema) or schema.get("ui:field") == "RepoUrlPicker":
        return None
    if kind in ("integer", "number"):
        return Mark(name, "", str(70_000_001 + number), is_number=True)
    if kind != "string":
        return None
    letters = chr(ord("a") + number // 26 % 26) + chr(ord("a") + number % 26)
    return Mark(name, REFERENCES.get(str(schema.get("ui:field")), ""), f"zqx{letters}qz")


def votes_of(made: Files, marks: Sequence[Mark], there: Files) -> Votes:
    """Which answers the files `there` show in the places where the files `made` have the marks."""
    votes: Votes = {mark.name: Counter() for mark in marks}
    by_token = {mark.token: mark for mark in marks}
    shown = re.compile(
        "|".join(f"(?:{re.escape(mark.before)})?{mark.token}" if mark.before else mark.token for mark in marks) or "$^"
    )
    work = _Work()
    for path, content in made.items():
        for found, answers in _places(path, shown, by_token, there, work):
            _vote(votes, answers)
            others = list(dict.fromkeys(_lines(there[found])))
            for line in dict.fromkeys(_lines(content)):
                _match_line(line, shown, by_token, others, votes, work)
        if work.left <= 0:
            break
    return votes


def likeness(made: Files, there: Files) -> float:
    """How much of the files `made` is in `there`, from 0 to 1: the mean over files, each half for being there and half
    for the lines that it shares."""
    return sum(_alike(content, there.get(path)) for path, content in made.items()) / len(made) if made else 0.0


def gain(made: Files, there: Files) -> float:
    """What tells two renders apart: how alike the files are that both have, less one for each that is not there."""
    return sum(_alike(content, there.get(path)) or -1.0 for path, content in made.items())


def _alike(content: bytes, other: bytes | None) -> float:
    if other is None:
        return 0.0
    if content == other:
        return 1.0
    left, right = Counter(_lines(content)), Counter(_lines(other))
    total = left.total() + right.total()
    return 0.5 + (left & right).total() / total if total else 0.5


def _lines(content: bytes) -> list[str]:
    if b"\0" in content:
        return []
    lines = content.decode("utf-8", "replace").splitlines()[:MAX_LINES]
    return [line.rstrip() for line in lines if len(line) <= MAX_LINE]


def _places(
    path: str, shown: re.Pattern[str], by_token: Mapping[str, Mark], there: Files, work: _Work
) -> Iterator[tuple[str, list[Shown]]]:
    """The file of the repository that a rendered path stands for, with the answers that its path shows."""
    if path in there:
        yield path, []
        return
    pattern = _pattern(path, shown, by_token, r"[^/]+?", least=0)
    if pattern is None or not work.take(PATTERN_WORK):
        return
    found = [match for other in there if (match := pattern.match(other, work))]
    if len(found) == 1:
        yield found[0].string, _shown(found[0], pattern.groups)


def _match_line(
    line: str,
    shown: re.Pattern[str],
    by_token: Mapping[str, Mark],
    others: Sequence[str],
    votes: Votes,
    work: _Work,
) -> None:
    pattern = _pattern(line, shown, by_token, r".+?", least=LEAST_LITERAL)
    if pattern is None or not work.take(PATTERN_WORK):
        return
    found = {match.groups(): match for other in others if (match := pattern.match(other, work))}
    if len(found) == 1:
        (match,) = found.values()
        _vote(votes, _shown(match, pattern.groups))


def _pattern(
    text: str, shown: re.Pattern[str], by_token: Mapping[str, Mark], any_text: str, least: int
) -> _Pattern | None:
    """A pattern for texts that differ from `text` in what its marks stand for, and the marks by group. None for a text
    without marks, with many, or with little else."""
    hits = list(shown.finditer(text))
    if not hits or len(hits) > MAX_MARKS:
        return None
    groups: dict[str, str] = {}
    marks: Groups = {}
    parts, literal, end = [], 0, 0
    for hit in hits:
        mark = next(mark for token, mark in by_token.items() if hit[0].endswith(token))
        between = text[end : hit.start()]
        literal, end = literal + len(between.strip()), hit.end()
        parts.append(re.escape(between))
        if hit[0] in groups:
            parts.append(f"(?P={groups[hit[0]]})")
            continue
        group = groups[hit[0]] = f"g{len(groups)}"
        marks[group] = mark, hit[0] != mark.token or not mark.before
        parts.append(f"(?P<{group}>{any_text})")
    rest = text[end:]
    if literal + len(rest.strip()) < least:
        return None
    whole = re.compile("".join([*parts, re.escape(rest)]))
    return _Pattern(text[: hits[0].start()], rest, whole, marks)


def _shown(match: re.Match[str], groups: Groups) -> list[Shown]:
    return [(mark, is_whole, match.group(group)) for group, (mark, is_whole) in groups.items()]


def _vote(votes: Votes, answers: Sequence[Shown]) -> None:
    for mark, is_whole, found in answers:
        value = mark.value(found, is_whole=is_whole)
        if value is not None:
            votes[mark.name][value] += 1
