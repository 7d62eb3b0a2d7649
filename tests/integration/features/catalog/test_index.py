"""The index in memory: it gives SQL's answers, follows every change, survives restarts, and shows nobody more."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import ColumnElement, true

from factories.served import Served
from taxiway.api.platform import build_platform, close_platform
from taxiway.core.context import Platform
from taxiway.core.settings import load_settings
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog import service
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.catalog.repository import filters, listing
from taxiway.features.catalog.repository.index import catalog_index
from taxiway.features.catalog.repository.index import order as orders
from taxiway.features.catalog.repository.index.catalog_index import View
from taxiway.features.catalog.repository.index.state import State
from taxiway.features.catalog.service.query import index_of
from taxiway.model.access import NOTHING, Scope
from taxiway.plugin import SourcedEntity

TYPES, LIFECYCLES, TAGS = (
    ("service", "Website", "library"),
    ("production", "Experimental"),
    ("go", "java", "py", "rust"),
)
OWNERS = ("checkout", "payments", "user:anna")
SORTS = (None, "metadata.name", "kind", "spec.type", "metadata.tags", "metadata.labels.tier", "metadata.title")


def _document(rng: random.Random, name: str) -> SourcedEntity:
    kind = rng.choice(("Component", "API", "Resource"))
    spec: dict[str, Any] = {"type": rng.choice(TYPES), "owner": rng.choice(OWNERS)}
    if kind != "Resource":
        spec["lifecycle"] = rng.choice(LIFECYCLES)
    if kind == "API":
        spec["definition"] = "x" * rng.choice((10, 300))
    if kind == "Component":
        spec["dependsOn"] = [f"resource:r{rng.randrange(5)}" for _ in range(rng.randrange(3))]
    metadata: dict[str, Any] = {"name": name, "tags": rng.sample(TAGS, rng.randrange(4))}
    if rng.random() < 0.5:
        metadata["labels"] = {"tier": rng.choice(("0", "1", "2", "10", "2.5", "1e1", "03", "v2", "2026-01-02"))}
    if rng.random() < 0.3:
        metadata["namespace"] = "other"
    if rng.random() < 0.3:
        metadata["title"] = rng.choice(("A cart", "b cart", "Cart"))
    document = {"apiVersion": "backstage.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}
    return SourcedEntity(document, f"file:/{name}.yaml")


def _filter(rng: random.Random) -> str:
    statements = [
        "kind=" + rng.choice(("component", "API", "nothing")),
        "spec.type=" + rng.choice(TYPES),
        "metadata.tags=" + rng.choice(TAGS),
        f"metadata.tags.{rng.choice(TAGS)}=true",
        "metadata.labels.tier",
        f"metadata.labels.tier={rng.randrange(4)}",
        f"metadata.name=N{rng.randrange(40)}",
        "relations.dependsOn=resource:default/r1",
        "relations.ownedBy",
        "spec.definition",
        "spec.owner=checkout,spec.owner=payments",
    ]
    return ",".join(rng.sample(statements, rng.randrange(1, 4)))


def _predicate(rng: random.Random, depth: int = 0) -> Any:
    if depth < 2 and rng.random() < 0.5:
        return (
            {rng.choice(("$all", "$any")): [_predicate(rng, depth + 1) for _ in range(rng.randrange(3))]}
            if rng.random() < 0.7
            else {"$not": _predicate(rng, depth + 1)}
        )
    return rng.choice(
        (
            {"kind": "Component"},
            {"metadata.name": {"$hasPrefix": "N1"}},
            {"spec.type": {"$in": ["service", "library"]}},
            {"metadata.tags": {"$hasPrefix": "j"}},
            {"metadata.labels.tier": {"$exists": False}},
            {"metadata.title": {"$exists": True}},
            {"relations": {"$contains": {"type": "dependsOn", "targetRef": "resource:default/r2"}}},
            {"metadata.namespace": "other"},
        )
    )


def _query(rng: random.Random) -> listing.Query:
    return listing.Query(
        tuple(_filter(rng) for _ in range(rng.randrange(3))),
        _predicate(rng) if rng.random() < 0.5 else None,
        rng.choice(("", "", "art", "n1")),
        rng.choice(((), ("metadata.title", "metadata.name"))),
        rng.choice(SORTS),
        rng.random() < 0.5,
        numeric=rng.random() < 0.4,
    )


def _walk(conn: Any, query: listing.Query, scope: ColumnElement[bool], view: View | None, size: int) -> list[Any]:
    """Every page forwards, then back again to the first."""
    pages: list[Any] = []
    page = listing.page(conn, query, scope, limit=size, view=view)
    while True:
        pages.append((page.total, [orjson.loads(item)["metadata"]["uid"] for item in page.items]))
        if page.next_cursor is None or len(pages) > 20:
            break
        page = listing.page(conn, listing.decode(page.next_cursor), scope, limit=size, view=view)
    while page.previous_cursor is not None and len(pages) < 40:
        page = listing.page(conn, listing.decode(page.previous_cursor), scope, limit=size, view=view)
        pages.append([orjson.loads(item)["metadata"]["uid"] for item in page.items])
    return pages


def _apply(platform: Platform, documents: list[SourcedEntity], *, full: bool = False) -> None:
    ctx = platform.system("test")
    platform.store.write(lambda tx: service.apply_entities(tx, ctx, documents, "test", full=full))


def _remove(platform: Platform, name: str) -> None:
    refs = [f"{kind}:{space}/{name}" for kind in ("component", "api", "resource") for space in ("default", "other")]
    there = next(ref for ref in refs if service.get_entity(platform, ref) is not None)
    ctx = platform.system("test")
    platform.store.write(lambda tx: service.delete_entity(tx, ctx, there))


@pytest.fixture
def platform(tmp_path: Path, database_url: str) -> Iterator[Platform]:
    made = _platform(tmp_path, database_url)
    yield made
    close_platform(made)


def _platform(folder: Path, database_url: str) -> Platform:
    loaded = load_settings({}, {"data": folder / "data", "port": 0, "database_url": database_url})
    return build_platform(loaded, plugins=(), features=[ACCESS, CATALOG])


def _same(platform: Platform, rng: random.Random, count: int) -> None:
    keys = ("kind", "metadata.tags", "spec.type", "metadata.labels.tier", "metadata.title", "relations.ownedBy")
    for _ in range(count):
        query, size = _query(rng), rng.randrange(1, 12)
        owners = frozenset({"group:default/checkout"})
        scope = filters.visible_to(rng.choice((Scope(everything=True), Scope(owners=owners), NOTHING)))
        with index_of(platform).reading() as (conn, view):
            assert view is not None
            assert _walk(conn, query, scope, view, size) == _walk(conn, query, scope, None, size), query
            assert listing.ids(conn, query, scope, view) == listing.ids(conn, query, scope), query
            offset = rng.randrange(30)
            pages = [listing.page(conn, query, scope, limit=5, offset=offset, view=one) for one in (view, None)]
            assert pages[0] == pages[1], query
            assert listing.facets(conn, keys, query, scope, view) == listing.facets(conn, keys, query, scope), query


def test_every_answer_is_sqls_while_entities_come_change_and_go(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "BLOCK", 7)
    monkeypatch.setattr("taxiway.features.catalog.repository.parts.MANY_FROM", 5)
    rng = random.Random(4)
    names = [f"n{number}" for number in range(60)]
    _apply(platform, [_document(rng, name) for name in names])
    _same(platform, rng, 25)
    for _ in range(12):
        _apply(platform, [_document(rng, name) for name in rng.sample(names, 8)])
        new = [f"m{len(names)}-{number}" for number in range(rng.choice((1, 6)))]
        names += new
        _apply(platform, [_document(rng, name) for name in new])
        if rng.random() < 0.3:
            _remove(platform, names.pop())
        _same(platform, rng, 3)
    _apply(platform, [_document(rng, name) for name in names[:20]], full=True)
    _same(platform, rng, 10)


def test_an_index_that_was_away_too_long_is_made_anew(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(5)
    _apply(platform, [_document(rng, f"n{number}") for number in range(20)])
    _same(platform, rng, 2)
    monkeypatch.setattr("taxiway.features.catalog.repository.index.feed.KEPT", 3)
    monkeypatch.setattr("taxiway.features.catalog.repository.index.state.MAX_BEHIND", 5)
    monkeypatch.setattr("taxiway.features.catalog.repository.parts.MANY_FROM", 1000)
    _apply(platform, [_document(rng, f"k{number}") for number in range(20)])
    _same(platform, rng, 5)


def test_a_second_process_and_a_restart_see_every_commit(tmp_path: Path, database_url: str) -> None:
    rng = random.Random(6)
    first, second = _platform(tmp_path, database_url), _platform(tmp_path, database_url)
    for number in range(15):
        writer, reader = (first, second) if number % 2 else (second, first)
        _apply(writer, [_document(rng, f"n{number}"), _document(rng, f"n{rng.randrange(number + 1)}")])
        with index_of(reader).reading() as (_, view):
            assert view is not None
            assert f"n{number}" in {ref.rpartition("/")[2] for ref in view.state.refs.values()}
        _same(reader, rng, 2)
    close_platform(second)
    _apply(first, [_document(rng, "while-away")])
    again = _platform(tmp_path, database_url)
    _same(again, rng, 5)
    close_platform(again)
    close_platform(first)


def test_readers_never_see_half_of_a_change(platform: Platform) -> None:
    rng = random.Random(7)
    documents = [_document(rng, f"n{number}") for number in range(30)]
    _apply(platform, documents)
    stop, wrong = threading.Event(), []

    def read() -> None:
        ctx = platform.system("test")
        while not stop.is_set():
            page = service.query.page_of_entities(ctx, listing.Query(("metadata.labels.pair",)), limit=100)
            if page.total != len(page.items) or page.total % 2:
                wrong.append((page.total, len(page.items)))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(30):
        pair = [_document(rng, f"pair-{number}-{side}") for side in "ab"]
        for item in pair:
            item.document["metadata"]["labels"] = {"pair": "yes"}
        _apply(platform, pair)
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []


def test_counts_and_facets_are_only_of_what_the_caller_may_see(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(8)
    _apply(server.platform, [_document(rng, f"n{number}") for number in range(40)])
    scopes = {"limited": Scope(owners=frozenset({"group:default/checkout"})), "none": NOTHING}
    real = type(server.platform.system("x")).scope
    chosen = "limited"
    monkeypatch.setattr(
        "taxiway.core.context.OpContext.scope",
        lambda ctx, name: scopes[chosen] if name == "catalog.entity.read" else real(ctx, name),
    )
    with server.client(server.token("viewer", "user:default/vera")) as client:
        shown = _entities(client)
        assert shown
        assert {item["spec"]["owner"] for item in shown} == {"checkout"}
        counted = client.get("/api/catalog/entities/by-query", params={"limit": 0}).json()["totalItems"]
        assert counted == len(shown)
        facets = client.get("/api/catalog/entity-facets", params={"facet": ["spec.owner", "kind"]}).json()["facets"]
        assert facets["spec.owner"] == [{"value": "checkout", "count": len(shown)}]
        assert sum(value["count"] for value in facets["kind"]) == len(shown)
        chosen = "none"
        assert _entities(client) == []
        empty = client.get("/api/catalog/entity-facets", params={"facet": ["kind", "relations.ownedBy"]}).json()
        assert empty == {"facets": {"kind": [], "relations.ownedBy": []}}


def _entities(client: httpx.Client) -> list[Any]:
    items: list[Any] = client.get("/api/catalog/entities/by-query", params={"limit": 500}).json()["items"]
    return items


def test_an_index_is_made_beside_the_requests_of_a_large_catalog(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(9)
    _apply(platform, [_document(rng, f"n{number}") for number in range(20)])
    monkeypatch.setattr("taxiway.features.catalog.repository.index.catalog_index.AT_ONCE", 5)
    with index_of(platform).reading() as (conn, view):
        assert view is None
        assert listing.page(conn, listing.Query(), true(), limit=50, view=view).total == 20
    assert index_of(platform).wait(5)
    _same(platform, rng, 3)


def test_an_index_that_others_committed_beside_is_not_taken_for_new(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, index = random.Random(10), index_of(platform)
    begun, go_on = threading.Event(), threading.Event()

    def slow(conn: Any) -> State:
        made = State(conn)
        begun.set()
        go_on.wait(5)
        return made

    monkeypatch.setattr(catalog_index, "AT_ONCE", 0)
    monkeypatch.setattr(catalog_index, "State", slow)
    _apply(platform, [_document(rng, "early")])
    with index.reading() as (_, view):
        assert view is None
    assert begun.wait(5)
    _apply(platform, [_document(rng, "late")])
    with index.reading() as (_, view):
        assert view is None
    go_on.set()
    assert index.wait(5)
    with index.at_once() as view:
        assert view is None or len(view.state.refs) == 2
