"""What documents of a configured source may bring, what is wrong with them, and when that ends."""

from __future__ import annotations

import json
from typing import Any

import httpx

from factories.catalog import component
from factories.scripted_source import API, Read, Script, names
from factories.served import Served
from taxiway.features.catalog.service.kinds import follow_kind
from taxiway.features.catalog.service.properties import compute_pending


def test_others_documents_may_not_bring_people_and_faults_are_told_with_their_line(
    admin: httpx.Client, script: Script, read: Read
) -> None:
    evil = "---\napiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: admins}\n"
    evil += "spec: {type: t, children: []}\n"
    script.repositories = {"shop": {"catalog-info.yaml": component("orders") + evil + "---\n: [\n"}}
    read()
    assert names(admin, "group") == []
    problems = admin.get(f"{API}/v1/problems?source_id=source:forge").json()["items"]
    assert {problem["code"] for problem in problems} == {"untrusted", "unreadable"}
    assert all(problem["line"] for problem in problems)
    read()
    assert script.read_parts == ["shop"], "a part with a fault is read again"
    script.repositories["shop"]["catalog-info.yaml"] = component("orders")
    read()
    assert admin.get(f"{API}/v1/problems?source_id=source:forge").json()["items"] == []
    for faults in (0, 1, 0):  # and its entity, as it was served before, tells of it only while there is one
        text = component("orders").replace("lifecycle:", "cycle:") if faults else component("orders")
        script.repositories["shop"]["catalog-info.yaml"] = text
        read()
        for _ in ("stored", "kept"):
            orders = admin.get(f"{API}/entities/by-name/component/default/orders").json()
            assert len(orders.get("status", {"items": []})["items"]) == faults


def test_a_kind_that_was_not_valid_at_first_is_not_trusted_when_it_is(
    server: Served, admin: httpx.Client, script: Script, read: Read
) -> None:
    relations = [{"field": "rack", "type": "standsIn", "inverse": "holds", "defaultKind": "Rack"}]
    schema = {"type": "object", "properties": {"rack": {"type": "string"}}}
    spec = {"apiVersions": ["acme.dev/v1"], "plural": "Racks", "schema": schema}
    rack = {"apiVersion": "taxiway.dev/v1", "kind": "Kind", "metadata": {"name": "Rack"}, "spec": spec}
    shelf = {**rack, "metadata": {"name": "Shelf"}, "spec": {**spec, "plural": "Shelves", "relations": relations}}
    script.repositories = {"shop": {"catalog-info.yaml": json.dumps(shelf)}}
    read()
    assert admin.post(f"{API}/v1/push/racks", content=json.dumps(rack)).json()["problems"] == []
    follow_kind(server.platform.system("catalog"), "kind:default/rack")
    [problem] = admin.get(f"{API}/v1/problems?source_id=source:forge").json()["items"]
    assert (problem["ref"], problem["code"]) == ("kind:default/shelf", "untrusted")
    assert "Shelf" not in {kind["name"] for kind in admin.get(f"{API}/v1/kinds").json()["items"]}
    script.repositories["shop"] = {"catalog-info.yaml": component("orders")}
    read()
    assert admin.get(f"{API}/v1/problems?source_id=source:forge").json()["items"] == []


def test_what_a_changed_kind_does_not_allow_is_no_problem_any_more_when_its_file_is_corrected(
    server: Served, admin: httpx.Client, script: Script, read: Read
) -> None:
    def declare(type_: str) -> None:
        schema = {"type": "object", "properties": {"size": {"type": type_}}}
        spec = {"apiVersions": ["acme.dev/v1"], "plural": "Racks", "schema": schema}
        kind = {"apiVersion": "taxiway.dev/v1", "kind": "Kind", "metadata": {"name": "Rack"}, "spec": spec}
        assert admin.post(f"{API}/v1/push/racks", content=json.dumps(kind)).json()["problems"] == []
        follow_kind(server.platform.system("catalog"), "kind:default/rack")

    def problems() -> list[str]:
        found = admin.get(f"{API}/v1/problems?source_id=source:forge").json()["items"]
        return [problem["ref"] for problem in found]

    rack: dict[str, Any] = {"apiVersion": "acme.dev/v1", "kind": "Rack", "metadata": {"name": "r"}, "spec": {"size": 5}}
    script.repositories = {"shop": {"catalog-info.yaml": json.dumps(rack)}}
    declare("integer")
    read()
    declare("string")
    assert problems() == ["rack:default/r"]
    read()
    assert (problems(), script.read_parts) == (["rack:default/r"], ["shop"]), "it is read again, and told once"
    rack["spec"]["size"] = "5"
    script.repositories = {"shop": {"catalog-info.yaml": json.dumps(rack)}}
    read()
    assert problems() == []


def test_properties_follow_what_a_configured_source_brings(
    server: Served, admin: httpx.Client, script: Script, read: Read
) -> None:
    rules = {"kind": "Component", "properties": [{"name": "stage", "cel": "entity.spec.lifecycle + '!'"}]}
    more = {"apiVersion": "taxiway.dev/v1", "kind": "KindExtension", "metadata": {"name": "stages"}, "spec": rules}
    assert admin.post(f"{API}/v1/push/stages", content=json.dumps(more)).json()["problems"] == []

    def stage() -> str:
        compute_pending(server.platform.system("catalog"))
        [item] = admin.get(f"{API}/v1/properties/component/default/orders").json()["items"]
        return str(item["value"])

    for lifecycle in ("production", "deprecated"):
        text = component("orders").replace("production", lifecycle)
        script.repositories = {"shop": {"catalog-info.yaml": text}}
        read()
        assert stage() == f"{lifecycle}!"
