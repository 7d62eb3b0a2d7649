"""Where the values of a YAML document stand in its text: a tree of places made from the parser's events.

Unlike nodes, events tell an alias from what it stands for. Called by `yaml_editing`, on text that `yaml12` has read
already, which bounds its size and depth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

_BLANK_END = re.compile(r"(?:\r?\n[ \t]*)+\Z")
_PROPERTIES = re.compile(r"(?:[&!]\S*[ \t]+)+")


@dataclass
class Place:
    """A value in a text: `[start, end)` without what follows it (comments, blank lines); `column` counts from 0."""

    kind: Literal["scalar", "mapping", "sequence", "alias"]
    start: int
    end: int
    column: int
    line: int
    style: str = ""
    """Of a scalar: `'`, `"`, `|`, `>` or nothing."""
    is_flow: bool = False
    value: str = ""
    entries: list[tuple[Place, Place]] = field(default_factory=list)
    items: list[Place] = field(default_factory=list)


def places_of(text: str) -> Iterator[Place]:
    """The root of each document that has one. Raises yaml.YAMLError as the parser does."""
    events = yaml.parse(text, Loader=yaml.CSafeLoader)
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            yield _place(text, next(events), events)


def value_start(text: str, place: Place) -> int:
    """Where the value itself begins, behind its anchor and tag."""
    match = _PROPERTIES.match(text, place.start, place.end)
    return match.end() if match and place.kind != "alias" else place.start


def _place(text: str, event: Any, events: Iterator[Any]) -> Place:
    start, end = event.start_mark.index, event.end_mark.index
    column, line = event.start_mark.column, event.start_mark.line + 1
    if isinstance(event, yaml.AliasEvent):
        return Place("alias", start, end, column, line, value=event.anchor or "")
    if isinstance(event, yaml.ScalarEvent):
        style = event.style or ""
        if style in ("|", ">"):
            blank = _BLANK_END.search(text, start, end)
            end = blank.start() if blank else end
        return Place("scalar", start, end, column, line, style=style, value=event.value)
    if isinstance(event, yaml.MappingStartEvent):
        place = Place("mapping", start, start, column, line, is_flow=bool(event.flow_style))
        while not isinstance(mark := next(events), yaml.MappingEndEvent):
            key = _place(text, mark, events)
            place.entries.append((key, _place(text, next(events), events)))
        last = place.entries[-1] if place.entries else None
        place.end = _end(mark) if place.is_flow else max(last[0].end, last[1].end) if last else start
        return place
    place = Place("sequence", start, start, column, line, is_flow=bool(event.flow_style))
    while not isinstance(mark := next(events), yaml.SequenceEndEvent):
        place.items.append(_place(text, mark, events))
    place.end = _end(mark) if place.is_flow else place.items[-1].end if place.items else start
    return place


def _end(event: Any) -> int:
    return int(event.end_mark.index)
