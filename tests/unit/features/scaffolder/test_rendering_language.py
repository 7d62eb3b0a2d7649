"""The template language, in process: what golden paths in the wild write must come out as Backstage would."""

from __future__ import annotations

from typing import Any

import pytest

from taxiway.features.scaffolder.rendering.worker import answer, rewrite

CONTEXT: dict[str, Any] = {
    "parameters": {"name": "order-history", "owner": "team-a", "count": 3, "list": ["a", "b"], "none": None},
    "steps": {"publish": {"output": {"remoteUrl": "http://h/x.git"}}},
}


def value(template: Any) -> Any:
    result = answer({"op": "value", "value": template, "context": CONTEXT})
    assert "error" not in result, result
    return result["value"]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("${{ parameters.name }}", "order-history"),
        ("${{ parameters.count }}", 3),
        ("x-${{ parameters.count }}", "x-3"),
        ("${{ parameters.list }}", ["a", "b"]),
        ("${{ parameters.list.length }}", 2),
        ("list: ${{ parameters.list }}", "list: a,b"),
        ("${{ parameters.none }}", None),
        ("none: ${{ parameters.none }}.", "none: ."),
        ("${{ parameters.missing }}", None),
        ("${{ parameters.count === 3 && !false }}", True),
        ("${{ parameters.count !== 3 || false }}", False),
        ("${{ parameters.name.split('-') }}", ["order", "history"]),
        ("${{ parameters.name | replace('-', '_') }}", "order_history"),
        ("${{ parameters.name.replaceAll('-', '_') }}", "order_history"),
        ("${{ parameters.owner | parseEntityRef({ defaultKind: 'group' }) | pick('name') }}", "team-a"),
        ("${{ 'github.com?owner=o&repo=r' | parseRepoUrl | pick('repo') }}", "r"),
        ("${{ 'github.com?owner=o&repo=r' | projectSlug }}", "o/r"),
        ("${{ parameters.list | dump }}", '["a","b"]'),
        ("{% if parameters.count %}yes{% endif %}", "yes"),
        ("{{ not ours }}", "{{ not ours }}"),
        ("{% raw %}${{ github.sha }}{% endraw %}", "${{ github.sha }}"),
        ({"a": ["${{ steps.publish.output.remoteUrl }}", 1]}, {"a": ["http://h/x.git", 1]}),
    ],
)
def test_expressions(template: Any, expected: Any) -> None:
    assert value(template) == expected


def test_text_outside_expressions_is_never_rewritten() -> None:
    source = "a === b && !c ${{ x === 1 }} {% raw %}${{ a && b }}{% endraw %} 'null'"
    assert rewrite(source) == "a === b && !c ${{ x == 1 }} {% raw %}${{ a && b }}{% endraw %} 'null'"


def test_strings_inside_expressions_keep_their_text() -> None:
    assert value("${{ 'a && !b === null' }}") == "a && !b === null"


def test_files_render_path_and_content_and_keep_the_last_newline() -> None:
    files = [["src/${{ parameters.name }}.txt", "hi ${{ parameters.owner }}\n"], ["logo.png", None]]
    result = answer({"op": "files", "files": files, "context": CONTEXT})
    assert result == {"value": [["src/order-history.txt", "hi team-a\n"], ["logo.png", None]]}


def test_an_error_names_the_file_and_the_line() -> None:
    files = [["ok.txt", "fine"], ["bad.txt", "one\n${{ 1 / 0 }}\n"]]
    error = answer({"op": "files", "files": files, "context": CONTEXT})["error"]
    assert error["at"] == "bad.txt"
    assert "line 2" in error["message"]


@pytest.mark.parametrize(
    "hostile",
    [
        "{% for i in range(100000000) %}x{% endfor %}",
        "{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}",
        "${{ ().__class__.__bases__ }}",
        "${{ namespace() }}",
    ],
)
def test_hostile_templates_end_with_an_error_or_nothing(hostile: str) -> None:
    result = answer({"op": "value", "value": hostile, "context": {}})
    assert "error" in result or result["value"] in (None, "")
