"""Lists, filters, cursors, facets, graph and search over the demo organisation."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import text, true

from factories.served import Served
from taxiway.core.context import Platform
from taxiway.features.catalog import service
from taxiway.features.catalog.repository import graph
from taxiway.plugin import SourcedEntity


def _component(name: str, type_: str, **metadata: Any) -> SourcedEntity:
    document = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": name, **metadata},
        "spec": {"type": type_, "lifecycle": "production", "owner": "checkout", "system": "shop"},
    }
    return SourcedEntity(document, f"file:/{name}.yaml")


ENTITIES = [
    _component("cart", "service", title="Shopping Cart", tags=["python"], labels={"tier": "1"}),
    _component("orders", "service", description="Keeps orders", tags=["java"], labels={"tier": "2"}),
    _component("shop-web", "Website", title="a shop", annotations={"example.com/a.b": "Yes"}),
    _component("worker", "service", labels={"tier": "1"}),
]


@pytest.fixture
def client(server: Served) -> httpx.Client:
    ctx = server.platform.system("test")
    server.platform.store.write(lambda tx: service.apply_entities(tx, ctx, ENTITIES, "test", full=True))
    with server.client(server.token("viewer", "user:default/vera")) as viewer:
        yield viewer


def _names(items: list[Any]) -> list[str]:
    return [item["metadata"]["name"] for item in items]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["kind=component,spec.type=service"], ["cart", "orders", "worker"]),
        (["spec.type=WEBSITE", "metadata.name=cart"], ["cart", "shop-web"]),
        (["metadata.labels.tier"], ["cart", "orders", "worker"]),
        (["metadata.labels.tier=1,metadata.labels.tier=2,metadata.tags=java"], ["orders"]),
        (["metadata.tags.python=true"], ["cart"]),
        (["metadata.annotations.example.com/a.b=yes"], ["shop-web"]),
        (["relations.ownedBy=group:default/checkout,metadata.title"], ["cart", "shop-web"]),
        (["relations.partOf=system:default/nope"], []),
        (["metadata.name=' or 1=1 --"], []),
        ([","], ["cart", "orders", "shop-web", "worker"]),
    ],
)
def test_filters_select_as_backstages_do(client: httpx.Client, filters: list[str], expected: list[str]) -> None:
    parameters = [("filter", text) for text in filters]
    assert _names(client.get("/api/catalog/entities", params=parameters).json()) == expected
    page = client.get("/api/catalog/entities/by-query", params=parameters).json()
    assert (_names(page["items"]), page["totalItems"]) == (expected, len(expected))


@pytest.mark.parametrize(
    "order",
    ["", "metadata.title,asc", "metadata.labels.tier,desc", "metadata.labels.tier,desc,number", "metadata.name,desc"],
)
def test_cursors_walk_forth_and_back_without_loss(client: httpx.Client, order: str) -> None:
    parameters = {"limit": "1", **({"orderField": order} if order else {})}
    path = "/api/catalog/entities/by-query"
    whole = _names(client.get(path, params={**parameters, "limit": "100"}).json()["items"])
    assert sorted(whole) == ["cart", "orders", "shop-web", "worker"]
    page = client.get(path, params=parameters).json()
    forth, pages = _names(page["items"]), 1
    assert "prevCursor" not in page["pageInfo"]
    while "nextCursor" in page["pageInfo"]:
        page = client.get(path, params={"limit": "1", "cursor": page["pageInfo"]["nextCursor"]}).json()
        forth += _names(page["items"])
        pages += 1
        assert page["totalItems"] == 4
    assert (forth, pages) == (whole, 4)
    back = _names(page["items"])
    while "prevCursor" in page["pageInfo"]:
        page = client.get(path, params={"limit": "1", "cursor": page["pageInfo"]["prevCursor"]}).json()
        back += _names(page["items"])
    assert back == whole[::-1]


def test_a_page_names_the_next_in_its_link_header(client: httpx.Client) -> None:
    first = client.get("/api/catalog/entities", params={"limit": "3", "order": "desc:metadata.name"})
    assert _names(first.json()) == ["worker", "shop-web", "orders"]
    second = client.get(first.links["next"]["url"])
    assert _names(second.json()) == ["cart"]
    assert "next" not in second.links


def test_fields_leave_out_the_rest(client: httpx.Client) -> None:
    answer = client.get(
        "/api/catalog/entities",
        params={
            "filter": "metadata.name=shop-web",
            "fields": "metadata.name,metadata.annotations.example.com/a.b,spec.x",
        },
    )
    assert answer.json() == [{"metadata": {"name": "shop-web", "annotations": {"example.com/a.b": "Yes"}}}]


def test_references_are_answered_in_order_with_null_for_what_is_not_there(client: httpx.Client) -> None:
    body = {"entityRefs": ["component:worker", "component:default/nope", "Component:Default/Cart"]}
    items = client.post("/api/catalog/entities/by-refs", json=body).json()["items"]
    assert [item and item["metadata"]["name"] for item in items] == ["worker", None, "cart"]


def test_facets_count_values_as_written(client: httpx.Client) -> None:
    answer = client.get("/api/catalog/entity-facets?facet=spec.type&facet=relations.ownedBy&facet=kind")
    assert answer.json()["facets"] == {
        "spec.type": [{"value": "Website", "count": 1}, {"value": "service", "count": 3}],
        "relations.ownedBy": [{"value": "group:default/checkout", "count": 4}],
        "kind": [{"value": "Component", "count": 4}],
    }
    narrowed = client.get("/api/catalog/entity-facets?facet=metadata.labels.tier&filter=metadata.tags")
    assert narrowed.json()["facets"]["metadata.labels.tier"] == [{"value": "1", "count": 1}, {"value": "2", "count": 1}]


def test_predicates_select(client: httpx.Client) -> None:
    query = {
        "$all": [
            {"kind": "component"},
            {"$not": {"metadata.name": {"$hasPrefix": "SHOP"}}},
            {"$any": [{"metadata.tags": {"$contains": "java"}}, {"metadata.labels.tier": {"$in": ["1"]}}]},
            {"relations": {"$contains": {"type": "ownedBy", "targetRef": "group:default/checkout"}}},
        ]
    }
    answer = client.post("/api/catalog/entities/by-query", json={"query": query}).json()
    assert _names(answer["items"]) == ["cart", "orders", "worker"]
    refused = client.post("/api/catalog/entities/by-query", json={"query": {"$or": []}})
    assert refused.status_code == 400
    assert refused.json()["error"]["name"] == "InputError"


def test_text_filter_looks_inside_the_fields_named(client: httpx.Client) -> None:
    answer = client.get(
        "/api/catalog/entities/by-query",
        params={"fullTextFilterTerm": "SHOP", "fullTextFilterFields": "metadata.name,metadata.title"},
    )
    assert _names(answer.json()["items"]) == ["cart", "shop-web"]


def test_search_ranks_names_before_texts(client: httpx.Client) -> None:
    answer = client.get("/api/search/query", params={"term": "ord"}).json()
    assert [r["document"]["ref"] for r in answer["results"]] == ["component:default/orders"]
    assert answer["results"][0]["rank"] == 1
    assert client.get("/api/search/query", params={"term": '") OR *'}).status_code == 200
    page = client.get("/api/search/query", params={"term": "checkout", "limit": 3}).json()
    assert page["numberOfResults"] == 4
    rest = client.get(
        "/api/search/query", params={"term": "checkout", "limit": 3, "pageCursor": page["nextPageCursor"]}
    ).json()
    assert len(rest["results"]) == 1


def test_the_graph_goes_both_ways(client: httpx.Client) -> None:
    graph = client.get("/api/catalog/v1/graph/component/default/cart?depth=1").json()
    assert {node["ref"] for node in graph["nodes"]} == {
        "component:default/cart",
        "group:default/checkout",
        "system:default/shop",
    }
    wider = client.get("/api/catalog/v1/graph/component/default/cart?depth=2").json()
    assert "component:default/worker" in {node["ref"] for node in wider["nodes"]}
    edge = {"source": "component:default/cart", "target": "group:default/checkout", "type": "ownedBy"}
    assert edge in wider["edges"]
    assert client.get("/api/catalog/v1/graph/component/default/nope").status_code == 404


def test_the_graph_reads_no_more_relations_than_it_draws(server: Served) -> None:
    with server.platform.store.read() as conn:
        for end in graph.ENDS:
            statement = graph.edges_at(end, ["component:default/cart"], true())
            sql = statement.compile(conn, compile_kwargs={"literal_binds": True})
            plan = str(conn.execute(text(f"explain query plan {sql}")).all())
            assert "SEARCH" in plan
            assert "SCAN" not in plan, plan


def test_a_viewer_reads_and_changes_nothing(client: httpx.Client) -> None:
    uid = client.get("/api/catalog/entities/by-name/component/default/cart").json()["metadata"]["uid"]
    assert client.get(f"/api/catalog/entities/by-uid/{uid}").status_code == 200
    assert client.delete(f"/api/catalog/entities/by-uid/{uid}").status_code == 403
    assert client.post("/api/catalog/refresh", json={"entityRef": "component:cart"}).status_code == 403
    assert client.post("/api/catalog/locations", json={"type": "git", "target": "x//"}).status_code == 403


def test_a_document_is_judged_without_being_stored(client: httpx.Client) -> None:
    good = ENTITIES[0].document
    body = {"entity": good, "location": "url:http://x/y"}
    assert client.post("/api/catalog/validate-entity", json=body).status_code == 200
    bad = client.post("/api/catalog/validate-entity", json={**body, "entity": {**good, "kind": "component"}})
    assert bad.status_code == 400
    assert "Component" in bad.json()["errors"][0]["message"]


def test_both_databases_answer_alike(make_platform: Any, database_url: str) -> None:
    platform: Platform = make_platform(url=database_url if "postgres" in database_url else None)
    ctx = platform.system("test")
    for documents in (ENTITIES, ENTITIES[1:], ENTITIES):
        platform.store.write(lambda tx, d=documents: service.apply_entities(tx, ctx, d, "test", full=True))
    assert _names(service.list_entities(platform, kind="component", filters={"spec.type": "service"})) == [
        "cart",
        "orders",
        "worker",
    ]
    from sqlalchemy import true

    from taxiway.features.catalog.repository import listing
    from taxiway.features.catalog.repository.search import hits, lens_of, search

    with platform.store.read() as conn:
        found = search(conn, None, "shop car", lens_of(conn, None, true(), {}), 10)
        assert ([hits(conn, [one])[one].ref for _, one in found.ranked], found.total) == (["component:default/cart"], 1)
        query = listing.Query(sort="metadata.labels.tier")
        page = listing.page(conn, query, true(), limit=2)
        rest = listing.page(conn, listing.decode(page.next_cursor or ""), true(), limit=9)
        counts = listing.facets(conn, ["metadata.labels.tier"], listing.Query(), true())["metadata.labels.tier"]
    assert len(page.items) + len(rest.items) == 4
    assert counts == [{"value": "1", "count": 2}, {"value": "2", "count": 1}]
