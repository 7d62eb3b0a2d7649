"""What is not as its format has it: said, and the rest is imported."""

from __future__ import annotations

import json
from typing import Any

import pytest

from factories.leaves import covered, leaves
from taxiway.features.catalog.importers import port
from taxiway.features.catalog.importers.formats import converter
from taxiway.features.catalog.importers.naming import Names, name_for, tag_for
from taxiway.features.catalog.importers.reading import MAX_BYTES
from taxiway.features.catalog.importers.report import Input, Item, Options, counts_of
from taxiway.features.catalog.validation import is_name, validate


def convert(format: str, *texts: Any, **options: Any) -> list[Item]:
    inputs = [
        Input(f"{number}.json", text if isinstance(text, str) else json.dumps(text))
        for number, text in enumerate(texts, 1)
    ]
    return list(converter(format)(inputs, Options(**options)))


GOOD = {
    "port": {"identifier": "a", "blueprint": "service", "properties": {}},
    "cortex": {"info": {"title": "A", "x-cortex-tag": "a"}},
    "opslevel": {"version": 1, "component": {"name": "a"}},
    "backstage": {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Resource",
        "metadata": {"name": "a"},
        "spec": {"type": "x", "owner": "y"},
    },
}
RUBBISH = {
    "broken JSON": '{"a": [1, 2',
    "broken YAML": "a: b: c",
    "a tab": "a:\n\t- b",
    "a scalar": "42",
    "a key twice": '{"a": 1, "a": 2}',
    "a key twice in YAML": "a: 1\na: 2",
    "nested": "[" * 5000 + "]" * 5000,
    "nested less": '{"info": ' * 200 + "1" + "}" * 200,
    "a bomb": "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
    "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
    "f: [*d,*d,*d,*d,*d,*d,*d,*d,*d]\ng: [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nh: [*d,*d,*d,*d,*d,*d,*d,*d,*d]",
    "NUL": '{"identifier": "a\\u0000b"}',
    "half a character": '{"identifier": "a\\ud800b"}',
    "no number": '{"identifier": NaN}',
    "a big number": '{"identifier": ' + "9" * 40 + "}",
    "a huge number": '{"identifier": ' + "9" * 5000 + "}",
    "null": '[null, 1, "x", [], {}]',
    "too large": '"' + "x" * MAX_BYTES + '"',
}


@pytest.mark.parametrize("format", sorted(GOOD))
@pytest.mark.parametrize("rubbish", sorted(RUBBISH))
def test_rubbish_is_refused_with_a_reason_and_the_rest_is_there(format: str, rubbish: str) -> None:
    items = convert(format, RUBBISH[rubbish], GOOD[format])
    refused = [item for item in items if item.outcome == "refused"]
    assert refused, items
    assert all(item.reason and item.document == "1.json" for item in refused)
    assert [item.document for item in items if item.outcome == "entity"] == ["2.json"]


