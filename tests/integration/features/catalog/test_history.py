"""Every version of an entity, and the catalog as it was: by name, by references, by query, and the graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from factories.catalog import component, served_catalog
from factories.served import Served
from taxiway.features.catalog.service.history import remove_old_versions
from taxiway.features.catalog.tables import catalog_change, entity_version
from taxiway.features.catalog.tasks import FollowPushes
from taxiway.model.event import Event
from taxiway.plugins.git_local.forge import LocalForge

API = "/api/catalog"
HISTORY = f"{API}/v1/history"
ORDERS = f"{API}/entities/by-name/component/default/orders"


@pytest.fixture
def server(tmp_path: Path, forge: LocalForge, database_url: str) -> Iterator[Served]:
    """On both databases."""
    with served_catalog(tmp_path, forge, database_url=database_url) as running:
        yield running


def pushed(pusher: str) -> Event:
    data = {"repository": "shop", "ref": "refs/heads/main", "default_branch": "main", "pusher": pusher}
    return Event(1, "e", "dev.taxiway.repository.pushed.v1", "t", "r", 0, data, "a", None, "t", None, "")


def names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["metadata"]["name"] for item in answer.json()["items"]]


@pytest.fixture
def commit(server: Served, admin: httpx.Client, publish: Any) -> Callable[[str], tuple[str, int]]:
    """Commits the text of a repository's descriptor, lets the catalog follow, and returns the commit and the time."""

    def run(text: str) -> tuple[str, int]:
        state = publish("shop", {"catalog-info.yaml": text})
        answer = admin.post(f"{API}/locations?onConflict=refresh", json={"type": "git", "target": "shop//"})
        assert answer.status_code == 201, answer.text
        return state, server.platform.clock.now()

    return run


def test_every_version_tells_who_what_when_and_its_difference(
    admin: httpx.Client, server: Served, publish: Any, commit: Any
) -> None:
    first, then = commit(component("orders"))
    second = publish("shop", {"catalog-info.yaml": component("orders", owner="payments")})
    FollowPushes(server.platform).handle(pushed("user:default/bea"))
    location = admin.get(f"{API}/locations").json()[0]["data"]["id"]
    admin.delete(f"{API}/locations/{location}")
    items = admin.get(f"{HISTORY}/component/default/Orders").json()["items"]
    told = [(i["verb"], i["version"], i["actor"], i["commit"], i["source"], i["current"]) for i in items]
    assert told == [
        ("deleted", 2, "user:default/tester", None, None, False),
        ("updated", 2, "user:default/bea", second, None, False),
        ("created", 1, "user:default/tester", first, None, False),
    ]
    assert items[1]["diff"] == [{"op": "replace", "path": "/spec/owner", "value": "payments", "old": "checkout"}]
    assert (items[0]["diff"], items[2]["diff"]) == (None, [])
    assert items[2]["at"] < then < items[1]["at"] < items[0]["at"]
    assert items[2]["until"] == items[1]["at"]
    assert items[1]["location"].endswith("/shop.git/catalog-info.yaml")
    assert admin.get(ORDERS).status_code == 404
    assert admin.get(ORDERS, params={"as_of": then}).json()["spec"]["owner"] == "checkout"
    assert admin.get(f"{HISTORY}/component/default/nope").status_code == 404


def test_a_name_that_came_back_has_one_history_of_two_lives(admin: httpx.Client, commit: Any) -> None:
    commit(component("orders"))
    commit(component("carts"))
    admin.delete(f"{API}/entities/by-uid/{admin.get(ORDERS).json()['metadata']['uid']}")
    commit(component("orders", owner="payments"))
    items = admin.get(f"{HISTORY}/component/default/orders").json()["items"]
    assert [(item["verb"], item["version"]) for item in items] == [
        ("created", 1),
        ("deleted", 2),
        ("updated", 2),
        ("created", 1),
    ]
    assert items[0]["uid"] != items[1]["uid"] == items[3]["uid"]
    assert [item["current"] for item in items] == [True, False, False, False]
    assert items[2]["diff"][0]["path"] == "/metadata/annotations/backstage.io~1orphan"


def test_long_histories_come_in_pages(admin: httpx.Client, commit: Any) -> None:
    for number in range(20):
        commit(component("orders", owner=f"team-{number}"))
    path, seen, parameters = f"{HISTORY}/component/default/orders", [], {"limit": 6}
    while True:
        page = admin.get(path, params=parameters).json()
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        parameters["cursor"] = page["next_cursor"]
    assert [item["version"] for item in seen] == list(range(20, 0, -1))
    assert all(len(item["diff"]) == 1 for item in seen[:-1])
    assert seen[3]["diff"][0]["old"] == "team-15"
    assert admin.get(path, params={"cursor": "x"}).status_code == 422


