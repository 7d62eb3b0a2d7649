"""Kinds as data: what may be declared, and what is told of a bad declaration."""

from __future__ import annotations

import time
from typing import Any

import pytest

from taxiway.features.catalog.cel import compiled
from taxiway.features.catalog.kinds import INVERSE, Kinds, kind_of, shipped, with_document
from taxiway.features.catalog.validation import validate
from taxiway.model.errors import InputError

WAREHOUSE: dict[str, Any] = {
    "apiVersions": ["example.com/v1"],
    "schema": {
        "type": "object",
        "required": ["region"],
        "properties": {
            "region": {"type": "string"},
            "stocks": {"type": "array", "items": {"type": "string"}},
            "capacity": {"type": "integer"},
        },
    },
    "relations": [
        {"field": "region", "type": "locatedIn", "inverse": "locationOf", "defaultKind": "Domain"},
        {
            "field": "stocks",
            "type": "stocks",
            "inverse": "stockedBy",
            "defaultKind": "Resource",
            "list": True,
            "namespace": "default",
        },
    ],
}


def _kind(name: str = "Warehouse", namespace: str | None = None, **changes: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": "taxiway.dev/v1", "kind": "Kind", "metadata": metadata, "spec": {**WAREHOUSE, **changes}}


def _with(kind: dict[str, Any]) -> Kinds:
    validate(kind)
    return shipped().adding([kind_of(kind)], "here")


def _entity(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "north", "namespace": "eu"}
    return {"apiVersion": "example.com/v1", "kind": "Warehouse", "metadata": metadata, "spec": spec}


def _faults(document: Any, kinds: Kinds | None = None) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        validate(document, kinds)
    return {error.pointer: error.detail for error in caught.value.errors}


def test_what_ships_declares_the_relations_that_the_code_reads_by() -> None:
    for kind in shipped().by_name.values():
        for field in kind.fields.values():
            assert INVERSE[field.relation] == field.inverse


def test_an_entity_of_a_declared_kind_is_judged_and_related_by_it() -> None:
    kinds = _with(_kind())
    assert validate(_entity(region="north", stocks=["beans", "system:x/y"]), kinds) == {
        ("locatedIn", "domain:eu/north"),
        ("stocks", "resource:default/beans"),
        ("stocks", "system:x/y"),
    }
    assert set(_faults(_entity(region=1, capacity="many"), kinds)) == {"/spec/region", "/spec/capacity"}
    assert "needs example.com/v1" in _faults({**_entity(region="a"), "apiVersion": "v1"}, kinds)["/apiVersion"]
    assert "is not known" in _faults(_entity(region="a"))["/kind"]


@pytest.mark.parametrize(
    ("kind", "pointer", "words"),
    [
        (_kind(schema={"type": "nonsense"}), "/spec/schema/type", "no JSON Schema"),
        (_kind(schema={"$ref": "#/$defs/none"}, relations=[]), "/spec/schema", "no JSON Schema"),
        (_kind(schema={"$ref": "http://127.0.0.1:1/x"}, relations=[]), "/spec/schema/$ref", "begin with #"),
        (_kind(schema={"properties": {"a": {"pattern": "("}}}, relations=[]), "/spec/schema/properties/a/pattern", ""),
        (_kind(schema={"enum": ["x" * 70_000]}, relations=[]), "/spec/schema", "larger than"),
        (_kind("warehouse"), "/metadata/name", "the first a capital"),
        (_kind("Component"), "/metadata/name", "ships with Taxiway"),
        (_kind("COMPONENT"), "/metadata/name", "ships with Taxiway"),
        (_kind(namespace="shop"), "/metadata/namespace", "leave this out"),
        (
            _kind(relations=[{"field": "nowhere", "type": "a", "inverse": "b"}]),
            "/spec/relations/0/field",
            "no property nowhere",
        ),
        (_kind(relations=[{"field": "stocks", "type": "a", "inverse": "b"}]), "/spec/relations/0/list", "list: true"),
        (
            _kind(relations=[{"field": "region", "type": "a", "inverse": "b", "defaultKind": "Moon"}]),
            "/spec/relations/0/defaultKind",
            "no kind Moon",
        ),
        (
            _kind(relations=[{"field": "region", "type": "partOf", "inverse": "contains"}]),
            "/spec/relations/0/inverse",
            "hasPart",
        ),
        (_kind(relations=[{"field": "region", "type": "no-good", "inverse": "b"}]), "/spec/relations/0/type", ""),
        (_kind(color="red"), "/spec", "color"),
    ],
)
def test_a_bad_declaration_is_refused_at_its_place(kind: dict[str, Any], pointer: str, words: str) -> None:
    assert words in _faults(kind)[pointer]


def test_a_schema_that_refers_to_itself_or_is_deep_ends() -> None:
    kinds = _with(_kind(schema={"$ref": "#"}, relations=[]))
    assert validate(_entity(a=1), kinds) == frozenset()
    deep: dict[str, Any] = {}
    for _ in range(2000):
        deep = {"items": deep}
    assert "nested deeper" in _faults(_kind(schema=deep, relations=[]))["/spec/schema"]


def test_two_kinds_do_not_disagree_about_a_relation() -> None:
    kinds = _with(_kind())
    other = _kind("Depot", relations=[{"field": "region", "type": "locatedIn", "inverse": "holds"}])
    assert "locationOf" in _faults(other, kinds)["/spec/relations/0/inverse"]


def _computing(*properties: dict[str, Any]) -> dict[str, Any]:
    return _kind(properties=list(properties))


@pytest.mark.parametrize(
    ("properties", "pointer", "words"),
    [
        ([{"name": "a", "cel": "entity."}], "/spec/properties/0/cel", "Syntax error"),
        ([{"name": "a", "cel": "nothing(1)"}], "/spec/properties/0/cel", "undeclared"),
        ([{"name": "a", "cel": "1 + 1", "type": "boolean"}], "/spec/properties/0/cel", "gives int"),
        ([{"name": "a", "cel": "related[entity.kind].size()"}], "/spec/properties/0/cel", "related.<relation>"),
        ([{"name": "a", "cel": "size(related.marriedTo)"}], "/spec/properties/0/cel", "no relation marriedTo"),
        ([{"name": "a", "mirror": {"path": ["toNowhere"], "field": "ref"}}], "/spec/properties/0/mirror/path", "known"),
        (
            [{"name": "a", "aggregate": {"path": ["hasPart"], "function": "sum"}}],
            "/spec/properties/0/aggregate",
            "field",
        ),
        ([{"name": "a"}], "/spec/properties/0", "oneOf"),
        (
            [
                {"name": "a", "cel": "properties.b"},
                {"name": "b", "cel": "properties.c"},
                {"name": "c", "cel": "properties.a"},
            ],
            "/spec/properties",
            "a → b → c → a",
        ),
        ([{"name": "a", "cel": "'x'"}, {"name": "a", "cel": "'y'"}], "/spec/properties", "twice"),
    ],
)
def test_a_property_that_cannot_be_computed_is_refused(properties: Any, pointer: str, words: str) -> None:
    assert words in _faults(_computing(*properties))[pointer]


@pytest.mark.parametrize(
    "expression",
    [
        "entity.l.map(a, entity.l.map(b, entity.l.map(c, c)))",
        "entity.l.all(a, entity.l.all(b, entity.l.all(c, size(c) > 0))) ? 'a' : 'b'",
        "entity.l.map(a, entity.l)",
        "entity.l.map(a, a + a + a + a + a).map(a, a + a)",
        "1 / 0",
        "entity.none",
    ],
)
def test_an_expression_that_explodes_ends_with_an_error_soon(expression: str) -> None:
    started = time.process_time()
    with pytest.raises(ValueError, match=r"gives|budget|zero|not found|Found|found|split|larger"):
        compiled(expression, "strings").value({"l": ["x" * 100_000] * 100_000}, {}, {})
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "hiding",
    [
        "// '\n{}\n// '",
        "'''a'b''' + {} + '''a'b'''",
        r"r'\' + {} + r'\'",
        "'' + {} // '",
    ],
)
def test_no_text_or_comment_hides_a_comprehension_that_joins(hiding: str) -> None:
    code = "[entity.a].map // (\n (x, x + x + x + x + x + x + x)[0]"
    with pytest.raises(ValueError, match="split it"):
        compiled(hiding.format(code), "string")
    assert compiled("'a.map(' + '+++++++' // a + b + c + d + e + f", "string").value({}, {}, {}) == "a.map(+++++++"


def test_an_extension_adds_to_a_kind_that_ships_and_names_its_clashes() -> None:
    document = {
        "apiVersion": "taxiway.dev/v1",
        "kind": "KindExtension",
        "metadata": {"name": "tiers"},
        "spec": {"kind": "Component", "properties": [{"name": "tier", "cel": "'a'"}]},
    }
    validate(document)
    kinds = with_document(shipped(), document, "here")
    assert [rule.name for rule in kinds.rules["component"]] == ["tier"]
    other = {**document, "metadata": {"name": "others"}}
    assert "the extension tiers" in _faults(other, kinds)["/spec/properties/0/name"]
    assert "no kind Moon" in _faults({**document, "spec": {**document["spec"], "kind": "Moon"}})["/spec/kind"]
