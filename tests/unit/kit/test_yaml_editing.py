"""Documents changed in place."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from taxiway.kit.yaml12 import YamlError, load, load_all
from taxiway.kit.yaml_editing import LayoutError, edit_document
from taxiway.kit.yaml_writing import write_document, write_scalar

TEXT = """# orders
kind: Component   # a service
metadata:
  name: 'orders'
  description: >-
    Takes orders
    from the shop
  labels: {tier: "1", zone: eu}
  annotations:
    a/b: &ref "z" # keep
    a/c: *ref
  tags:
    - java   # old
    - go
  links:
  - url: https://one
    title: One
  - url: https://two
spec:
  type:   service # aligned
  owner:
  dependsOn: [ "component:a", b ]
---
kind: Other
"""
REMOVED = object()


def change(path: str, value: Any, text: str = TEXT) -> tuple[list[str], list[str]]:
    """The lines that went, and those that came."""
    first = next(iter(load_all(text)))
    wanted = copy.deepcopy(first.value)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split("|")]
    inner = wanted
    for part in parents:
        inner = inner[part]
    if value is REMOVED:
        del inner[last]
    else:
        inner[last] = value
    old, new = text.split("\n"), edit_document(text, first.line, wanted).split("\n")
    return [line for line in old if line not in new], [line for line in new if line not in old]


@pytest.mark.parametrize(
    ("path", "value", "gone", "come"),
    [
        ("spec|type", "library", ["  type:   service # aligned"], ["  type:   library # aligned"]),
        ("spec|owner", "team-a", ["  owner:"], ["  owner: team-a"]),
        ("spec|lifecycle", "production", [], ["  lifecycle: production"]),
        ("metadata|name", "it's", ["  name: 'orders'"], ["  name: 'it''s'"]),
        ("metadata|labels|zone", "us", ['  labels: {tier: "1", zone: eu}'], ['  labels: {tier: "1", zone: us}']),
        (
            "metadata|labels|new",
            "1",
            ['  labels: {tier: "1", zone: eu}'],
            ["  labels: {tier: \"1\", zone: eu, new: '1'}"],
        ),
        ("metadata|labels|tier", REMOVED, ['  labels: {tier: "1", zone: eu}'], ["  labels: {zone: eu}"]),
        ("metadata|annotations|a/c", "q", ["    a/c: *ref"], ["    a/c: q"]),
        ("metadata|tags", ["rust", "java", "go"], [], ["    - rust"]),
        ("metadata|tags", ["java"], ["    - go"], []),
        ("metadata|tags", [], ["  tags:", "    - java   # old", "    - go"], ["  tags: []"]),
        ("metadata|links|1|title", "Two", [], ["    title: Two"]),
        ("metadata|links|0|url", REMOVED, ["  - url: https://one", "    title: One"], ["  - title: One"]),
        ("spec|dependsOn", ["b", "c"], ['  dependsOn: [ "component:a", b ]'], ["  dependsOn: [ b, c ]"]),
        (
            "metadata|description",
            "Takes every order",
            ["    Takes orders", "    from the shop"],
            ["    Takes every order"],
        ),
        (
            "spec|profile",
            {"a": [1, {"b": True, "c": None}], "t": "x\n\ny\n"},
            [],
            [
                "  profile:",
                "    a:",
                "      - 1",
                "      - b: true",
                "        c: null",
                "    t: |",
                "      x",
                "",
                "      y",
            ],
        ),
    ],
)
def test_a_change_touches_its_own_lines(path: str, value: Any, gone: list[str], come: list[str]) -> None:
    removed, added = change(path, value)
    assert removed == gone
    assert [line for line in added if line] == [line for line in come if line]


def test_line_ends_of_the_file_are_kept() -> None:
    text = TEXT.replace("\n", "\r\n")
    for path, value in (("metadata|tags", ["go", "z"]), ("metadata|description", "a\nb"), ("spec|x", {"y": "z"})):
        _, added = change(path, value, text)
        assert added
        assert all(line.endswith("\r") for line in added)


def test_a_value_that_others_share_is_refused() -> None:
    with pytest.raises(LayoutError, match="anchor"):
        change("metadata|annotations|a/b", "other")
    with pytest.raises(LayoutError, match="<<"):
        change("b|x", REMOVED, "a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\n")


def test_a_merged_value_is_set_beside_the_merge() -> None:
    assert change("b|x", 2, "a: &a {x: 1}\nb:\n  <<: *a\n  y: 2\n") == ([], ["  x: 2"])


def test_a_file_without_a_last_line_end_gets_its_line() -> None:
    assert edit_document("a: b", 1, {"a": "b", "c": "d"}) == "a: b\nc: d"


def test_the_text_is_bounded_and_judged() -> None:
    with pytest.raises(YamlError, match="limit"):
        edit_document("a: " + "x" * 1_100_000, 1, {"a": 1})
    with pytest.raises(YamlError, match="twice"):
        edit_document("a: 1\na: 2\n", 1, {"a": 1})
    with pytest.raises(LayoutError, match="line 9"):
        edit_document("a: 1\n", 9, {"a": 2})


@pytest.mark.parametrize(
    "text",
    [
        *("yes", "1.20", "012", "0x1f", "1e3", "null", "2020-01-02", "12:30:45", "a: b", "a #b", "", " a", "a ", "- a"),
        *("*a", "&a", "!a", "%a", "@a", "`a", "a:", "...", "---", "~", "é", "\x7f", "\u2028", "a\tb", "\ufeffx"),
        *("{{ a }}", "a,b", "[a", "'a", '"a', "|", ">", "#a", "? a", "a\n", "\n"),
    ],
)
def test_text_is_written_so_that_it_reads_back_as_text(text: str) -> None:
    assert load(f"k: {write_scalar(text)}\n") == {"k": text}
    assert load("k: [" + write_scalar(text, in_flow=True) + "]\n") == {"k": [text]}


def test_a_new_document_reads_as_people_write_it() -> None:
    document = {"kind": "Component", "metadata": {"name": "a", "tags": ["x"]}, "spec": {"text": "a\nb\n", "none": []}}
    text = write_document(document)
    assert load(text) == document
    assert text == (
        "kind: Component\nmetadata:\n  name: a\n  tags:\n    - x\nspec:\n  text: |\n    a\n    b\n  none: []\n"
    )
