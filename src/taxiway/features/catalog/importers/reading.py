"""Reads the text of one document to be imported: JSON or YAML, bounded, with nothing dropped without a word."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from taxiway.features.catalog.importers.report import Input, Item, refused
from taxiway.kit.yaml12 import MAX_DEPTH, YamlError, load_all

MAX_BYTES = 10_000_000
"""Bytes of one document."""
BIGGEST = 2**63 - 1


@dataclass(frozen=True)
class Value:
    """A document's value, the line on which it starts, and its JSON pointer when a text holds several."""

    value: Any
    line: int
    at: str = ""


class _BadError(ValueError):
    """What is wrong with a text."""


def read_values(document: Input) -> Iterator[Value | Item]:
    """The values in a document: one of JSON, one a line of JSON lines, or each of a YAML stream. Faults are items."""
    size = len(document.text.encode(errors="surrogatepass"))
    if size > MAX_BYTES:
        yield refused(document.name, "", "document", f"it has {size} bytes, more than {MAX_BYTES}: split it")
        return
    text = document.text.removeprefix("\ufeff")
    try:
        if text.lstrip()[:1] in ("{", "["):
            yield from _json(text)
        else:
            for found in load_all(text, max_bytes=MAX_BYTES):
                yield Value(_checked(found.value), found.line)
    except YamlError as error:
        yield refused(document.name, "", "document", f"not valid YAML: {error}", error.line or 1)
    except _BadError as error:
        yield refused(document.name, "", "document", str(error))


def _json(text: str) -> Iterator[Value]:
    try:
        value = _loads(text)
    except json.JSONDecodeError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if error.msg == "Extra data" and len(lines) > 1 and lines[0].rstrip().endswith(("}", "]")):
            yield from _json_lines(text)
            return
        # A flow mapping of YAML starts like JSON.
        try:
            found = list(load_all(text, max_bytes=MAX_BYTES))
        except YamlError:
            raise _BadError(f"not valid JSON: line {error.lineno}: {error.msg}") from error
        for one in found:
            yield Value(_checked(one.value), one.line)
        return
    yield Value(_checked(value), 1)


def _json_lines(text: str) -> Iterator[Value]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = _loads(line)
        except json.JSONDecodeError as error:
            raise _BadError(f"not valid JSON lines: line {number}: {error.msg}") from error
        yield Value(_checked(value), number)


def _loads(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except RecursionError as error:
        raise _BadError("it is nested too deeply") from error
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        raise _BadError(str(error)) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise _BadError(f"the key '{twice[:80]}' stands twice in one object: remove one of them")
    return found


def _constant(text: str) -> Any:
    raise _BadError(f"{text} is no number of JSON")


def _checked(value: Any) -> Any:
    """The value, its keys as text. _BadError for what could not be stored: too deep, numbers beyond 64 bits, NUL and
    half characters, and two keys that are the same as text."""
    odd = False
    stack: list[tuple[Any, int]] = [(value, 0)]
    while stack:
        found, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise _BadError(f"it is nested more than {MAX_DEPTH} deep")
        if isinstance(found, dict):
            for key, item in found.items():
                odd = odd or not isinstance(key, str)
                _check_text(str(key))
                stack.append((item, depth + 1))
        elif isinstance(found, list):
            stack.extend((item, depth + 1) for item in found)
        elif isinstance(found, str):
            _check_text(found)
        elif isinstance(found, float) and not math.isfinite(found):
            raise _BadError("a number is not finite: write it as text")
        elif isinstance(found, int) and abs(found) > BIGGEST:
            raise _BadError("a number needs more than 64 bits: write it as text")
    return _text_keys(value) if odd else value


def _text_keys(value: Any) -> Any:
    if isinstance(value, list):
        return [_text_keys(item) for item in value]
    if isinstance(value, dict):
        return _object([(_key(key), _text_keys(item)) for key, item in value.items()])
    return value


def _key(key: Any) -> str:
    return key if isinstance(key, str) else json.dumps(key)


def _check_text(text: str) -> None:
    if "\0" in text or (not text.isascii() and any("\ud800" <= sign <= "\udfff" for sign in text)):
        raise _BadError("a text holds a NUL or half a character: remove it")
