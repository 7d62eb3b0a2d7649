"""The syntax of the jq that calculations of other portals are written in: text to a tree of plain tuples. Pure.

Only what `jq_cel` could translate is read; anything else is a `NotExactError` that says where.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

Node = tuple[Any, ...]
"""("path", keys) | ("value", literal) | ("text", parts) | (operator, left, right) | ("if", test, then, else) |
("call", name, argument or None, of)"""
MAX_LENGTH = 2000
MAX_DEPTH = 30
TOKEN = re.compile(
    r"\s*(?:(?P<path>\.[A-Za-z_]\w*|\.(?=\[|\"))|(?P<number>\d+(?:\.\d+)?)|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<sign>//|==|!=|<=|>=|[|+\-*/<>()\[\]])|(?P<quote>[\"']))"
)
COMPARED = ("==", "!=", "<", "<=", ">", ">=")
FUNCTIONS = frozenset({"length", "not", "contains", "startswith", "endswith", "tostring"})


class NotExactError(Exception):
    """Why an expression has no exact translation."""


@dataclass
class _Reader:
    text: str
    at: int = 0
    depth: int = 0

    def peek(self) -> tuple[str, str]:
        """(class, text) of the next token; ("end", "") at the end."""
        if not self.text[self.at :].strip():
            return "end", ""
        match = TOKEN.match(self.text, self.at)
        if match is None or match.lastgroup is None:
            raise NotExactError(f"'{self.text[self.at :].strip()[:30]}' has no equal in CEL")
        return match.lastgroup, match[match.lastgroup]

    def take(self) -> tuple[str, str]:
        found = self.peek()
        match = TOKEN.match(self.text, self.at)
        self.at = match.end() if match is not None else len(self.text)
        return found

    def has(self, *signs: str) -> str | None:
        """Take the next token when it is one of these."""
        kind, text = self.peek()
        if kind in ("sign", "word") and text in signs:
            self.take()
            return text
        return None

    def need(self, sign: str) -> None:
        if self.has(sign) is None:
            raise NotExactError(f"'{sign}' is missing before '{self.text[self.at :].strip()[:30]}'")


def parse(text: str) -> Node:
    """The tree of an expression. NotExactError."""
    if len(text) > MAX_LENGTH:
        raise NotExactError(f"it is longer than {MAX_LENGTH} characters")
    reader = _Reader(text)
    tree = _pipe(reader)
    if reader.peek()[0] != "end":
        raise NotExactError(f"'{text[reader.at :].strip()[:30]}' has no equal in CEL")
    return tree


def _pipe(reader: _Reader) -> Node:
    reader.depth += 1
    if reader.depth > MAX_DEPTH:
        raise NotExactError("it is nested too deeply")
    found = _alternative(reader)
    while reader.has("|"):
        kind, name = reader.take()
        if kind != "word" or name not in FUNCTIONS:
            raise NotExactError(f"'| {name}' has no equal in CEL")
        argument = None
        if reader.has("("):
            argument = _pipe(reader)
            reader.need(")")
        found = ("call", name, argument, found)
    reader.depth -= 1
    return found


def _alternative(reader: _Reader) -> Node:
    found = _either(reader)
    if reader.has("//"):
        return ("//", found, _alternative(reader))  # it binds to the right
    return found


def _either(reader: _Reader) -> Node:
    found = _both(reader)
    while reader.has("or"):
        found = ("or", found, _both(reader))
    return found


def _both(reader: _Reader) -> Node:
    found = _comparison(reader)
    while reader.has("and"):
        found = ("and", found, _comparison(reader))
    return found


def _comparison(reader: _Reader) -> Node:
    found = _sum(reader)
    sign = reader.has(*COMPARED)
    return found if sign is None else (sign, found, _sum(reader))


def _sum(reader: _Reader) -> Node:
    found = _product(reader)
    while (sign := reader.has("+", "-")) is not None:
        found = (sign, found, _product(reader))
    return found


def _product(reader: _Reader) -> Node:
    found = _term(reader)
    while (sign := reader.has("*", "/")) is not None:
        found = (sign, found, _term(reader))
    return found


def _term(reader: _Reader) -> Node:
    kind, text = reader.take()
    if kind == "path":
        return ("path", _keys(reader, text[1:]))
    if kind == "number":
        return ("value", float(text))
    if kind == "quote":
        return _text(reader, text)
    if text == "(":
        found = _pipe(reader)
        reader.need(")")
        return found
    if kind == "word" and text in ("true", "false", "null"):
        return ("value", json.loads(text))
    if text == "if":
        return _if(reader)
    raise NotExactError(f"'{text or 'the end'}' has no equal in CEL")


def _if(reader: _Reader) -> Node:
    test = _pipe(reader)
    reader.need("then")
    then = _pipe(reader)
    if reader.has("elif"):
        return ("if", test, then, _if(reader))
    reader.need("else")
    other = _pipe(reader)
    reader.need("end")
    return ("if", test, then, other)


def _keys(reader: _Reader, first: str) -> tuple[str, ...]:
    keys = [first] if first else []
    while True:
        rest = re.compile(r'\.([A-Za-z_]\w*)|\.?\[\s*"([^"\\]+)"\s*\]|\.?"([^"\\]+)"').match(reader.text, reader.at)
        if rest is None:
            break
        keys.append(rest[1] or rest[2] or rest[3])
        reader.at = rest.end()
    if not keys or reader.text[reader.at : reader.at + 1] in ("[", "?", "."):
        raise NotExactError(f"the path '.{'.'.join(keys)}…' has no equal in CEL")
    return tuple(keys)


def _text(reader: _Reader, quote: str) -> Node:
    parts: list[Any] = []
    plain = ""
    while reader.at < len(reader.text):
        sign = reader.text[reader.at]
        reader.at += 1
        if sign == quote:
            return ("text", tuple([*parts, plain] if plain or not parts else parts))
        if sign != "\\":
            plain += sign
            continue
        following = reader.text[reader.at : reader.at + 1]
        reader.at += 1
        if following == "(":
            inner = _pipe(reader)
            reader.need(")")
            parts += [plain, inner] if plain else [inner]
            plain = ""
        elif following in '"\\/':
            plain += following
        else:
            raise NotExactError(f"'\\{following}' in a text has no equal in CEL")
    raise NotExactError("a text does not end")
