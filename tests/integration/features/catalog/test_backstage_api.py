"""Backstage's catalog REST API, path by path: what its published backend answered to the same requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from factories.catalog import component
from factories.served import Served
from taxiway.features.catalog.tasks import GONE, TakeOver
from taxiway.model.event import Event
from taxiway.model.run import RunSpec, StepDefinition

API = "/api/catalog"
ROOT = """apiVersion: backstage.io/v1alpha1
kind: Location
metadata: {name: root}
spec: {targets: ['./a.yaml', './sub/*.yaml']}
"""
NEVER_VALID = component("never").replace("type: service", "type: 3")


@pytest.fixture
def files(admin: httpx.Client, tmp_path: Path) -> dict[str, str]:
    """root.yaml leads to a.yaml and sub/b.yaml; the registered location is answered."""
    folder = tmp_path / "files"
    (folder / "sub").mkdir()
    (folder / "root.yaml").write_text(ROOT)
    (folder / "a.yaml").write_text(component("cart"))
    (folder / "sub" / "b.yaml").write_text(component("worker") + "---\n" + NEVER_VALID)
    answer = admin.post(f"{API}/locations", json={"type": "file", "target": str(folder / "root.yaml")})
    assert answer.status_code == 201, answer.text
    location: dict[str, str] = answer.json()["location"]
    return location


def refs(items: list[Any]) -> list[str]:
    return [f"{item['kind']}:{item['metadata']['name']}" for item in items]


def test_ancestry_leads_to_the_registered_location(admin: httpx.Client, files: dict[str, str]) -> None:
    answer = admin.get(f"{API}/entities/by-name/Component/default/Worker/ancestry").json()
    root = files["entityRef"]
    assert answer["rootEntityRef"] == "component:default/worker"
    assert [(item["entity"]["metadata"]["name"], item["parentEntityRefs"]) for item in answer["items"]] == [
        ("worker", ["location:default/root"]),
        ("root", [root]),
        (root.partition("/")[2], []),
    ]
    assert answer["items"][0]["entity"]["relations"]
    missing = admin.get(f"{API}/entities/by-name/component/default/nope/ancestry")
    assert missing.status_code == 404
    assert missing.json() == {
        "error": {"name": "NotFoundError", "message": "No such entity component:default/nope"},
        "request": {"method": "GET", "url": "/entities/by-name/component/default/nope/ancestry"},
        "response": {"statusCode": 404},
    }


def test_a_document_that_was_never_valid_is_listed_as_unprocessed(
    server: Served, admin: httpx.Client, files: dict[str, str]
) -> None:
    failed = admin.get(f"{API}/entities/unprocessed/failed").json()
    assert failed["type"] == "failed"
    entry = failed["entities"][0]
    assert (len(failed["entities"]), entry["entity_ref"]) == (1, "component:default/never")
    document = entry["unprocessed_entity"]
    assert document["spec"]["type"] == 3
    assert document["metadata"]["annotations"]["backstage.io/managed-by-location"].endswith("/sub/b.yaml")
    assert document["metadata"]["annotations"]["backstage.io/managed-by-origin-location"].endswith("/root.yaml")
    assert entry["errors"][0]["name"] == "InputError"
    assert "/spec/type" in entry["errors"][0]["message"]
    assert "line 19" in entry["errors"][0]["message"]
    assert admin.get(f"{API}/entities/unprocessed/failed?owner=nobody").json()["entities"] == []
    step = StepDefinition("ingest", "Read and apply", "catalog:source", {})
    spec = RunSpec(kind="ingest", title="Read a configured source", steps=(step,), input={"source": "forge"})
    server.platform.store.write(
        lambda tx: server.platform.runs.start(tx, server.platform.system("test").principal, spec)
    )
    assert admin.get(f"{API}/entities/unprocessed/pending").json() == {"type": "pending", "entities": []}
    problem = admin.get(f"{API}/problems").json()["items"][0]
    assert (problem["code"], problem["line"], problem["ref"]) == ("invalid", 19, "component:default/never")
    assert problem["exists"] is False
    assert admin.delete(f"{API}/entities/unprocessed/delete/{entry['entity_id']}").status_code == 204
    assert admin.get(f"{API}/entities/unprocessed/failed").json()["entities"] == []


def test_locations_are_paged_by_predicate(admin: httpx.Client, files: dict[str, str], tmp_path: Path) -> None:
    one = str(tmp_path / "files" / "a.yaml")
    second = admin.post(f"{API}/locations", json={"type": "file", "target": one}).json()["location"]
    path = f"{API}/locations/by-query"
    assert admin.post(path).json() == {"items": [files, second], "totalItems": 2, "pageInfo": {}}
    first = admin.post(path, json={"limit": 1, "query": {"type": "file"}}).json()
    assert (first["items"], first["totalItems"]) == ([files], 2)
    then = admin.post(path, json={"limit": 1, "cursor": first["pageInfo"]["nextCursor"]}).json()
    assert then == {"items": [second], "totalItems": 2, "pageInfo": {}}
    found = admin.post(path, json={"query": {"$not": {"target": {"$hasPrefix": one.upper()}}}}).json()
    assert found["items"] == [files]
    assert admin.post(path, json={"query": {"entityRef": second["entityRef"]}}).json()["items"] == [second]
    for body in ({"query": {"foo": "x"}}, {"cursor": "abc"}, {"limit": 0}, {"query": {"$or": []}}):
        assert admin.post(path, json=body).status_code == 400, body


def test_a_location_can_point_elsewhere_and_keeps_its_entity(
    admin: httpx.Client, files: dict[str, str], tmp_path: Path
) -> None:
    other = tmp_path / "files" / "other.yaml"
    other.write_text(component("prices"))
    path = f"{API}/locations/{files['id']}"
    changed = admin.put(path, json={"type": "file", "target": str(other)})
    assert changed.status_code == 200, changed.text
    assert changed.json() == {**files, "target": str(other)}
    assert admin.get(path).json() == changed.json()
    names = refs(admin.get(f"{API}/entities").json())
    assert sorted(names) == ["Component:prices", f"Location:{files['entityRef'].partition('/')[2]}"]
    entity = admin.get(f"{API}/entities/by-name/{files['entityRef'].replace(':', '/')}").json()
    assert entity["spec"]["target"] == str(other)
    again = admin.post(f"{API}/refresh", json={"entityRef": "component:default/prices"})
    assert (again.status_code, refs(admin.get(f"{API}/entities").json())) == (200, names)
    assert admin.put(path, json={"type": "file"}).status_code == 400
    assert admin.put(f"{API}/locations/nope", json={"type": "file", "target": str(other)}).status_code == 404
    third = admin.post(f"{API}/locations", json={"type": "file", "target": str(tmp_path / "files" / "a.yaml")}).json()
    clash = admin.put(path, json={"type": "file", "target": third["location"]["target"]})
    assert (clash.status_code, clash.json()["error"]["name"]) == (409, "ConflictError")


def test_a_stranger_points_nothing_elsewhere(server: Served, admin: httpx.Client, publish: Any) -> None:
    publish("shop", {"catalog-info.yaml": component("orders")})
    publish("mine", {"catalog-info.yaml": component("mine")}, owner="user:default/mal")
    made = admin.post(f"{API}/locations", json={"type": "git", "target": "shop//"}).json()["location"]
    with server.client(server.token("developer", "user:default/mal")) as mal:
        assert mal.put(f"{API}/locations/{made['id']}", json={"type": "git", "target": "mine//"}).status_code == 403
        own = mal.post(f"{API}/locations", json={"type": "git", "target": "mine//"}).json()["location"]
        assert mal.put(f"{API}/locations/{own['id']}", json={"type": "git", "target": "shop//x"}).status_code == 403
        analysed = mal.post(f"{API}/analyze-location", json={"location": {"type": "git", "target": "shop//"}})
        assert analysed.status_code == 403


def test_an_analysis_finds_descriptors_or_proposes_one(admin: httpx.Client, publish: Any) -> None:
    publish("shop", {"catalog-info.yaml": component("orders"), "sub/catalog-info.yaml": component("carts")})
    publish("bare", {"README.md": "x", "CODEOWNERS": "/docs @x\n* @acme/Checkout\n"}, owner=None)
    admin.post(f"{API}/locations", json={"type": "git", "target": "shop//catalog-info.yaml"})
    path = f"{API}/analyze-location"
    found = admin.post(path, json={"location": {"type": "git", "target": "shop//"}}).json()
    assert [(f["isRegistered"], f["entity"]["metadata"]["name"]) for f in found["existingEntityFiles"]] == [
        (True, "orders"),
        (False, "carts"),
    ]
    assert found["generateEntities"] == []
    proposed = admin.post(path, json={"location": {"type": "git", "target": "bare//"}}).json()["generateEntities"][0]
    assert proposed["entity"]["spec"] == {"type": "other", "lifecycle": "unknown", "owner": "group:default/checkout"}
    assert proposed["fields"][0]["field"] == "spec.owner"
    outside = {"location": {"type": "url", "target": "https://github.com/a/b/blob/main/catalog-info.yaml"}}
    assert admin.post(path, json=outside).json() == {
        "existingEntityFiles": [],
        "generateEntities": [
            {
                "entity": {
                    "apiVersion": "backstage.io/v1alpha1",
                    "kind": "Component",
                    "metadata": {"name": "b", "annotations": {"github.com/project-slug": "a/b"}},
                    "spec": {"type": "other", "lifecycle": "unknown"},
                },
                "fields": [],
            }
        ],
    }
    refused = admin.post(path, json={"location": {"type": "file", "target": "/etc/passwd"}})
    assert refused.json()["error"]["message"] == "The given location.target is not a URL"
    assert admin.post(path, json={}).status_code == 400


VALID = {
    "apiVersion": "backstage.io/v1alpha1",
    "kind": "Component",
    "metadata": {"name": "x"},
    "spec": {"type": "a", "lifecycle": "b", "owner": "c"},
}


JUDGED: list[tuple[Any, int, str | None]] = [
    ({"entity": VALID, "location": "url:https://x/y"}, 200, None),
    ({"entity": {**VALID, "spec": {"type": 3}}, "location": "url:https://x/y"}, 400, "errors"),
    ({"entity": VALID, "location": "foo"}, 400, "errors"),
    ({"entity": {}, "location": "url:https://x/y"}, 400, "errors"),
    ({"entity": VALID}, 400, "error"),
    ({"entity": 3, "location": "url:https://x/y"}, 400, "error"),
]


def test_entities_are_judged_without_being_stored(admin: httpx.Client) -> None:
    for body, status, key in JUDGED:
        answer = admin.post(f"{API}/validate-entity", json=body)
        assert answer.status_code == status, body
        assert (answer.content == b"") if key is None else (key in answer.json())
    assert admin.get(f"{API}/entities").json() == []


STATUS: list[tuple[str, str, Any, int]] = [
    ("GET", "/entities?limit=0", None, 400),
    ("GET", "/entities?after=abc", None, 400),
    ("GET", "/entities?order=up:metadata.name", None, 400),
    ("GET", "/entities?order=asc:", None, 400),
    ("GET", "/entities?filter==a", None, 400),
    ("GET", "/entities?fields=a[0]", None, 400),
    ("GET", "/entities?filter=", None, 400),
    ("GET", "/entities?fields=", None, 400),
    ("GET", "/entities?order=", None, 400),
    ("GET", "/entities/by-query?orderField=", None, 400),
    ("GET", "/entities/by-query?filter=&limit=1", None, 400),
    ("GET", "/entities/by-query?cursor=e30=", None, 400),
    ("GET", "/entities/by-query?limit=0", None, 200),
    ("GET", "/entities/by-query?limit=-1", None, 400),
    ("GET", "/entities/by-query?limit=abc", None, 400),
    ("GET", "/entities/by-query?cursor=abc", None, 400),
    ("GET", "/entities/by-query?orderField=metadata.name,up", None, 400),
    ("POST", "/entities/by-query", None, 200),
    ("POST", "/entities/by-query", {"foo": 3}, 200),
    ("POST", "/entities/by-query", {"query": 3}, 400),
    ("POST", "/entities/by-query", {"query": {"$or": []}}, 400),
    ("POST", "/entities/by-query", {"fields": ["spec.list[0]"]}, 400),
    ("POST", "/entities/by-refs", {"entityRefs": [], "fields": ["spec.list[0]"]}, 400),
    ("GET", "/entity-facets", None, 400),
    ("GET", "/entity-facets?facet=", None, 400),
    ("POST", "/entity-facets", {"facets": []}, 400),
    ("POST", "/entities/by-refs", {}, 400),
    ("POST", "/entities/by-refs", {"entityRefs": "x"}, 400),
    ("DELETE", "/entities/by-uid/nope", None, 204),
    ("GET", "/entities/by-uid/nope", None, 404),
    ("POST", "/refresh", {"entityRef": "cart"}, 404),
    ("POST", "/refresh", {"entityRef": "component:default/nope"}, 404),
    ("POST", "/refresh", {}, 400),
    ("GET", "/locations/nope", None, 404),
    ("DELETE", "/locations/nope", None, 404),
    ("GET", "/locations/by-entity/component/default/nope", None, 404),
    ("DELETE", "/entities/unprocessed/delete/nope", None, 204),
    ("POST", "/locations", {"type": "git", "target": "x", "foo": 1}, 400),
    ("POST", "/locations?onConflict=foo", {"type": "git", "target": "x"}, 400),
    ("POST", "/locations", {"type": "ftp", "target": "x"}, 400),
    ("POST", "/locations", {"type": "git"}, 400),
]
NAMES = {400: "InputError", 404: "NotFoundError"}


def test_requests_are_answered_with_upstreams_status_and_error_body(admin: httpx.Client) -> None:
    for method, path, body, status in STATUS:
        answer = admin.request(method, API + path, **({} if body is None else {"json": body}))
        assert answer.status_code == status, (path, body, answer.text)
        if status >= 400:
            error = answer.json()
            assert error["error"]["message"]
            assert error == {
                "error": {"name": NAMES[status], "message": error["error"]["message"]},
                "request": {"method": method, "url": path},
                "response": {"statusCode": status},
            }


def test_references_that_cannot_be_read_stand_for_nothing(admin: httpx.Client, files: dict[str, str]) -> None:
    body = {"entityRefs": ["component:default/cart", "nope", "x:y/z/", ""], "fields": ["metadata.name"]}
    answer = admin.post(f"{API}/entities/by-refs", json=body).json()
    assert answer == {"items": [{"metadata": {"name": "cart"}}, None, None, None]}
    assert admin.post(f"{API}/entities/by-refs?filter=kind=system", json=body).json()["items"][0] is None


def test_conflicts_are_listed_shown_on_the_entity_and_name_both_sources(
    admin: httpx.Client, files: dict[str, str], publish: Any
) -> None:
    publish("thief", {"catalog-info.yaml": "# mine\n" + component("cart", owner="thieves")})
    thief = admin.post(f"{API}/locations", json={"type": "git", "target": "thief//"}).json()["location"]
    found = admin.get(f"{API}/problems", params={"code": "conflict"}).json()["items"]
    assert [(p["ref"], p["source_id"], p["other_source_id"], p["line"]) for p in found] == [
        ("component:default/cart", thief["id"], files["id"], 2)
    ]
    assert f"(file:{files['target']})" in found[0]["detail"]
    assert "Rename" in found[0]["remedy"]
    assert admin.get(f"{API}/v1/problems", params={"ref": "component:default/cart"}).json()["items"] == found
    entity = admin.get(f"{API}/entities/by-name/component/default/cart").json()
    assert entity["spec"]["owner"] == "checkout"
    assert "thief" in entity["status"]["items"][0]["message"]
    assert admin.get(f"{API}/entities/unprocessed/failed").json()["entities"][0]["entity_ref"].endswith("never")


def test_a_name_that_becomes_free_goes_to_the_source_that_claimed_it(
    server: Served, admin: httpx.Client, files: dict[str, str], publish: Any
) -> None:
    publish("other", {"catalog-info.yaml": component("cart", owner="others")})
    admin.post(f"{API}/locations", json={"type": "git", "target": "other//"})
    cart = f"{API}/entities/by-name/component/default/cart"
    assert admin.get(cart).json()["spec"]["owner"] == "checkout"
    assert admin.delete(f"{API}/locations/{files['id']}").status_code == 204
    assert admin.get(cart).status_code == 404
    gone = Event(
        1, "e", GONE, "t", "component:default/cart", 0, {"ref": "component:default/cart"}, "a", None, "t", None, ""
    )
    for _ in range(2):
        TakeOver(server.platform).handle(gone)
        assert admin.get(cart).json()["spec"]["owner"] == "others"
    assert admin.get(f"{API}/problems").json()["items"] == []
