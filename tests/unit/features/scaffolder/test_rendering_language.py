"""The template language, in process: what golden paths in the wild write must come out as Backstage would."""

from __future__ import annotations

import json
from typing import Any

import pytest

from taxiway.features.scaffolder.rendering.pool import ENGINE
from taxiway.features.scaffolder.rendering.worker import Answer, load
from taxiway.kit.built import built_web

CONTEXT: dict[str, Any] = {
    "parameters": {"name": "order-history", "owner": "team-a", "count": 3, "list": ["a", "b"], "none": None},
    "steps": {"publish": {"output": {"remoteUrl": "http://h/x.git"}}},
}
MEMORY = 128 * 1024 * 1024


@pytest.fixture(scope="module")
def engine() -> Answer:
    web = built_web()
    assert web is not None, "run `make web`"
    return load(web / ENGINE, MEMORY)


def ask(engine: Answer, **request: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(engine(json.dumps({"context": CONTEXT, "most": 1_000_000, **request})))
    return found


def value(engine: Answer, template: Any, **options: Any) -> Any:
    result = ask(engine, op="value", value=template, **options)
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
        ("${{ parameters.missing.deeper }}", None),
        ("${{ parameters.count === 3 and not false }}", True),
        ("${{ parameters.count !== 3 or false }}", False),
        ("${{ parameters.name.split('-') }}", ["order", "history"]),
        ("${{ parameters.name | replace('-', '_') }}", "order_history"),
        ("${{ parameters.owner | parseEntityRef({ defaultKind: 'group' }) | pick('name') }}", "team-a"),
        ("${{ 'github.com?owner=o&repo=r' | parseRepoUrl | pick('repo') }}", "r"),
        ("${{ 'gitlab.com?owner=a%2Fb&repo=r' | projectSlug }}", "a/b/r"),
        ("${{ parameters.list | dump }}", '["a","b"]'),
        ("{% if parameters.count %}yes{% endif %}", "yes"),
        ("{{ not ours }}", "{{ not ours }}"),
        ("{% raw %}${{ github.sha }}{% endraw %}", "${{ github.sha }}"),
        ({"a": ["${{ steps.publish.output.remoteUrl }}", 1]}, {"a": ["http://h/x.git", 1]}),
        ({"kept": None, "gone": "${{ parameters.missing }}"}, {"kept": None}),
        ({"${{ parameters.name }}": 1}, {"${{ parameters.name }}": 1}),
    ],
)
def test_expressions(engine: Answer, template: Any, expected: Any) -> None:
    assert value(engine, template) == expected


def test_conditions_know_whether_an_earlier_step_failed(engine: Answer) -> None:
    assert value(engine, "${{ failure() and parameters.count }}", failed=True) == 3
    assert value(engine, "${{ failure() }}", failed=False) is False
    assert value(engine, "${{ always() }}") is True


def test_files_render_path_and_content_and_keep_the_last_newline(engine: Answer) -> None:
    files = [["src/${{ parameters.name }}.txt", "hi ${{ parameters.owner }}\n"], ["logo.png", None]]
    result = ask(engine, op="files", files=files)
    assert result == {"value": [["src/order-history.txt", "hi team-a\n"], ["logo.png", None]]}


def test_cookiecutter_files_have_their_own_delimiters_and_name(engine: Answer) -> None:
    files = [["{{ cookiecutter.name }}.txt", "{{ cookiecutter.name | jsonify }} ${{ x }}"]]
    options = {"cookiecutterCompat": True}
    result = ask(engine, op="files", files=files, options=options, context={"cookiecutter": {"name": "n"}})
    assert result == {"value": [["n.txt", '"n" $']]}


def test_a_text_that_was_read_before_is_rendered_with_the_answers_and_options_of_now(engine: Answer) -> None:
    text = "{% if values.on %}\n${{ values.name }}{{ values.name }}{% endif %}"
    asked = [
        ({"values": {"on": True, "name": "a"}}, {}, "\na{{ values.name }}"),
        ({"values": {"on": True, "name": "b"}}, {}, "\nb{{ values.name }}"),
        ({"values": {"on": False, "name": "c"}}, {}, ""),
        ({"values": {"on": True, "name": "d"}}, {"trimBlocks": True}, "d{{ values.name }}"),
        ({"values": {"on": True, "name": "e"}}, {"cookiecutterCompat": True}, "\n$ee"),
        ({"values": {"on": True, "name": "f"}}, {}, "\nf{{ values.name }}"),
    ]
    for context, options, expected in asked:
        found = ask(engine, op="files", files=[["x", text]], context=context, options=options)
        assert found["value"] == [["x", expected]]


def test_an_error_names_the_file_or_the_value_and_the_line(engine: Answer) -> None:
    error = ask(engine, op="files", files=[["ok.txt", "fine"], ["bad.txt", "one\n${{ name | nope }}\n"]])["error"]
    assert error["at"] == "bad.txt"
    assert "line 2" in error["message"]
    assert "nope" in error["message"]
    error = ask(engine, op="value", value={"a": ["fine", {"b/c": "${{ x | nope }}"}]})["error"]
    assert error["at"] == "/a/1/b~1c"


def test_what_cannot_be_rendered_stays_as_it_is_where_that_was_chosen(engine: Answer) -> None:
    template = {"good": "${{ parameters.count }}", "bad": "${{ x | nope }}"}
    assert value(engine, template, lenient=True) == {"good": 3, "bad": "${{ x | nope }}"}


@pytest.mark.parametrize(
    "hostile",
    [
        "{% for i in range(100000000) %}x{% endfor %}",
        "{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}",
        "{% set s = 'x' %}{% for a in range(60) %}{% set s = s + s %}{% endfor %}${{ s }}",
        "{% macro m() %}${{ m() }}{% endmacro %}${{ m() }}",
        "${{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "${{ 'x'.constructor.constructor('return globalThis')() }}",
        "${{ [].__proto__.polluted }}",
        "${{ range.constructor }}",
        "{% include '/etc/passwd' %}",
    ],
)
def test_hostile_templates_end_with_an_error_or_nothing(engine: Answer, hostile: str) -> None:
    result = ask(engine, op="value", value=hostile, context={})
    assert "error" in result or result["value"] in (None, ""), result
    assert value(engine, "${{ parameters.count }}") == 3, "the engine is none the worse"
