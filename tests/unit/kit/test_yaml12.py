"""YAML as 1.2 reads it, and what is refused."""

from __future__ import annotations

import time

import pytest
import yaml

from taxiway.kit.yaml12 import MAX_LINES, YamlDocument, YamlError, line_of, lines_of, load, load_all

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
    start = time.process_time()
    with pytest.raises(YamlError, match="aliases"):
        load(BOMB)
    assert time.process_time() - start < 5


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


def test_the_lines_of_all_values_are_told_by_their_pointers() -> None:
    text = "a: 1\n---\nb:\n- x\n- c/d: 2\n{{ e }}:\n  f: 3\n"
    assert lines_of(text, 3) == {"/b": 3, "/b/0": 4, "/b/1": 5, "/b/1/c~1d": 5, "/{{ e }}": 6, "/{{ e }}/f": 7}


def test_the_lines_of_hostile_texts_are_bounded() -> None:
    levels = [f"&l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 9)]
    bomb = f"? [&l0 [x], {', '.join(levels)}]\n: 1\n"
    assert len(list(load_all(bomb))) == 1
    assert list(lines_of(bomb, 1).values()) == [1]
    assert len(lines_of("[" + "1," * (MAX_LINES + 9) + "]", 1)) == MAX_LINES
    assert lines_of(f"? {'k' * 100_000}\n: [{'1,' * 1000}]\nb: 1\n", 1) == {"/b": 3}


def test_lines_are_found_at_once_in_a_long_text() -> None:
    text = "--- # one\n".join(f"a:\n  b: {n}\n" for n in range(4000))
    documents, begun = list(load_all(text)), time.process_time()
    assert [line_of(text, one.line, "/a/b") - one.line for one in documents] == [1] * 4000
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    "text", ["--- {a: 1, b:\n 2}\n", "x: \x85\n---\ra: 1\rb: 2\n", "x: 1\n--- &n\na: 1\n\nb: 2\n...\n---\nc: 3\n"]
)
def test_a_line_is_the_same_as_in_the_whole_text(text: str) -> None:
    document = next(one for one in load_all(text) if "b" in one.value)
    loader = yaml.CSafeLoader(text)
    nodes = [loader.get_node() for _ in iter(loader.check_node, False)]
    whole = next(node for node in nodes if len(node.value) == 2)
    assert line_of(text, document.line, "/b") == whole.value[1][0].start_mark.line + 1
    assert lines_of(text, document.line)["/b"] == line_of(text, document.line, "/b")
