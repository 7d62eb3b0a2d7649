"""Answers from memory on the event loop: the same bytes as the declared operations give, and never an old one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from factories.served import Served, served
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog import fast, service
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.plugin import SourcedEntity, SourceProblem

BASE = "/api/catalog"
PATHS = (
    f"{BASE}/entities/by-name/component/default/cart",
    f"{BASE}/entities/by-query?filter=kind=component,spec.type=service&limit=2",
    f"{BASE}/entities/by-query?filter=kind=component&filter=kind=group&orderField=metadata.name,desc&limit=1&offset=1",
    f"{BASE}/entities/by-query?filter=metadata.tags=python&limit=0",
    f"{BASE}/entity-facets?facet=spec.type&facet=metadata.tags&filter=kind=component",
)


def _component(name: str, owner: str = "checkout", **spec: Any) -> SourcedEntity:
    document = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": name, "tags": ["python"]},
        "spec": {"type": "service", "lifecycle": "production", "owner": owner, **spec},
    }
    return SourcedEntity(document, f"file:/{name}.yaml")


def _apply(server: Served, *documents: SourcedEntity | SourceProblem, full: bool = False) -> None:
    ctx = server.platform.system("test")
    server.platform.store.write(lambda tx: service.apply_entities(tx, ctx, documents, "test", full=full))


@pytest.fixture
def client(server: Served) -> Iterator[httpx.Client]:
    _apply(server, *(_component(name) for name in ("cart", "orders", "web")))
    with server.client(server.token()) as made:
        yield made


@pytest.mark.parametrize("path", PATHS)
def test_later_answers_come_from_memory_and_are_the_same(client: httpx.Client, server: Served, path: str) -> None:
    first = client.get(path)
    for _ in ("made of the index", "as it was answered before"):
        later = client.get(path)
        with fast.index_of(server.platform).at_once() as view:
            assert view is not None
        assert (later.status_code, later.content, later.headers["content-type"]) == (
            first.status_code,
            first.content,
            first.headers["content-type"],
        )


def test_every_commit_is_in_the_next_answer(client: httpx.Client, server: Served) -> None:
    _change_and_ask(client, server)


def test_every_commit_is_in_the_next_answer_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    with served(tmp_path / "data", features=[ACCESS, CATALOG], database_url=postgres_url) as server:
        _apply(server, *(_component(name) for name in ("cart", "orders", "web")))
        with server.client(server.token()) as client:
            end = time.monotonic() + 10
            while not _is_from_memory(client, server):
                assert time.monotonic() < end
            _change_and_ask(client, server)


def _is_from_memory(client: httpx.Client, server: Served) -> bool:
    client.get(PATHS[0])
    with fast.index_of(server.platform).at_once() as view:
        return view is not None


def _change_and_ask(client: httpx.Client, server: Served) -> None:
    cart = PATHS[0]
    for number in range(10):
        assert client.get(cart).json()["spec"].get("system") == (f"s{number - 1}" if number else None)
        for path in (PATHS[1], PATHS[1]):  # the second one finds what was answered
            assert client.get(path).json()["totalItems"] == 3 + number
        assert client.get(PATHS[4]).json()["facets"]["spec.type"] == [{"value": "service", "count": 3 + number}]
        _apply(server, _component("cart", system=f"s{number}"), _component(f"more-{number}"))
    _apply(server, _component("web", dependsOn=["component:cart"]))
    related = {"type": "dependencyOf", "targetRef": "component:default/web"}
    assert related in client.get(cart).json()["relations"]
    broken = _component("cart")
    broken.document["spec"] = {"type": "service"}
    _apply(server, broken)
    assert client.get(cart).json()["status"]["items"]
    _apply(server, _component("orders"), full=True)
    assert client.get(cart).status_code == 404


def test_nobody_gets_an_answer_without_signing_in(client: httpx.Client, server: Served) -> None:
    for path in PATHS:
        client.get(path)
        with server.client() as nobody:
            assert nobody.get(path).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        f"{BASE}/entities/by-query?limit=abc",
        f"{BASE}/entities/by-query?limit=-1",
        f"{BASE}/entities/by-query?cursor=nonsense",
        f"{BASE}/entities/by-query?filter==x",
        f"{BASE}/entity-facets",
        f"{BASE}/entity-facets?facet=",
    ],
)
def test_what_is_wrong_is_still_said(client: httpx.Client, path: str) -> None:
    client.get(PATHS[1])
    answer = client.get(path)
    assert answer.status_code == 400
    assert answer.json()["error"]["name"] == "InputError"