def test_filters_judge_the_documents_of_that_time(admin: httpx.Client, commit: Any) -> None:
    prices = component("prices", extra="  dependsOn: [component:orders]\n")
    _, then = commit(component("orders") + "---\n" + component("carts", kind="library") + "---\n" + prices)
    _, later = commit(
        component("orders", owner="payments", kind="website")
        + "---\n"
        + component("carts", kind="library")
        + "---\n"
        + component("reviews")
        + "---\n"
        + component("prices")
    )
    query = f"{API}/entities/by-query"
    was = {"as_of": then, "filter": "kind=component"}
    assert names(admin.get(query, params=was)) == ["carts", "orders", "prices"]
    assert names(admin.get(query, params={**was, "orderField": "spec.type,desc"})) == ["orders", "prices", "carts"]
    typed = {**was, "filter": "kind=component,spec.type=service"}
    assert names(admin.get(query, params=typed)) == ["orders", "prices"]
    assert names(admin.get(query, params={**typed, "as_of": later})) == ["prices", "reviews"]
    assert names(
        admin.get(query, params={**was, "fullTextFilterTerm": "ice", "fullTextFilterFields": "metadata.name"})
    ) == ["prices"]
    # `carts` did not change, but what depended on `orders` did.
    depended = {"as_of": then, "filter": "relations.dependencyOf=component:default/prices"}
    assert names(admin.get(query, params=depended)) == ["orders"]
    assert names(admin.get(query, params={"filter": depended["filter"]})) == []
    body = {
        "query": {"$all": [{"spec.owner": "checkout"}, {"$not": {"spec.type": "library"}}]},
        "fields": ["metadata.name"],
    }
    assert names(admin.post(query, params={"as_of": then}, json=body)) == ["orders", "prices"]
    refs = {"entityRefs": ["component:reviews", "component:orders", "component:prices"]}
    answer = admin.post(f"{API}/entities/by-refs", params={"as_of": then}, json=refs).json()["items"]
    assert [item and item["spec"]["owner"] for item in answer] == [None, "checkout", "checkout"]
    assert {"type": "dependencyOf", "targetRef": "component:default/prices"} in answer[1]["relations"]


def test_pages_of_the_past_keep_their_time(admin: httpx.Client, commit: Any) -> None:
    texts = [component(f"c{number}") for number in range(7)]
    _, then = commit("---\n".join(texts))
    commit("---\n".join([component("c3", owner="x"), *texts[4:], component("new")]))
    parameters = {"as_of": then, "limit": 3, "filter": "kind=component"}
    page = admin.get(f"{API}/entities/by-query", params=parameters)
    first, seen = names(page), names(page)
    while cursor := page.json()["pageInfo"].get("nextCursor"):
        page = admin.get(f"{API}/entities/by-query", params={"cursor": cursor, "limit": 3})
        assert page.json()["totalItems"] == 7
        seen += names(page)
    assert seen == [f"c{number}" for number in range(7)]
    back = admin.get(f"{API}/entities/by-query", params={"cursor": page.json()["pageInfo"]["prevCursor"], "limit": 3})
    again = admin.get(f"{API}/entities/by-query", params={"cursor": back.json()["pageInfo"]["prevCursor"], "limit": 3})
    assert names(again) == first


def test_the_graph_can_be_seen_as_it_was(admin: httpx.Client, commit: Any) -> None:
    _, then = commit(component("orders", extra="  dependsOn: [component:carts]\n") + "---\n" + component("carts"))
    commit(component("orders") + "---\n" + component("carts", owner="x"))
    path = f"{API}/v1/graph/component/default/carts"
    was = admin.get(path, params={"as_of": then, "depth": 1}).json()
    edge = {"source": "component:default/orders", "target": "component:default/carts", "type": "dependsOn"}
    assert edge in was["edges"]
    assert edge not in admin.get(path, params={"depth": 1}).json()["edges"]
    exists = {node["ref"]: node["exists"] for node in was["nodes"]}
    assert exists == {
        "component:default/carts": True,
        "component:default/orders": True,
        "group:default/checkout": False,
    }
    assert admin.get(path, params={"as_of": then - 10**9}).status_code == 404


def test_times_are_read_as_people_write_them(admin: httpx.Client, commit: Any) -> None:
    commit(component("orders"))
    assert admin.get(ORDERS, params={"as_of": "2026-01-01T00:00:00+02:00"}).status_code in (400, 404)
    for wrong in ("yesterday", "9" * 18, "1", ""):
        answer = admin.get(ORDERS, params={"as_of": wrong})
        assert answer.status_code == 400, wrong
        assert "as_of" in answer.json()["error"]["message"] or "history is kept" in answer.json()["error"]["message"]


def test_old_versions_go_after_the_time_that_the_setting_says(server: Served, admin: httpx.Client, commit: Any) -> None:
    commit(component("orders"))
    _, then = commit(component("orders", owner="payments"))
    commit(component("orders", owner="others"))
    platform = server.platform
    assert remove_old_versions(platform) == 0
    days = platform.settings.catalog.history_days * 86_400 * 1_000_000

    def age(tx: Any) -> None:
        tx.conn.execute(entity_version.update().where(entity_version.c.version == 1).values(ended_at=tx.now - days - 1))

    platform.store.write(age)
    assert remove_old_versions(platform) == 1
    items = admin.get(f"{HISTORY}/component/default/orders").json()["items"]
    assert [(item["version"], item["diff"] is None) for item in items] == [(3, False), (2, True)]
    assert admin.get(ORDERS, params={"as_of": then}).json()["spec"]["owner"] == "payments"
    with platform.store.read() as conn:
        assert len(list(conn.execute(catalog_change.select()))) >= 2


def test_a_refresh_without_changes_leaves_no_trace(server: Served, admin: httpx.Client, commit: Any) -> None:
    commit(component("orders"))
    commit(component("orders"))
    assert len(admin.get(f"{HISTORY}/component/default/orders").json()["items"]) == 1
    with server.platform.store.read() as conn:
        assert list(conn.execute(entity_version.select())) == []