def test_rubbish_of_a_configuration_is_refused_too() -> None:
    for text in RUBBISH.values():
        items = convert("backstage-config", text, {"catalog": {"locations": [{"type": "url", "target": "https://x"}]}})
        assert [item.outcome for item in items if item.document == "2.json"] == ["definition", "location"]
        assert all(item.reason for item in items if item.outcome == "refused")


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        1,
        "x",
        "",
        [],
        {},
        [[]],
        {"a": {"b": 1}},
        [{"tag": None}],
        [{"tag": "x", "more": 1}, {"type": "group", "name": "g", "x": 2}, {"url": "https://x", "environment": "e"}],
        {"nodes": [{"key": "a", "value": None, "id": 1}], "totalCount": 1},
        {"alias": "a", "index": 3},
        {"cortex": [{"tag": "t"}], "aws": {"tags": [{"key": "k"}]}},
        {"github": {"repository": "a/b", "alias": "c"}, "pagerduty": {"id": "P", "type": "SERVICE", "x": 1}},
        {"members": [{"email": "a@b", "name": "A", "roles": ["r"]}, {"name": "B"}], "groups": ["g"]},
        {"value": {"b": 1}, "list": [1, {"c": None}]},
        True,
        [None],
        ["x", "x", 1],
    ],
)
@pytest.mark.parametrize("format", ["port", "cortex", "opslevel", "backstage"])
def test_any_field_may_have_any_shape(format: str, wrong: Any) -> None:
    names = {
        "port": "title team icon properties relations scorecards createdAt",
        "cortex": "title description x-cortex-type x-cortex-owners x-cortex-groups x-cortex-link x-cortex-parents"
        " x-cortex-children x-cortex-dependency x-cortex-relationships x-cortex-team x-cortex-custom-metadata"
        " x-cortex-git x-cortex-oncall x-cortex-issues x-cortex-definition x-cortex-domain-parents",
        "opslevel": "type lifecycle tier product owner system parent tags tools repositories dependencies properties"
        " aliases description htmlUrl alias id repos language",
        "backstage": "relations status",
    }[format].split()
    for name in names:
        whole = json.loads(json.dumps(GOOD[format]))
        inner = whole.get("info") or whole.get("component") or whole
        inner[name] = wrong
        items = convert(format, whole)
        for item in items:
            if item.entity is not None:
                validate(item.entity)
            else:
                assert item.outcome == "definition" or item.reason
        told = {note.field for item in items for note in item.notes if note.fate != "added"}
        assert [leaf for leaf in leaves(whole, "") if not covered(leaf, told)] == [], (name, wrong)


def test_names_that_are_not_valid_are_made_so_and_never_shared() -> None:
    texts = [
        "Orders Service",
        "orders/service",
        "--",
        "é",
        "x" * 100,
        "x" * 99 + "y",
        "a..b",
        "",
        "A" * 63,
        "ok_name.1",
    ]
    for text in texts:
        assert is_name(name_for(text)), text
    assert name_for("ok_name.1") == "ok_name.1"
    names = Names()
    refs = [names.claim(text, "Component", text)[0].lower() for text in ["a b", "a-b", "A B", "a/b"]]
    assert len(set(refs)) == 4
    assert tag_for("Tier 1!") == "tier-1"
    assert tag_for("!!!") is None


def test_relations_in_a_circle_and_to_itself_are_carried() -> None:
    blueprint = {"identifier": "service", "schema": {}, "relations": {"dependsOn": {"target": "service", "many": True}}}
    entities = [
        {"identifier": one, "blueprint": "service", "relations": {"dependsOn": [other]}}
        for one, other in (("a", "b"), ("b", "a"), ("c", "c"))
    ]
    found = {item.source: item.entity for item in convert("port", [blueprint], entities) if item.entity}
    assert found["service/a"]["spec"]["dependsOn"] == ["service:default/b"]
    assert found["service/c"]["spec"]["dependsOn"] == ["service:default/c"]
    teams = [
        {
            "openapi": "3.0.1",
            "info": {"title": t, "x-cortex-tag": t, "x-cortex-type": "team", "x-cortex-parents": [{"tag": p}]},
        }
        for t, p in (("a", "b"), ("b", "a"))
    ]
    assert counts_of(convert("cortex", teams))["entity"] == 2


def test_a_relation_to_an_unknown_blueprint_is_said_and_kept() -> None:
    blueprint = {"identifier": "service", "schema": {}, "relations": {"ghost": {"target": "nowhere"}}}
    entity = {"identifier": "a", "blueprint": "service", "relations": {"ghost": "g", "undeclared": "u"}}
    definition, item = convert("port", [blueprint, entity])
    assert any("nowhere is not among the documents" in note.note for note in definition.notes)
    assert definition.entity is not None
    assert [r["field"] for r in definition.entity["spec"]["relations"]] == ["owner"]
    assert item.entity is not None
    assert item.entity["spec"]["port"]["relations"] == {"ghost": ["resource:default/g"], "undeclared": ["u"]}
    assert [note.fate for note in item.notes if note.field.startswith("/1/relations/")] == ["changed", "changed"]


