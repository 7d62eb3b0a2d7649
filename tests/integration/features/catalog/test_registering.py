"""Registering, following and forgetting locations, seen through the API."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from factories.catalog import ORGANISATION, component
from factories.served import Served
from taxiway.features.catalog import location_routes, service
from taxiway.features.catalog.service import locations
from taxiway.features.catalog.tasks import FollowPushes
from taxiway.model.event import Event

LOCATION = {"type": "git", "target": "shop//catalog-info.yaml"}


def _register(client: httpx.Client, **changes: str) -> httpx.Response:
    return client.post("/api/catalog/locations", json={**LOCATION, **changes})


def _names(client: httpx.Client, *filters: str) -> list[str]:
    answer = client.get("/api/catalog/entities", params=[("filter", f) for f in filters])
    assert answer.status_code == 200, answer.text
    return [entity["metadata"]["name"] for entity in answer.json()]


def _pushed(repository: str) -> Event:
    data = {"repository": repository, "ref": "refs/heads/main", "default_branch": "main", "before": "", "after": ""}
    return Event(
        1, "e", "dev.taxiway.repository.pushed.v1", "t", f"repository:{repository}", 0, data, "a", None, "t", None, ""
    )


def test_a_registered_entity_is_there_when_the_call_returns(admin: httpx.Client, publish) -> None:
    publish("shop", {"catalog-info.yaml": component("orders", extra="  dependsOn: [component:carts]\n")})
    answer = _register(admin)
    assert answer.status_code == 201, answer.text
    assert [e["metadata"]["name"] for e in answer.json()["entities"]] == ["orders"]
    entity = admin.get("/api/catalog/entities/by-name/component/default/Orders").json()
    assert entity["relations"] == [
        {"type": "dependsOn", "targetRef": "component:default/carts"},
        {"type": "ownedBy", "targetRef": "group:default/checkout"},
    ]
    annotations = entity["metadata"]["annotations"]
    assert annotations["backstage.io/managed-by-location"] == "url:http://127.0.0.1:7007/git/shop.git/catalog-info.yaml"
    assert annotations["backstage.io/managed-by-origin-location"] == "git:shop//catalog-info.yaml"
    provenance = admin.get("/api/catalog/v1/provenance/component/default/orders").json()
    lines = {field["pointer"]: (field["source_id"], field["line"]) for field in provenance["fields"]}
    assert lines["/spec/dependsOn/0"] == (answer.json()["location"]["id"], 11)
    assert _register(admin).status_code == 409
    by_entity = admin.get("/api/catalog/locations/by-entity/component/default/orders").json()
    assert by_entity == answer.json()["location"]


def test_the_clone_url_is_a_location_too(admin: httpx.Client, publish) -> None:
    publish("shop", {"a/catalog-info.yaml": component("orders")})
    target = "http://127.0.0.1:7007/git/shop.git/a/catalog-info.yaml"
    assert _register(admin, type="url", target=target).status_code == 201
    outside = _register(admin, type="url", target="https://example.com/catalog-info.yaml")
    assert outside.status_code == 400
    assert "built-in forge" in outside.json()["error"]["message"]


def test_a_push_changes_adds_and_orphans_entities(admin: httpx.Client, server: Served, publish) -> None:
    publish("shop", {"catalog-info.yaml": component("orders") + "---\n" + component("carts")})
    _register(admin)
    uid = admin.get("/api/catalog/entities/by-name/component/default/orders").json()["metadata"]["uid"]
    publish("shop", {"catalog-info.yaml": component("orders", owner="payments") + "---\n" + component("prices")})
    FollowPushes(server.platform).handle(_pushed("shop"))
    assert _names(admin, "kind=component") == ["carts", "orders", "prices"]
    assert _names(admin, "metadata.annotations.backstage.io/orphan=true") == ["carts"]
    entity = admin.get("/api/catalog/entities/by-name/component/default/orders").json()
    assert entity["spec"]["owner"] == "payments"
    assert entity["metadata"]["uid"] == uid
    with server.platform.store.read() as conn:
        types = conn.exec_driver_sql("select type, subject from event where type like 'dev.taxiway.entity%'").fetchall()
    assert ("dev.taxiway.entity.orphaned.v1", "component:default/carts") in [tuple(row) for row in types]
    assert ("dev.taxiway.entity.updated.v1", "component:default/orders") in [tuple(row) for row in types]


def test_a_recreated_name_gets_a_new_uid(admin: httpx.Client, publish) -> None:
    publish("shop", {"catalog-info.yaml": component("orders")})
    location = _register(admin).json()["location"]["id"]
    path = "/api/catalog/entities/by-name/component/default/orders"
    first = admin.get(path).json()["metadata"]["uid"]
    assert admin.delete(f"/api/catalog/locations/{location}").status_code == 204
    assert admin.get(path).status_code == 404
    assert _names(admin) == []
    _register(admin)
    assert admin.get(path).json()["metadata"]["uid"] != first


def test_broken_yaml_keeps_what_was_good_and_is_shown_with_its_line(admin: httpx.Client, publish) -> None:
    publish("shop", {"catalog-info.yaml": component("orders") + "---\n" + component("carts")})
    _register(admin)
    publish("shop", {"catalog-info.yaml": component("orders") + "---\nkind: [\n"})
    refreshed = admin.post("/api/catalog/refresh", json={"entityRef": "component:orders"})
    assert refreshed.status_code == 200, refreshed.text
    assert _names(admin, "kind=component") == ["carts", "orders"]
    problem = admin.get("/api/catalog/v1/problems").json()["items"][0]
    assert problem["line"] in (12, 13)
    assert "not valid YAML" in problem["detail"]
    assert problem["remedy"]


def test_an_invalid_document_is_shown_on_the_entity_with_the_line_of_the_field(admin: httpx.Client, publish) -> None:
    publish("shop", {"catalog-info.yaml": component("orders")})
    _register(admin)
    publish("shop", {"catalog-info.yaml": component("orders").replace("type: service", "type: 3")})
    admin.post("/api/catalog/refresh", json={"entityRef": "component:orders"})
    entity = admin.get("/api/catalog/entities/by-name/component/default/orders").json()
    assert entity["spec"]["type"] == "service"
    assert entity["status"]["items"][0]["level"] == "error"
    assert "line 8" in entity["status"]["items"][0]["message"]


def test_the_first_source_keeps_a_name(admin: httpx.Client, publish) -> None:
    publish("shop", {"catalog-info.yaml": component("orders")})
    publish("thief", {"catalog-info.yaml": component("orders", owner="thieves")})
    _register(admin)
    assert _register(admin, target="thief//").status_code == 201
    assert admin.get("/api/catalog/entities/by-name/component/default/orders").json()["spec"]["owner"] == "checkout"
    assert "another source" in admin.get("/api/catalog/v1/problems").json()["items"][0]["detail"]


def test_locations_lead_to_files_and_placeholders_bring_them_in(
    admin: httpx.Client, publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = """apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: orders}
