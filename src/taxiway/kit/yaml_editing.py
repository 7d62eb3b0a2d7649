"""Changes values of one document of a YAML text and leaves every other byte as it is: comments, quotes, order, layout.

The difference between the old value and the new one becomes pieces of text to cut out and to put in. The outcome is
read again and must hold the new value and nothing else that is different, so that a layout which this does not
understand is refused rather than damaged. Called by edits of entities; the text is untrusted and bounded.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

import orjson
import yaml

from taxiway.kit.yaml12 import YamlDocument, YamlError, load_all
from taxiway.kit.yaml_places import Place, places_of, value_start
from taxiway.kit.yaml_writing import Layout, block_lines, entry_lines, inline_lines, write_flow, write_scalar

MAX_BYTES = 1_000_000
MAX_COMPARED = 1_000_000
BY_HAND = "change the text of the file instead"
_COLON = re.compile(r"[ \t]*:")


class LayoutError(ValueError):
    """The text is laid out in a way that cannot be changed in place. It says where, and what to do instead."""


def edit_document(text: str, line: int, value: Mapping[str, Any]) -> str:
    """The text with the document that begins on `line` (as `load_all` counts) holding `value`.

    YamlError when the text cannot be read, LayoutError when it cannot be changed in place."""
    before = list(load_all(text, max_bytes=MAX_BYTES))
    number = next((n for n, document in enumerate(before) if document.line == line), None)
    if number is None:
        raise LayoutError(f"no document begins on line {line}: read the file again")
    try:
        root = next(place for place in places_of(text) if place.line == line)
        edited = _Editor(text, root).apply(before[number].value, value)
    except (_Hard, yaml.YAMLError, RecursionError) as error:
        raise LayoutError(f"the document on line {line} cannot be changed in place: {BY_HAND}") from error
    _check(edited, before, number, value)
    return edited


def _check(edited: str, before: list[YamlDocument], number: int, value: Any) -> None:
    try:
        after = list(load_all(edited, max_bytes=2 * MAX_BYTES))
    except YamlError as error:
        raise LayoutError(f"the change would break the file ({error}), perhaps an anchor: {BY_HAND}") from error
    wanted = [value if n == number else document.value for n, document in enumerate(before)]
    if len(after) != len(wanted) or not all(same(a.value, b) for a, b in zip(after, wanted, strict=True)):
        line = before[number].line
        raise LayoutError(f"a value of the document on line {line} is shared through an anchor or '<<': {BY_HAND}")


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON, whatever the order of keys."""
    return one is other or _text(one) == _text(other)


