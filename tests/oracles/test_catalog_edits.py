"""Every valid document of the oracle set with one field changed: only that field's lines may differ.

Some scalars of each document are changed, one at a time. The lines of a field are not taken from the
editor: they are those from the line of its key to the line on which the next key or item begins.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from taxiway.kit.yaml12 import load_all
from taxiway.kit.yaml_editing import LayoutError, edit_document

ORACLE = Path(__file__).parents[3] / "shared" / "oracles" / "catalog-entities" / "entities.jsonl"
FLOORS = {"documents": 397, "fields": 1552}
MOST = 4
"""Fields changed of one document, from its first to its last. With all of them: 8,023 of 8,023, in 9 s."""

pytestmark = [
    pytest.mark.oracles,
    pytest.mark.skipif(not ORACLE.is_file(), reason=f"the oracle set is not at {ORACLE}"),
]


def test_a_change_of_one_field_changes_only_the_lines_of_that_field() -> None:
    good = {"documents": 0, "fields": 0}
    total = {"documents": 0, "fields": 0}
    missed = []
    for case in _valid():
        text, first = case["text"], next(iter(load_all(case["text"])))
        fields = list(_fields(next(yaml.compose_all(text, yaml.CSafeLoader)), text))
        fields = fields[:: -(-len(fields) // MOST)]
        verdicts = [_is_kept(text, first.line, first.value, *field) for field in fields]
        good["documents"] += bool(verdicts) and all(verdicts)
        total["documents"] += 1
        good["fields"] += sum(verdicts)
        total["fields"] += len(verdicts)
        missed += [(case["id"], "/".join(map(str, f[0]))) for f, ok in zip(fields, verdicts, strict=True) if not ok]
    for part, count in good.items():
        print(f"catalog-entities edited {part}: {count} of {total[part]}")
    print("not changed in place:", *missed, sep="\n  ")
    for part, count in good.items():
        assert count >= FLOORS[part], f"{part} fell from {FLOORS[part]} to {count}; differing: {missed[:10]}"


def _valid() -> Iterator[dict[str, Any]]:
    with ORACLE.open() as lines:
        yield from (case for case in map(json.loads, lines) if case["verdict"] == "valid")


def _is_kept(text: str, line: int, value: Any, path: list[str | int], first: int, behind: int) -> bool:
    wanted = _changed(value, path)
    try:
        edited = edit_document(text, line, wanted)
    except LayoutError:
        return False
    old, new = text.split("\n"), edited.split("\n")
    tail = len(old) - behind
    assert next(iter(load_all(edited))).value == wanted
    return old[:first] == new[:first] and (tail == 0 or old[-tail:] == new[-tail:]) and old != new


def _changed(value: Any, path: list[str | int]) -> Any:
    if not path:
        return f"{value} 2" if isinstance(value, str) and value else "changed"
    if isinstance(value, list):
        return [_changed(item, path[1:]) if n == path[0] else item for n, item in enumerate(value)]
    return {key: _changed(item, path[1:]) if key == path[0] else item for key, item in value.items()}


def _fields(root: Any, text: str) -> Iterator[tuple[list[str | int], int, int]]:
    """(path, line of its key or item, line on which the next one begins, both from 0) of each scalar."""
    found = list(_scalars(root, [], root.start_mark.line))
    starts = [*sorted({line for _, line in _starts(root)}), _end(text)]
    for path, line in found:
        yield path, line, next(start for start in starts if start > line)


def _end(text: str) -> int:
    documents = [node.start_mark.line for node in yaml.compose_all(text, yaml.CSafeLoader) if node is not None]
    return documents[1] if len(documents) > 1 else text.count("\n") + 1


def _scalars(node: Any, path: list[str | int], line: int) -> Iterator[tuple[list[str | int], int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                yield from _scalars(value, [*path, key.value], key.start_mark.line)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _scalars(item, [*path, number], item.start_mark.line)
    else:
        yield path, line


def _starts(node: Any) -> Iterator[tuple[None, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield None, key.start_mark.line
            yield from _starts(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield None, item.start_mark.line
            yield from _starts(item)