def test_a_team_is_found_by_what_it_is_called() -> None:
    team = {"identifier": "t1", "title": "Checkout team", "blueprint": "_team"}
    entity = {"identifier": "a", "blueprint": "service", "team": ["Checkout team"]}
    (item,) = [item for item in convert("port", [entity, team]) if item.ref == "component:default/a"]
    assert item.entity is not None
    assert item.entity["spec"]["owner"] == "group:default/t1"


def test_blueprints_can_be_mapped_to_other_kinds() -> None:
    entity = {"identifier": "a", "blueprint": "cluster"}
    assert convert("port", [entity])[0].ref == "resource:default/a"
    assert convert("port", [entity], kinds={"cluster": "System"})[0].ref == "system:default/a"
    blueprint = {"identifier": "cluster", "schema": {"properties": {"size": {"type": "number"}}}}
    assert [item.ref for item in convert("port", [blueprint, entity])] == ["kind:default/cluster", "cluster:default/a"]
    assert convert("port", [blueprint, entity], kinds={"cluster": "System"})[1].ref == "system:default/a"


def test_what_does_not_fit_its_blueprint_is_kept_apart_and_requires_nothing() -> None:
    schema = {"properties": {"size": {"type": "number"}, "bad": {"$ref": "https://x/y"}}, "required": ["size", "bad"]}
    blueprint = {"identifier": "k8s-cluster", "title": "Cluster", "schema": schema}
    entities = [{"identifier": one, "blueprint": "k8s-cluster", "properties": {"size": one, "bad": 1}} for one in "ab"]
    kind, first, _ = convert("port", [blueprint], entities)
    assert kind.entity is not None
    assert first.entity is not None
    told = {note.field: note for note in [*kind.notes, *first.notes]}
    assert kind.entity["metadata"]["name"] == "K8sCluster"
    assert told["/0/schema/required/0"].fate == "not_carried"
    assert "may only refer to this schema itself" in told["/0/schema/properties/bad"].note
    assert first.entity["spec"] == {"properties": {"bad": 1}, "port": {"properties": {"size": "a"}}}


def test_blueprints_that_would_be_called_alike_or_like_a_kind_of_ours_are_told_apart() -> None:
    names = ["my-app", "my_app", "environment", "_rule", "3d", "resource"]
    items = convert("port", [{"identifier": name, "schema": {}} for name in names])
    kinds = [item.entity["metadata"]["name"] for item in items if item.entity is not None]
    assert kinds == ["MyApp", "MyApp2", "PortEnvironment", "PortRule", "Port3d"]


def test_placeholders_of_a_configuration_are_listed_not_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "evil.example")
    config = """
catalog:
  locations:
    - {type: url, target: "https://${HOST}/a"}
    - {type: url, target: {$env: HOST}}
    - {type: url, target: "https://x/$${HOST}"}
  providers: {github: {token: {$file: ./secret}}}
"""
    items = convert("backstage-config", config)
    assert "evil" not in json.dumps([str(item) for item in items])
    assert [item.outcome for item in items] == ["definition", "refused", "refused", "location"]
    assert "$file: ./secret" in items[0].notes[0].note


def test_thousands_of_entities_are_converted() -> None:
    blueprint = {"identifier": "service", "schema": {}, "relations": {"dependsOn": {"target": "service", "many": True}}}
    entities = [
        {
            "identifier": f"s-{number}",
            "title": f"Service {number}",
            "blueprint": "service",
            "team": "t",
            "properties": {"language": "go", "url": "https://x.example", "n": number},
            "relations": {"dependsOn": [f"s-{number - 1}"]},
        }
        for number in range(3_000)
    ]
    counts = counts_of(convert("port", [blueprint], entities))
    assert counts["entity"] == 3_001  # and the kind


def test_blueprints_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "MAX_BLUEPRINTS", 2)
    found = convert("port", [{"identifier": name, "schema": {}} for name in "abc"])
    assert sorted(item.reason for item in found) == ["", "", "there are more than 2 blueprints: import them in parts"]
