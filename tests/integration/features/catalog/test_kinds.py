"""Kinds that are entities: declared, changed and deleted while the catalog is served."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from factories.catalog import component
from factories.served import Served
from taxiway.features.catalog.tasks import FollowKinds
from taxiway.model.event import Event

Document = dict[str, Any]


def _kind(required: list[str], **changes: Any) -> Document:
    schema = {"type": "object", "required": required, "properties": {"region": {"type": "string"}}}
    relations = [{"field": "region", "type": "locatedIn", "inverse": "locationOf", "defaultKind": "Domain"}]
    spec = {"apiVersions": ["example.com/v1"], "plural": "Warehouses", "icon": "box", "schema": schema}
    return {
        "apiVersion": "taxiway.dev/v1",
        "kind": "Kind",
        "metadata": {"name": "Warehouse"},
        "spec": {**spec, "relations": relations, **changes},
    }


def _warehouse(name: str, **spec: Any) -> Document:
    return {"apiVersion": "example.com/v1", "kind": "Warehouse", "metadata": {"name": name}, "spec": spec}


def _push(client: httpx.Client, source: str, *documents: Document, complete: bool = False) -> Document:
    body = "\n".join(json.dumps(document) for document in documents) or "\n"
    answer = client.post(f"/api/catalog/v1/push/{source}", params={"complete": complete}, content=body)
    assert answer.status_code == 200, answer.text
    found: Document = answer.json()
    return found


def _follow(server: Served) -> None:
    """What the worker does about the kind's event."""
    data = {"ref": "kind:default/warehouse"}
    event = Event(1, "e", "dev.taxiway.kind.changed.v1", "t", data["ref"], 0, data, "a", None, "t", None, "")
    FollowKinds(server.platform).handle(event)


def _get(client: httpx.Client, ref: str) -> Document:
    kind, _, name = ref.partition(":")
    answer = client.get(f"/api/catalog/entities/by-name/{kind}/default/{name}")
    assert answer.status_code == 200, answer.text
    found: Document = answer.json()
    return found


def _told(client: httpx.Client, ref: str) -> list[str]:
    return [item["message"] for item in _get(client, ref).get("status", {}).get("items", [])]


def test_a_kind_and_its_entities_come_in_one_source_in_any_order(admin: httpx.Client) -> None:
    found = _push(admin, "depots", _warehouse("north", region="eu"), _kind([]))
    assert (found["created"], found["problem_count"]) == (2, 0)
    assert _get(admin, "warehouse:north")["relations"] == [{"type": "locatedIn", "targetRef": "domain:default/eu"}]
    domain = {"apiVersion": "backstage.io/v1alpha1", "kind": "Domain", "metadata": {"name": "eu"}}
    _push(admin, "domains", {**domain, "spec": {"owner": "x"}})
    assert {"type": "locationOf", "targetRef": "warehouse:default/north"} in _get(admin, "domain:eu")["relations"]
    for query, name in (("relations.locatedIn=domain:default/eu", "north"), ("relations.locationof", "eu")):
        items = admin.get("/api/catalog/entities", params={"filter": query}).json()
        assert [item["metadata"]["name"] for item in items] == [name]
    facets = admin.get("/api/catalog/entity-facets", params={"facet": "relations.locatedIn"}).json()["facets"]
    assert facets["relations.locatedIn"] == [{"value": "domain:default/eu", "count": 1}]
    listed = {item["name"]: item for item in admin.get("/api/catalog/v1/kinds").json()["items"]}
    assert listed["Component"]["shipped"] is True
    told = listed["Warehouse"]
    assert (told["ref"], told["plural"], told["entities"]) == ("kind:default/warehouse", "Warehouses", 1)


def test_entities_that_came_before_their_kind_are_taken_in_with_it(server: Served, admin: httpx.Client) -> None:
    assert _push(admin, "depots", _warehouse("north", region="eu"))["problem_count"] == 1
    _push(admin, "kinds", _kind([]))
    _follow(server)
    assert _told(admin, "warehouse:north") == []


def test_a_changed_or_deleted_kind_loses_nothing_and_says_what_is_wrong(server: Served, admin: httpx.Client) -> None:
    _push(admin, "kinds", _kind([]))
    _push(admin, "depots", _warehouse("north", region="eu"), _warehouse("south"))
    _push(admin, "kinds", _kind(["region"], relations=[]))
    _follow(server)
    assert any("region" in text for text in _told(admin, "warehouse:south"))
    assert _told(admin, "warehouse:north") == []
    assert _get(admin, "warehouse:north")["relations"] == []
    _push(admin, "kinds", complete=True)
    _follow(server)
    for name in ("north", "south"):
        assert any("Warehouse is not known" in text for text in _told(admin, f"warehouse:{name}"))
    assert _push(admin, "depots", _warehouse("north", region="eu"))["problem_count"] == 1
    assert _get(admin, "warehouse:north")["spec"] == {"region": "eu"}
    _push(admin, "kinds", _kind([]))
    _follow(server)
    for name in ("north", "south"):
        assert _told(admin, f"warehouse:{name}") == []
    assert _get(admin, "warehouse:north")["relations"]


def test_a_newer_document_that_was_refused_is_taken_in_when_its_kind_allows_it(
    server: Served, admin: httpx.Client
) -> None:
    def declare(type_: str) -> None:
        schema = {"type": "object", "properties": {"region": {"type": type_}}}
        _push(admin, "kinds", _kind([], schema=schema, relations=[]))
        _follow(server)

    declare("string")
    _push(admin, "depots", _warehouse("north", region="eu"))
    assert _push(admin, "depots", _warehouse("north", region=5))["problem_count"] == 1
    assert _get(admin, "warehouse:north")["spec"] == {"region": "eu"}, "the last good one stays"
    declare("integer")
    assert (_get(admin, "warehouse:north")["spec"], _told(admin, "warehouse:north")) == ({"region": 5}, [])


def test_a_kind_from_a_location_without_trust_is_refused(admin: httpx.Client, publish: Any) -> None:
    publish("shop", {"catalog-info.yaml": component("orders") + "---\n" + json.dumps(_kind([])) + "\n"})
    admin.post("/api/catalog/locations", json={"type": "git", "target": "shop//catalog-info.yaml"})
    problems = admin.get("/api/catalog/v1/problems", params={"code": "untrusted"}).json()["items"]
    assert [problem["ref"] for problem in problems] == ["kind:default/warehouse"]
    assert "Warehouse" not in {item["name"] for item in admin.get("/api/catalog/v1/kinds").json()["items"]}


@pytest.mark.parametrize("spec", [{"schema": {"type": "nope"}}, {"relations": [{"field": "x"}]}])
def test_a_bad_kind_is_a_problem_with_its_line(admin: httpx.Client, spec: Document) -> None:
    found = _push(admin, "kinds", _kind([]), {**_kind([], **spec), "metadata": {"name": "Bad"}})
    assert (found["created"], [problem["line"] for problem in found["problems"]][:1]) == (1, [2])