def _text(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


class _Hard(Exception):
    """A place that cannot be changed by pieces; what contains it is written anew."""


class _Editor:
    """One change of one document. `cuts` are (start, end, text to put there)."""

    def __init__(self, text: str, root: Place) -> None:
        self._text, self._root = text, root
        self._cuts: list[tuple[int, int, str]] = []
        self._layout = _layout(text, root)

    def apply(self, old: Any, new: Any) -> str:
        if not isinstance(new, Mapping) or self._root.kind != "mapping" or not new:
            raise _Hard
        self._mapping(self._root, old, new, self._root.is_flow)
        parts, at = [], 0
        for start, end, text in sorted(self._cuts, key=lambda cut: cut[:2]):
            if start < at:
                raise _Hard
            parts += [self._text[at:start], text]
            at = end
        return "".join([*parts, self._text[at:]])

    def _change(self, place: Place, old: Any, new: Any, owner: Place, key: Place | None, in_flow: bool) -> None:
        if same(old, new):
            return
        kept = len(self._cuts)
        try:
            if place.kind == "mapping" and isinstance(old, Mapping) and isinstance(new, Mapping) and new:
                self._mapping(place, old, new, in_flow or place.is_flow)
                return
            if place.kind == "sequence" and isinstance(old, list) and isinstance(new, list) and new:
                self._sequence(place, old, new, in_flow or place.is_flow)
                return
        except _Hard:
            del self._cuts[kept:]
        self._replace(place, new, owner, key, in_flow)

    def _replace(self, place: Place, new: Any, owner: Place, key: Place | None, in_flow: bool) -> None:
        newline, start = self._layout.newline, value_start(self._text, place)
        stands_alone = place.kind in ("mapping", "sequence") and not place.is_flow
        if in_flow:
            text = write_scalar(new, place.style, in_flow=True) if _is_scalar(new) else write_flow(new)
        elif not _is_scalar(new) and new:
            text = newline.join(block_lines(new, self._indent_below(new, owner, key), self._layout))
            if key is not None:
                self._cut(self._behind_colon(key), place.end, newline + text)
                return
            text = text.lstrip(" ")
        else:
            indent = self._indent_of(place) or owner.column + self._layout.step
            text = newline.join(inline_lines(new, indent, self._layout, place.style, self._width(place)))
            start = self._behind_colon(key) if stands_alone and key is not None else start
        self._cut(start, place.end, text if _is_behind_blank(self._text, start) else f" {text}")

    def _indent_below(self, new: Any, owner: Place, key: Place | None) -> int:
        if key is None:
            return owner.column
        is_flush = isinstance(new, list) and not self._layout.is_list_deeper
        return owner.column + (0 if is_flush else self._layout.step)

    def _mapping(self, place: Place, old: Any, new: Mapping[str, Any], in_flow: bool) -> None:
        there = set()
        for number, (key, value) in enumerate(place.entries):
            name = self._text[key.start : key.end] if key.kind != "scalar" else key.value
            there.add(name)
            if name in new:
                self._change(value, old.get(name), new[name], place, key, in_flow)
            elif name in old:
                following = place.entries[number + 1][0].start if number + 1 < len(place.entries) else None
                before = place.entries[number - 1] if number else None
                cut_from = None if before is None else max(before[0].end, before[1].end)
                self._remove(key.start, max(key.end, value.end), cut_from, following, in_flow)
        added = {k: v for k, v in new.items() if k not in there and not (k in old and same(old[k], v))}
        if added:
            self._add(place, added, in_flow)

    def _add(self, place: Place, added: Mapping[str, Any], in_flow: bool) -> None:
        if not place.entries:
            self._cut(place.start, place.end, write_flow(added))
            return
        end = max(part.end for part in place.entries[-1])
        if in_flow:
            self._cut(end, end, "".join(f", {_pair(name, item)}" for name, item in added.items()))
            return
        column = place.entries[0][0].column
        lines = [line for name, item in added.items() for line in entry_lines(name, item, column, self._layout)]
        self._insert_behind(end, lines)

    def _sequence(self, place: Place, old: list[Any], new: list[Any], in_flow: bool) -> None:
        if not place.items or len(place.items) != len(old):
            if in_flow and not place.items and not old:
                self._cut(place.start, place.end, write_flow(new))
                return
            raise _Hard
        if len(old) * len(new) > MAX_COMPARED:
            raise _Hard
        matcher = difflib.SequenceMatcher(a=[_text(v) for v in old], b=[_text(v) for v in new], autojunk=False)
        for verb, i, i_end, j, j_end in matcher.get_opcodes():
            if verb == "equal":
                continue
            both = min(i_end - i, j_end - j)
            for step in range(both):
                item = place.items[i + step]
                self._change(item, old[i + step], new[j + step], item if not in_flow else place, None, in_flow)
            for number in range(i + both, i_end):
                self._remove_item(place.items, number, in_flow)
            if j + both < j_end:
                self._insert_items(place.items, i + both, new[j + both : j_end], in_flow)

    def _remove_item(self, items: list[Place], number: int, in_flow: bool) -> None:
        starts = [item.start if in_flow else self._dash(item) for item in items[number : number + 2]]
        following = starts[1] if len(starts) > 1 else None
        cut_from = items[number - 1].end if number else None
        self._remove(starts[0], items[number].end, cut_from, following, in_flow)

    def _insert_items(self, items: list[Place], number: int, values: list[Any], in_flow: bool) -> None:
        if in_flow:
            text = ", ".join(write_flow(value) for value in values)
            at = items[number - 1].end if number else items[0].start
            self._cut(at, at, f", {text}" if number else f"{text}, ")
            return
        dash = self._dash(items[0])
        at = self._line_start(dash)
        lines = block_lines(values, dash - at, self._layout)
        if number:
            self._insert_behind(items[number - 1].end, lines)
        elif self._text[at:dash].strip(" "):
            raise _Hard
        else:
            self._cut(at, at, "".join(line + self._layout.newline for line in lines))

    def _remove(self, start: int, end: int, cut_from: int | None, following: int | None, in_flow: bool) -> None:
        line = self._line_start(start)
        if in_flow and cut_from is not None:
            self._cut(cut_from, end, "")
        elif in_flow:
            self._cut(start, end if following is None else following, "")
        elif not self._text[line:start].strip(" "):
            self._cut(line, self._line_end(end), "")
        elif following is None:
            raise _Hard
        else:
            self._cut(start, following, "")

    def _insert_behind(self, end: int, lines: list[str]) -> None:
        at, newline = self._line_end(end), self._layout.newline
        body = newline.join(lines)
        is_last = not self._text[:at].endswith("\n")
        self._cut(at, at, newline + body if is_last else body + newline)

    def _cut(self, start: int, end: int, text: str) -> None:
        self._cuts.append((start, end, text))

    def _behind_colon(self, key: Place) -> int:
        match = _COLON.match(self._text, key.end)
        if match is None:
            raise _Hard
        return match.end()

    def _dash(self, item: Place) -> int:
        before = self._text[: item.start].rstrip(" \t\r\n")
        if not before.endswith("-"):
            raise _Hard
        return len(before) - 1

    def _line_start(self, at: int) -> int:
        return self._text.rfind("\n", 0, at) + 1

    def _line_end(self, at: int) -> int:
        found = self._text.find("\n", at)
        return len(self._text) if found < 0 else found + 1

    def _block(self, place: Place) -> list[str]:
        return self._text[place.start : place.end].splitlines()[1:] if place.style in ("|", ">") else []

    def _indent_of(self, place: Place) -> int:
        return next((len(line) - len(line.lstrip(" ")) for line in self._block(place) if line.strip()), 0)

    def _width(self, place: Place) -> int:
        lines, indent = self._block(place), self._indent_of(place)
        return max(40, *(len(line) - indent for line in lines)) if len(lines) > 1 else 0


def _pair(name: str, item: Any) -> str:
    return f"{write_scalar(name, in_flow=True)}: {write_flow(item)}"


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, Mapping | list)


def _is_behind_blank(text: str, at: int) -> bool:
    return at == 0 or text[at - 1] in " \t\n[{,"


def _layout(text: str, root: Place) -> Layout:
    """How the document is indented, from the first of its parts that shows it."""
    step = deeper = None
    waiting = [root]
    while waiting and (step is None or deeper is None):
        place = waiting.pop()
        for _, value in [] if place.is_flow else place.entries:
            if value.is_flow:
                continue
            if value.kind == "mapping" and value.column > place.column:
                step = step or value.column - place.column
            elif value.kind == "sequence" and value.items:
                deeper = deeper if deeper is not None else value.column > place.column
        waiting += [value for _, value in reversed(place.entries)] + place.items[::-1]
    newline = "\r\n" if "\r\n" in text[: text.find("\n") + 1] else "\n"
    return Layout(step or 2, deeper is not False, newline)
