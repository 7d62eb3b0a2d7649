"""YAML as 1.2 reads it, and what is refused."""

from __future__ import annotations

import time

import pytest

from taxiway.kit.yaml12 import YamlDocument, YamlError, line_of, load, load_all

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9)
)


def test_plain_scalars_follow_the_core_schema() -> None:
    text = "[yes, no, on, true, 012, 0o17, 0x1f, 1_000, 1e3, .5, ~, null, 2020-01-01, 12:30:45, '1', -0]"
    assert load(text) == [
        *("yes", "no", "on", True, 12, 15, 31, "1_000", 1000.0, 0.5, None, None),
        *("2020-01-01", "12:30:45", "1", 0),
    ]


def test_documents_come_with_the_line_that_they_start_on() -> None:
    text = "# a comment\na: 1\n---\n---\n\nb: 2\n"
    assert list(load_all(text)) == [YamlDocument({"a": 1}, 2), YamlDocument({"b": 2}, 6)]


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", 4, "stands twice"),
        ("a: 1\nb: [\n", 3, "flow"),
        ("a: &x [*x]\n", 1, "contains itself"),
        ("a:\n b: \0\n", 2, "NUL"),
        (b"a: 1\nb: \xff\n", 2, "UTF-8"),
        ("a: .inf", 1, "infinity"),
        ("a: 1\n---\nb: 2", 3, "more than one document"),
        ("[" * 500 + "]" * 500, 1, "deeper"),
        ("- " * 5_000 + "a", 1, "deeper"),
        ("? " * 5_000 + "a", 1, "deeper"),
    ],
)
def test_faults_are_named_with_their_line(text: str | bytes, line: int, part: str) -> None:
    with pytest.raises(YamlError) as caught:
        load(text)
    assert (caught.value.line, part in caught.value.detail) == (line, True), caught.value.detail


def test_a_bomb_of_aliases_is_refused_soon() -> None:
    start = time.monotonic()
    with pytest.raises(YamlError, match="aliases"):
        load(BOMB)
    assert time.monotonic() - start < 5


def test_large_texts_are_refused_unread() -> None:
    with pytest.raises(YamlError, match="limit is 10"):
        load("a" * 11, max_bytes=10)


def test_merge_keys_unknown_tags_and_placeholder_keys_are_kept() -> None:
    text = "base: &b {a: 1, c: 2}\nx: {<<: *b, a: 3}\ny: !Ref thing\n{{z}}: 1\n"
    assert load(text) == {
        "base": {"a": 1, "c": 2},
        "x": {"a": 3, "c": 2},
        "y": "thing",
        "{{z}}": 1,
    }


def test_a_pointer_is_found_in_its_document() -> None:
    text = "a: 1\n---\nspec:\n  list:\n    - x\n    - type: 3\n"
    assert line_of(text, 3, "/spec/list/1/type") == 6
    assert line_of(text, 3, "/spec/missing") == 3
