"""Search as Backstage's clients ask for it, with the docs of a service among the results."""

from __future__ import annotations

import httpx

from factories.catalog import Publish, component
from factories.served import Served
from taxiway.features.search.service import refresh

QUERY = "/api/search/query"


def test_backstages_parameters_and_answers(server: Served, admin: httpx.Client, publish: Publish) -> None:
    entity = component("orders").replace(
        "  tags:", "  annotations: {backstage.io/techdocs-ref: 'dir:.', taxiway.dev/repository: shop}\n  tags:"
    )
    publish("shop", {"catalog-info.yaml": entity, "docs/index.md": "# Start\n\nTurn the **flywheel**.\n"})
    assert admin.post("/api/catalog/locations", json={"type": "git", "target": "shop//"}).status_code == 201
    answer = admin.get(QUERY, params={"term": "orders", "types[0]": "software-catalog", "filters[kind]": "Component"})
    result = answer.json()["results"][0]
    assert (result["type"], result["rank"], result["document"]["ref"]) == (
        "software-catalog",
        1,
        "component:default/orders",
    )
    assert result["highlight"]["fields"]["name"].startswith(result["highlight"]["preTag"])
    refresh(server.platform)
    page = admin.get(QUERY, params={"term": "flywheel"}).json()
    assert page["numberOfResults"] == 1
    document = page["results"][0]["document"]
    assert (document["location"], document["entityRef"]) == (
        "/catalog/component/default/orders?tab=docs&page=index.md",
        "component:default/orders",
    )
    every = admin.get(QUERY, params={"pageLimit": 1}).json()
    following = admin.get(QUERY, params={"pageLimit": 1, "pageCursor": every["nextPageCursor"]}).json()
    assert following["results"][0]["rank"] == 2
    assert "previousPageCursor" in following
    bad = admin.get(QUERY, params={"term": "x", "types[]": "nope"})
    assert (bad.status_code, bad.json()["error"]["name"]) == (400, "InputError")
    assert admin.get(QUERY, params={"pageCursor": "!!"}).status_code == 400
    assert admin.get(QUERY, params={"term": "x" * 101}).status_code == 400
