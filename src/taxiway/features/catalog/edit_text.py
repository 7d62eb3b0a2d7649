"""The text of one document inside a file: cutting it out, putting another in its place, and showing what differs. Pure.

Called by edits of entities. Texts are untrusted and bounded by `MAX_BYTES` of `kit.yaml_editing`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from taxiway.kit.yaml12 import YamlDocument, YamlError, load_all
from taxiway.kit.yaml_documents import documents_and_faults
from taxiway.kit.yaml_editing import LayoutError, edit_document, same
from taxiway.model.entity import ref_of
from taxiway.model.errors import InputError

BOM = "\ufeff"
MAX_LEVELS = 100
MAX_DIFFERENT = 4000
"""Lines that differ on either side of a change that is still shown."""
_MARK = re.compile(r"^---(?:[ \t]*(?:#[^\n]*)?\r?\n|(?=[ \t]|\r?$))", re.MULTILINE)


@dataclass(frozen=True)
class Part:
    """One document of a file: its value, the line it begins on (from 1), and the part of the text that is its own."""

    value: Mapping[str, Any]
    line: int
    start: int
    end: int


def find_part(text: str, ref: str) -> Part | None:
    """The document that describes `ref`, or None."""
    for document in documents_and_faults(text.encode()):
        if isinstance(document, YamlDocument) and _ref(document.value) == ref:
            start, end = _region(text, document.line)
            return Part(document.value, document.line, start, end)
    return None


def part_at(text: str, start: int, end: int) -> Part:
    """The document in a part of a text. InputError when it cannot be read by itself, as where a directive leads it."""
    document = next(documents_and_faults(text[start:end].encode()), None)
    if not isinstance(document, YamlDocument):
        raise InputError("the document cannot be told from the rest of its file", code="catalog.not_in_place")
    return Part(document.value, document.line + text.count("\n", 0, start), start, end)


def with_values(text: str, part: Part, changes: Mapping[str, Any]) -> str:
    """The file with fields changed: JSON Pointers to values, None to remove one. InputError says what is in the way."""
    value: Any = part.value
    for pointer, new in changes.items():
        path = [piece.replace("~1", "/").replace("~0", "~") for piece in pointer.split("/")[1:]]
        if not pointer.startswith("/") or len(path) > MAX_LEVELS:
            raise InputError(
                f"'{pointer[:100]}' is no JSON Pointer: write /spec/lifecycle, for instance", code="catalog.bad_field"
            )
        value = _changed(value, path, new, pointer)
    return with_value(text, part, value)


def with_value(text: str, part: Part, value: Mapping[str, Any]) -> str:
    """The file with another value in the place of the document's. InputError says what is in the way."""
    try:
        return edit_document(text, part.line, value)
    except (LayoutError, YamlError) as error:
        raise InputError(f"{error}", code="catalog.not_in_place") from error


def merged(raw: Any, stored: Any, new: Any) -> Any:
    """What a file has with the differences between what the catalog served and `new`: what the catalog adds or resolves
    (relations, annotations, placeholders) stays out of the file."""
    if same(stored, new):
        return raw
    if not all(isinstance(each, Mapping) for each in (raw, stored, new)):
        return new
    found = {}
    for key in [*raw, *(key for key in new if key not in raw)]:
        if (key in stored) == (key in new) and same(stored.get(key), new.get(key)):
            if key in raw:
                found[key] = raw[key]
        elif key in new:
            found[key] = merged(raw.get(key), stored.get(key), new[key])
    return found


def with_text(text: str, part: Part, own: str) -> str:
    """The file with another text in the place of the document's own. InputError unless it is one document, and the
    others stay what they are."""
    try:
        documents = list(load_all(own))
    except YamlError as error:
        raise InputError(f"not valid YAML: {error}", code="catalog.bad_yaml") from error
    if len(documents) != 1:
        raise InputError("the text must be one document, without '---'", code="catalog.bad_yaml")
    newline = "\r\n" if "\r\n" in text[part.start : part.end] else "\n"
    fitting = own.replace("\r\n", "\n").replace("\n", newline)
    if part.end < len(text) and not fitting.endswith(newline):
        fitting += newline
    edited = text[: part.start] + fitting + text[part.end :]
    before, after = ([_value(one) for one in documents_and_faults(each.encode())] for each in (text, edited))
    number = next(n for n, one in enumerate(before) if one is part.value or same(one, part.value))
    if len(before) != len(after) or any(
        not same(one, other) for n, (one, other) in enumerate(zip(before, after, strict=True)) if n != number
    ):
        raise InputError("the text would change other documents of the file: correct it", code="catalog.bad_yaml")
    return edited


def appended(text: str, own: str) -> str:
    """A file with one more document."""
    if not text.strip():
        return own
    end = "" if text.endswith("\n") else "\n"
    return f"{text}{end}---\n{own}"


def diff_of(old: str, new: str, path: str) -> str:
    """A unified diff, or a line that says that it is too long to show."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    head = 0
    while head < min(len(before), len(after)) and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < min(len(before), len(after)) - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    if max(len(before), len(after)) - head - tail > MAX_DIFFERENT:
        return f"More than {MAX_DIFFERENT} lines differ.\n"
    first = max(0, head - 3)
    cut = [lines[first : len(lines) - max(0, tail - 3)] for lines in (before, after)]
    lines = list(difflib.unified_diff(cut[0], cut[1], f"a/{path}", f"b/{path}"))
    shifted = [_shifted(line, first) if line.startswith("@@ ") else line for line in lines]
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in shifted
    ).replace("\r\n", "\n")


def _shifted(header: str, by: int) -> str:
    return re.sub(r"([-+])(\d+)", lambda match: f"{match[1]}{int(match[2]) + by}", header)


def _region(text: str, line: int) -> tuple[int, int]:
    at = 0
    for _ in range(line - 1):
        at = text.index("\n", at) + 1
    marks = list(_MARK.finditer(text))
    start = max((mark.end() for mark in marks if mark.start() <= at), default=0)
    return start, min((mark.start() for mark in marks if mark.start() > at), default=len(text))


def _changed(value: Any, path: list[str], new: Any, pointer: str) -> Any:
    first, rest = path[0], path[1:]
    if isinstance(value, list):
        if not first.isdecimal() or len(first) > 9 or int(first) >= len(value):
            raise InputError(f"{pointer}: the list has no item {first}", code="catalog.bad_field")
        inner = _changed(value[int(first)], rest, new, pointer) if rest else new
        kept = [inner] if inner is not None else []
        return [*value[: int(first)], *kept, *value[int(first) + 1 :]]
    if value is not None and not isinstance(value, Mapping):
        raise InputError(f"{pointer}: '{first}' lies below a value that is no mapping", code="catalog.bad_field")
    there = dict(value or {})
    inner = _changed(there.get(first), rest, new, pointer) if rest else new
    if inner is None or (rest and new is None and inner == {}):
        there.pop(first, None)
    else:
        there[first] = inner
    return there


def _value(document: YamlDocument | YamlError) -> Any:
    return document.value if isinstance(document, YamlDocument) else str(document.detail)


def _ref(value: Any) -> str | None:
    try:
        return str(ref_of(value))
    except (KeyError, TypeError, AttributeError, ValueError, InputError):
        return None
