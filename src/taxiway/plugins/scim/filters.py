"""Filters of RFC 7644 section 3.4.2.2: parsed into a tree, and judged against a resource. No I/O.

Bounded: 4,000 characters, 100 terms, 20 levels. Attribute names are compared without regard to case, values as their
attribute says: identifiers and references exactly, everything else without regard to case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from taxiway.model.errors import InputError

LONGEST, MOST_TERMS, DEEPEST = 4000, 100, 20
EXACT = frozenset({"id", "externalid", "$ref", "location", "version"})
TOKEN = re.compile(
    r"""\s*(?:(?P<punct>[()\[\]])|(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?)(?=[\s)\]]|$)
    |(?P<word>(?:urn:[A-Za-z0-9:.-]+:)?[A-Za-z$][\w$-]*(?:\.[A-Za-z$][\w$-]*)?))""",
    re.VERBOSE,
)
OPERATORS = frozenset({"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"})
Judge = Callable[[Mapping[str, Any]], bool]


class FilterError(InputError):
    """A filter or path that is none."""


def wrong(detail: str) -> FilterError:
    """The error for a filter that cannot be read."""
    return FilterError(f"{detail}: see RFC 7644 section 3.4.2.2", code="scim.filter")


@dataclass
class _Parser:
    tokens: list[tuple[str, str]]
    at: int = 0
    terms: int = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self.at += 1
        return token

    def word(self, *words: str) -> bool:
        kind, text = self.peek()
        if kind == "word" and text.lower() in words:
            self.at += 1
            return True
        return False

    def expect(self, sign: str) -> None:
        if self.take() != ("punct", sign):
            raise wrong(f"'{sign}' is missing in the filter")

    def either(self, level: int) -> Judge:
        found = [self.both(level)]
        while self.word("or"):
            found.append(self.both(level))
        return found[0] if len(found) == 1 else lambda value: any(one(value) for one in found)

    def both(self, level: int) -> Judge:
        found = [self.term(level)]
        while self.word("and"):
            found.append(self.term(level))
        return found[0] if len(found) == 1 else lambda value: all(one(value) for one in found)

    def term(self, level: int) -> Judge:
        self.terms += 1
        if level > DEEPEST or self.terms > MOST_TERMS:
            raise wrong(f"the filter has more than {MOST_TERMS} terms or {DEEPEST} levels")
        if self.word("not"):
            self.expect("(")
            inner = self.either(level + 1)
            self.expect(")")
            return lambda value: not inner(value)
        if self.peek() == ("punct", "("):
            self.take()
            inner = self.either(level + 1)
            self.expect(")")
            return inner
        return self.comparison(level)

    def comparison(self, level: int) -> Judge:
        kind, path = self.take()
        if kind != "word":
            raise wrong("an attribute is missing in the filter")
        if self.peek() == ("punct", "["):
            self.take()
            inner = self.either(level + 1)
            self.expect("]")
            return lambda value: any(isinstance(one, Mapping) and inner(one) for one in values_at(value, path))
        kind, operator = self.take()
        operator = operator.lower()
        if kind == "word" and operator == "pr":
            return lambda value: any(one not in (None, "", [], {}) for one in values_at(value, path))
        if kind != "word" or operator not in OPERATORS:
            raise wrong(f"'{operator or 'the end'}' is no operator of filters")
        wanted = self.literal()
        exact = path.rpartition(".")[2].rpartition(":")[2].lower() in EXACT
        return lambda value: _compare(operator, values_at(value, path), wanted, exact)

    def literal(self) -> Any:
        kind, text = self.take()
        if kind in ("text", "number"):
            try:
                return json.loads(text)
            except ValueError as error:
                raise wrong(f"{text[:50]} is no JSON value") from error
        words = {"true": True, "false": False, "null": None}
        if kind == "word" and text.lower() in words:
            return words[text.lower()]
        raise wrong("a value is missing in the filter: texts stand in double quotes")


def parse_filter(text: str) -> Judge:
    """A function that says whether a resource matches. FilterError for what is no filter."""
    if len(text) > LONGEST:
        raise wrong(f"the filter is longer than {LONGEST} characters")
    tokens: list[tuple[str, str]] = []
    at = 0
    text = text.strip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None or match.end() == at:
            raise wrong(f"the filter cannot be read from '{text[at : at + 30]}'")
        tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
        at = match.end()
    parser = _Parser(tokens)
    judge = parser.either(0)
    if parser.peek()[0] != "end":
        raise wrong(f"the filter goes on behind its end: '{parser.peek()[1]}'")
    return judge


def values_at(resource: Mapping[str, Any], path: str) -> list[Any]:
    """All values of an attribute path; those of a list one by one. A list of complex values stands for its `value`s
    where a plain one is compared."""
    urn, found = _without_urn(path, resource)
    for name in urn:
        below: list[Any] = []
        for one in found:
            value = one.get(key_in(one, name)) if isinstance(one, Mapping) else None
            below.extend(value if isinstance(value, list) else [] if value is None else [value])
        found = below
    return found


def key_in(value: Mapping[str, Any], name: str) -> str:
    """The key of `value` that is `name` but for its case; else `name`."""
    if name in value:
        return name
    lower = name.lower()
    return next((key for key in value if key.lower() == lower), name)


def _without_urn(path: str, resource: Mapping[str, Any]) -> tuple[list[str], list[Any]]:
    if path.lower().startswith("urn:"):
        for key, value in resource.items():
            if key.lower().startswith("urn:") and path.lower().startswith(key.lower() + ":"):
                return path[len(key) + 1 :].split("."), [value]
        path = path.rpartition(":")[2]
        # "urn:...:2.0:User:name.familyName": what is behind the last colon is the path of the core schema.
    return path.split("."), [resource]


def _compare(operator: str, found: list[Any], wanted: Any, exact: bool) -> bool:
    plain = [one.get("value") if isinstance(one, Mapping) else one for one in found]
    if operator == "ne":
        return not _compare("eq", found, wanted, exact)
    if wanted is None:
        return operator == "eq" and not plain
    return any(_holds(operator, one, wanted, exact) for one in plain)


def _holds(operator: str, one: Any, wanted: Any, exact: bool) -> bool:
    if isinstance(wanted, str):
        if not isinstance(one, str):
            return False
        left, right = (one, wanted) if exact else (one.casefold(), wanted.casefold())
        return {
            "eq": left == right,
            "co": right in left,
            "sw": left.startswith(right),
            "ew": left.endswith(right),
            "gt": left > right,
            "ge": left >= right,
            "lt": left < right,
            "le": left <= right,
        }[operator]
    if isinstance(wanted, bool) or isinstance(one, bool):
        return operator == "eq" and one is wanted
    if not isinstance(one, int | float):
        return False
    numbers = {"eq": one == wanted, "gt": one > wanted, "ge": one >= wanted, "lt": one < wanted, "le": one <= wanted}
    return bool(numbers.get(operator))