spec: {type: openapi, lifecycle: production, owner: checkout, definition: {$text: ./openapi.json}}
"""
    root = """apiVersion: backstage.io/v1alpha1
kind: Location
metadata: {name: all}
spec: {targets: ['./services/*.yaml', './missing.yaml']}
"""
    stolen = api.replace("name: orders", "name: stolen").replace("./openapi.json", "../../../../etc/passwd")
    publish(
        "shop",
        {
            "catalog-info.yaml": root,
            "services/a.yaml": component("orders"),
            "services/b.yaml": api,
            "services/c.yaml": stolen,
            "services/openapi.json": '{"openapi": "3.1.0"}',
        },
    )
    monkeypatch.setattr(location_routes, "SHOWN", 2)
    answer = _register(admin)
    assert answer.status_code == 201
    assert (len(answer.json()["entities"]), answer.json()["totalItems"], answer.json()["problems"]) == (2, 3, 2)
    entity = admin.get("/api/catalog/entities/by-name/api/default/orders").json()
    assert entity["spec"]["definition"] == '{"openapi": "3.1.0"}'
    details = [p["detail"] for p in admin.get("/api/catalog/v1/problems").json()["items"]]
    assert len(details) == 2
    assert any("missing.yaml" in detail for detail in details)
    assert any("leads out" in detail for detail in details)


def test_files_are_read_below_allowed_roots_only(admin: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "files" / "one.yaml").write_text(component("one"))
    (tmp_path / "outside.yaml").write_text(component("two"))
    (tmp_path / "files" / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    assert _register(admin, type="file", target=str(tmp_path / "files" / "*.yaml")).status_code == 201
    assert _names(admin, "kind=component") == ["one"]
    assert _register(admin, type="file", target=str(tmp_path / "outside.yaml")).status_code == 400
    assert _register(admin, type="file", target=str(tmp_path / "files" / ".." / "outside.yaml")).status_code == 400
    assert _register(admin, type="file", target="/etc/passwd").status_code == 400


def test_groups_come_from_trusted_sources_only(admin: httpx.Client, server: Served, publish) -> None:
    publish("org", {"catalog-info.yaml": ORGANISATION})
    answer = admin.post("/api/catalog/locations?trust=true", json={**LOCATION, "target": "org//"})
    assert answer.status_code == 201
    groups = service.groups_of(server.platform, "user:default/bea")
    assert groups == {"group:default/checkout", "group:default/acme"}
    evil = "apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: evil}\n"
    evil += "spec: {type: team, parent: acme, children: [], members: [mal]}\n"
    publish("evil", {"catalog-info.yaml": component("fine", owner="mal") + "---\n" + evil}, owner="user:default/mal")
    with server.client(server.token("developer", "user:default/mal")) as mal:
        assert _register(mal, target="evil//").status_code == 201
        assert _register(mal, target="org//").status_code == 403
        trusting = mal.post("/api/catalog/locations?trust=true", json={**LOCATION, "target": "evil//other.yaml"})
        assert trusting.status_code == 403
    assert service.groups_of(server.platform, "user:default/mal") == frozenset()
    assert service.get_entity(server.platform, "group:evil") is None
    assert service.get_entity(server.platform, "component:fine") is not None


def test_a_repository_cannot_have_anothers_read(admin: httpx.Client, publish) -> None:
    publish("theirs", {"catalog-info.yaml": component("theirs")}, owner="group:default/payments")
    follow = "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: x}\nspec: {target: 'git:theirs//'}\n"
    publish("shop", {"catalog-info.yaml": follow})
    assert _register(admin).status_code == 201
    assert _names(admin, "kind=component") == []
    assert "another owner" in admin.get("/api/catalog/v1/problems").json()["items"][0]["detail"]


def test_a_pattern_that_matches_nothing_or_too_much_is_told(
    admin: httpx.Client, publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish("shop", {f"{name}.yaml": component(name) for name in ("orders", "carts")})
    monkeypatch.setattr("taxiway.features.catalog.sources.trees.MAX_MATCHES", 1)
    for pattern, told in (("none-*.yaml", "no file matches 'none-*.yaml'"), ("*.yaml", "more than 1 files: narrow it")):
        refused = admin.post("/api/catalog/locations", json={"type": "git", "target": f"shop//{pattern}"})
        assert (refused.status_code, told in refused.text) == (400, True), refused.text


def test_a_dry_run_stores_nothing_and_is_refused_where_it_would_take_long(
    admin: httpx.Client, publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish("shop", {"catalog-info.yaml": component("orders")})
    answer = admin.post("/api/catalog/locations?dryRun=true", json=LOCATION)
    assert answer.status_code == 201
    assert answer.json()["exists"] is False
    assert [e["kind"] for e in answer.json()["entities"]] == ["Location", "Component"]
    assert _names(admin) == []
    publish("shop", {"catalog-info.yaml": "# nothing yet\n"})
    assert admin.post("/api/catalog/locations?dryRun=true", json=LOCATION).json()["totalItems"] == 1
    publish("shop", {"catalog-info.yaml": component("orders") + "---\n" + component("carts").replace("service", "3")})
    refused = admin.post("/api/catalog/locations?dryRun=true", json=LOCATION)
    assert (refused.status_code, "catalog-info.yaml, line 12" in refused.text) == (400, True), refused.text
    leading = "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: all}\nspec: {target: ./more.yaml}\n"
    publish("shop", {"catalog-info.yaml": leading, "more.yaml": component("orders")})
    for name in ("TRIED", "TRIED_BYTES"):
        with monkeypatch.context() as small:
            small.setattr(locations, name, 0)
            refused = admin.post("/api/catalog/locations?dryRun=true", json=LOCATION)
            assert (refused.status_code, "register it, a run takes it in" in refused.text) == (413, True), name


def test_shipped_data_is_loaded_once(server: Served) -> None:
    first = service.load_library(server.platform)
    assert first["library"].problems == []
    assert "template:default/python-service" in first["library"].refs
    assert service.load_library(server.platform) == {}
    template = service.get_entity(server.platform, "template:python-service")
    assert template is not None
    assert template["spec"]["steps"]
