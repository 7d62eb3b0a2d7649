"""Properties that kinds compute, followed through changes of what they are computed from."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx

from factories.served import Served
from taxiway.features.catalog.service.kinds import follow_kind
from taxiway.features.catalog.service.properties import compute_pending

Document = dict[str, Any]


def _entity(of: str, name: str, version: str = "backstage.io/v1alpha1", **spec: Any) -> Document:
    return {"apiVersion": version, "kind": of, "metadata": {"name": name}, "spec": spec}


def _component(name: str, system: str = "shop", **spec: Any) -> Document:
    return _entity("Component", name, type="service", lifecycle="production", owner="crew", system=system, **spec)


def _extension(kind: str, *properties: Document) -> Document:
    return _entity("KindExtension", f"{kind.lower()}s", "taxiway.dev/v1", kind=kind, properties=list(properties))


def _push(
    server: Served, client: httpx.Client, *documents: Document, source: str = "one", complete: bool = False
) -> None:
    body = "\n".join(json.dumps(document) for document in documents) or "\n"
    answer = client.post(f"/api/catalog/v1/push/{source}", params={"complete": complete}, content=body).json()
    assert answer["problems"] == []
    compute_pending(server.platform.system("catalog"))


def _told(client: httpx.Client, ref: str) -> dict[str, Document]:
    kind, _, name = ref.partition(":")
    answer = client.get(f"/api/catalog/v1/properties/{kind}/default/{name}")
    assert answer.status_code == 200, answer.text
    return {item["name"]: item for item in answer.json()["items"]}


def _values(client: httpx.Client, ref: str) -> dict[str, Any]:
    return {name: item["value"] for name, item in _told(client, ref).items()}


COMPONENT = _extension(
    "Component",
    {"name": "tier", "cel": "entity.spec.cost > 5 ? 'big' : 'small'"},
    {"name": "label", "cel": "properties.tier + '-' + entity.metadata.name"},
    {"name": "systemTitle", "mirror": {"path": ["partOf"], "field": "spec.note"}},
    {"name": "owners", "type": "strings", "mirror": {"path": ["ownedBy"], "field": "ref"}},
)
SYSTEM = _extension(
    "System",
    {"name": "parts", "aggregate": {"path": ["hasPart"], "function": "count", "kind": "Component"}},
    {"name": "cost", "aggregate": {"path": ["hasPart"], "function": "sum", "field": "spec.cost"}},
    {"name": "most", "aggregate": {"path": ["hasPart"], "function": "max", "field": "spec.cost"}},
    {"name": "mean", "aggregate": {"path": ["hasPart"], "function": "avg", "field": "spec.cost"}},
    {"name": "big", "cel": "related.hasPart.filter(c, c.spec.cost > 5).size()", "type": "integer"},
    {"name": "tiers", "type": "strings", "mirror": {"path": ["hasPart"], "field": "properties.tier"}},
)

DEPOT = {"type": "object", "properties": {"within": {"type": "string"}}}
PART_OF = [{"field": "within", "type": "partOf", "inverse": "hasPart"}]


def test_properties_follow_what_they_are_computed_from(server: Served, admin: httpx.Client) -> None:
    system = _entity("System", "shop", owner="crew", note="Shop")
    _push(server, admin, COMPONENT, SYSTEM, source="kinds")
    _push(server, admin, system, _component("a", cost=3), _component("b", cost=9))
    assert _values(admin, "component:b") == {
        "tier": "big",
        "label": "big-b",
        "systemTitle": "Shop",
        "owners": ["group:default/crew"],
    }
    first = {"parts": 2, "cost": 12, "most": 9, "mean": 6, "big": 1, "tiers": ["small", "big"]}
    assert _values(admin, "system:shop") == first
    query = {"filter": "properties.tier=big"}
    assert [item["metadata"]["name"] for item in admin.get("/api/catalog/entities", params=query).json()] == ["b"]
    facets = admin.get("/api/catalog/entity-facets", params={"facet": "properties.tier"}).json()["facets"]
    assert {item["value"]: item["count"] for item in facets["properties.tier"]} == {"big": 1, "small": 1}

    _push(server, admin, _component("a", cost=7), {**system, "spec": {"owner": "crew", "note": "Store"}})
    assert _values(admin, "component:a")["systemTitle"] == "Store"
    assert _values(admin, "system:shop") == {**first, "cost": 16, "mean": 8, "big": 2, "tiers": ["big"]}
    assert len(admin.get("/api/catalog/entities", params=query).json()) == 2

    _push(server, admin, _component("b", system="other", cost=9))
    assert _values(admin, "system:shop")["parts"] == 1
    _push(server, admin, system, complete=True)
    told = _told(admin, "system:shop")
    assert told["parts"]["value"] == 0
    assert "nothing along hasPart has a number" in told["cost"]["error"]
    assert admin.get("/api/catalog/entities", params=query).json() == []

    _push(server, admin, COMPONENT, source="kinds", complete=True)
    follow_kind(server.platform.system("catalog"), "kindextension:default/systems")
    compute_pending(server.platform.system("catalog"))
    assert _values(admin, "system:shop") == {}
    assert admin.get("/api/catalog/entities", params={"filter": "properties.parts"}).json() == []


def test_each_value_says_by_which_rule_and_from_what(server: Served, admin: httpx.Client) -> None:
    _push(server, admin, COMPONENT, SYSTEM, source="kinds")
    _push(server, admin, _entity("System", "shop", owner="crew"), _component("a", cost=3), _component("b"))
    told = _told(admin, "system:shop")["cost"]
    assert told["rule"] == "sum(hasPart spec.cost)"
    assert told["inputs"] == [{"ref": "component:default/a", "field": "spec.cost", "value": 3}]
    missing = _told(admin, "component:b")
    assert 'Key not found in map : "cost"' in missing["tier"]["error"]
    assert missing["label"]["error"]
    assert missing["systemTitle"]["error"]


def test_a_circle_through_other_entities_ends_with_an_error(server: Served, admin: httpx.Client) -> None:
    grows = {"name": "n", "aggregate": {"path": ["dependsOn"], "function": "sum", "field": "properties.m"}}
    plus = {"name": "m", "type": "number", "cel": "has(properties.n) ? properties.n + 1.0 : 1.0"}
    _push(server, admin, _extension("Component", grows, plus), source="kinds")
    _push(server, admin, *(_component(a, dependsOn=[f"component:{b}"]) for a, b in ("xy", "yx")))
    told = _told(admin, "component:x")
    assert "depends on itself" in told["n"]["error"]
    assert told["n"]["pending"] is False


def test_a_change_reaches_a_thousand_dependants_in_two_seconds(server: Served, admin: httpx.Client) -> None:
    system = _entity("System", "shop", owner="crew", note="Shop")
    mirrored = {"name": "systemTitle", "mirror": {"path": ["partOf"], "field": "spec.note"}}
    _push(server, admin, _extension("Component", mirrored), SYSTEM, source="kinds")
    _push(server, admin, system, *(_component(f"c{n}", cost=n) for n in range(1000)))
    started = time.process_time()
    _push(server, admin, {**system, "spec": {"owner": "crew", "note": "Store"}})
    spent = time.process_time() - started
    found = admin.get("/api/catalog/entity-facets", params={"facet": "properties.systemTitle"}).json()["facets"]
    assert found["properties.systemTitle"] == [{"value": "Store", "count": 1000}]
    assert spent < 2, f"{spent:.2f} s of CPU"


def test_an_owner_is_inherited_along_what_an_entity_is_part_of(server: Served, admin: httpx.Client) -> None:
    depot = _entity("Kind", "Depot", "taxiway.dev/v1", apiVersions=["example.com/v1"], schema=DEPOT, relations=PART_OF)
    north = _entity("Depot", "north", "example.com/v1", within="system:shop")
    _push(server, admin, depot, north, _entity("System", "shop", owner="crew"), _component("a"))

    def told(ref: str) -> Document:
        found: Document = admin.get(f"/api/catalog/v1/ownership/{ref}").json()
        return found

    assert told("component/default/a")["how"] == "direct"
    path = ["depot:default/north", "system:default/shop"]
    assert told("depot/default/north") == {"owners": ["group:default/crew"], "how": "inherited", "path": path}
    _push(server, admin, _entity("Depot", "lost", "example.com/v1"))
    assert told("depot/default/lost") == {"owners": [], "how": "none", "path": ["depot:default/lost"]}
    assert admin.get("/api/catalog/v1/ownership/depot/default/none").status_code == 404
