"""jq in CEL: the answers of jq itself, recorded, and what has no exact equal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from taxiway.features.catalog.cel import compiled
from taxiway.features.catalog.importers.jq_cel import translate
from taxiway.features.catalog.importers.jq_syntax import NotExactError
from taxiway.features.catalog.importers.port_computed import compute_all, read_path
from taxiway.features.catalog.importers.port_shapes import Shape, Shapes

RECORDED = json.loads((Path(__file__).parent / "jq_answers.json").read_text())
TYPES = {"s": "string", "t": "string", "n": "number", "m": "number", "b": "boolean", "l": "array", "r": "string"}


def shape() -> Shape:
    schema = {"properties": {name: {"type": type_} for name, type_ in TYPES.items()}}
    found = Shape("svc", {"schema": schema}, "Svc", True, ("", "", 1), required=frozenset({"r"}))
    found.sound = dict.fromkeys(TYPES, True)
    return found


def document(one: dict[str, Any]) -> dict[str, Any]:
    titled = {"title": one["title"]} if "title" in one else {}
    metadata = {"annotations": {"port.io/identifier": one["identifier"]}, **titled}
    return {"metadata": metadata, "spec": {"properties": one["properties"]}}


def test_it_says_what_jq_says_and_nothing_where_jq_says_null() -> None:
    compared = 0
    for text, type_, answers in RECORDED["answers"]:
        expression = compiled(translate(text, type_, lambda keys: read_path(shape(), keys)), type_)
        for one, wanted in zip(RECORDED["inputs"], answers, strict=True):
            try:
                found = expression.value(document(one), {}, {})
            except ValueError:
                found = None
            assert found == wanted, (text, one)
            compared += 1
    assert compared >= 250


def test_a_character_of_two_halves_stays_one() -> None:
    expression = compiled(translate('"é 😀"', "string", lambda keys: read_path(shape(), keys)), "string")
    assert expression.value(document({"identifier": "a", "properties": {}}), {}, {}) == "é 😀"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (".title | ascii_upcase", "'| ascii_upcase' has no equal"),
        (".properties.n / .properties.m", "division by what may be 0"),
        (".properties.n + .properties.s", "'+' of number and string"),
        (".properties.missing", "missing is no text"),
        (".properties.l[0]", "the path"),
        (".properties.l | map(.x)", "'| map'"),
        ("if .properties.b then 1 end", "'else' is missing"),
        ('"\\(.properties.n)"', "a number in a text"),
        ("(.properties.n - 1) // 0", "'//'"),
        (".. | select(.a)", "'.. | select(.a)' has no equal"),
        ('"open', "a text does not end"),
        ("(" * 50, "nested too deeply"),
        ("", "'the end'"),
        ("1" + "+1" * 999, "nested too deeply"),
        (f"{'if ' * 25}.properties.b{' then .properties.b else .properties.b end' * 25}", "much longer"),
        ("$ENV.SECRET", "'$ENV"),
        (".properties.s", "gives string, and the property is number"),
    ],
)
def test_what_has_no_exact_equal_is_said(text: str, why: str) -> None:
    with pytest.raises(NotExactError) as error:
        translate(text, "number", lambda keys: read_path(shape(), keys))
    assert why in str(error.value)


def aggregated(*blueprints: dict[str, Any], **more: Any) -> str:
    """The path of a count of `b` by `a`, or why there is none."""
    shapes = Shapes()
    count = {"target": "b", "calculationSpec": {"calculationBy": "entities", "func": "count"}, **more}
    first = {"identifier": "a", "aggregationProperties": {"n": count}}
    for one in ({**first, **blueprints[0]}, *blueprints[1:]):
        shapes.add(one, ("", "", 1), {})
    shapes.relate()
    (found,) = compute_all(shapes)["a"]
    return ".".join(found.item["aggregate"]["path"]) if found.item else found.why


def test_what_is_brought_together_is_reached_by_the_only_path_or_the_one_that_is_stated() -> None:
    to_a, to_b, to_c = ({"target": one} for one in "abc")
    assert aggregated({}, {"identifier": "b", "relations": {"app": to_a}}) == "appOf"
    middle = {"identifier": "c", "relations": {"app": to_a}}
    assert aggregated({}, {"identifier": "b", "relations": {"run": to_c}}, middle) == "appOf.runOf"
    two = ({"relations": {"one": to_b, "two": to_b}}, {"identifier": "b"})
    assert "more than one path" in aggregated(*two)
    assert aggregated(*two, pathFilter=[{"path": ["two"]}]) == "two"
    back = [{"fromBlueprint": "b", "path": ["app"]}]
    assert (
        aggregated({"relations": {"one": to_b}}, {"identifier": "b", "relations": {"app": to_a}}, pathFilter=back)
        == "appOf"
    )
    assert "in more than one way" in aggregated({"relations": {"self": to_a, "one": to_b}}, {"identifier": "b"})
    assert "no path is found" in aggregated({}, {"identifier": "b"})
    assert "leads elsewhere" in aggregated(
        {"relations": {"one": to_c}}, {"identifier": "b"}, middle, pathFilter=[{"path": ["one"]}]
    )
    # Two blueprints are one app's runs: between them and the end only the kind at the end is looked at.
    shared = {"identifier": "d", "relations": {"app": to_a}}
    assert "several blueprints" in aggregated({}, {"identifier": "b", "relations": {"run": to_c}}, middle, shared)
