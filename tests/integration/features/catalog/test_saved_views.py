"""Saved views: who sees and changes which, and what each shows, by API and by command; columns of declared kinds."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from factories.served import Served, served
from taxiway.cli.main import run
from taxiway.core.store.tables import event
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.catalog.service import saved_views
from taxiway.features.catalog.service.properties import compute_pending
from taxiway.model.access import Role

VIEWS = "/api/catalog/v1/views"
GROUPS = {"user:default/ann": "group:default/red", "user:default/bob": "group:default/red"}
Document = dict[str, Any]


def _entity(of: str, name: str, version: str = "backstage.io/v1alpha1", **spec: Any) -> Document:
    return {"apiVersion": version, "kind": of, "metadata": {"name": name}, "spec": spec}


def _component(name: str, system: str, lifecycle: str = "production") -> Document:
    return _entity("Component", name, type="service", lifecycle=lifecycle, owner="red", system=system)


PROPERTIES = [
    {"name": "parts", "title": "Parts", "aggregate": {"path": ["hasPart"], "function": "count"}},
    {"name": "size", "cel": "properties.parts > 1 ? 'big' : 'small'"},
]
DEPOT = {
    "type": "object",
    "properties": {
        "opened": {"type": "string", "format": "date"},
        "slots": {"type": "integer"},
        "map": {"type": "object"},
    },
}
DOCUMENTS = [
    _entity("KindExtension", "systems", "taxiway.dev/v1", kind="System", properties=PROPERTIES),
    _entity(
        *("Kind", "Depot", "taxiway.dev/v1"),
        apiVersions=["example.com/v1"],
        schema=DEPOT,
        columns=[{"title": "Since", "path": "spec.opened"}, {"title": "Rank", "path": "properties.rank"}],
        properties=[{"name": "rank", "type": "integer", "cel": "1"}],
    ),
    _entity("Depot", "north", "example.com/v1", opened="2020-01-31", slots=4),
    *(_entity("System", name, owner="red") for name in ("shop", "desk")),
    _component("cart", "shop"),
    _component("till", "shop", "experimental"),
    _component("pen", "desk"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("data"), features=[ACCESS, CATALOG]) as running:
        running.platform.groups_of = lambda subject: frozenset({GROUPS[subject]} if subject in GROUPS else ())
        body = "\n".join(json.dumps(document) for document in DOCUMENTS)
        answer = running.client(running.token()).post("/api/catalog/v1/push/one", content=body)
        assert answer.json()["problems"] == []
        compute_pending(running.platform.system("catalog"))
        yield running


def _as(server: Served, name: str, role: Role = "developer") -> httpx.Client:
    return server.client(server.token(role, f"user:default/{name}"))


def _create(client: httpx.Client, name: str, **body: Any) -> Document:
    answer = client.post(VIEWS, json={"name": name, "title": name.title(), **body})
    assert answer.status_code == 201, answer.text
    made: Document = answer.json()
    return made


def _refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def _names(client: httpx.Client, **query: str) -> list[str]:
    return [item["name"] for item in client.get(VIEWS, params=query).json()["items"]]


def test_a_view_is_its_owners_until_it_is_shown_to_others(server: Served) -> None:
    ann, bob, eve = (_as(server, name) for name in ("ann", "bob", "eve"))
    boss = _as(server, "boss", "platform")
    mine = _create(ann, "mine", kind="Component", filters=["spec.lifecycle=production"])
    ours = _create(ann, "ours", owner="red", text="cart")
    assert (mine["owner"], mine["kind"], ours["owner"]) == ("user:default/ann", "component", "group:default/red")
    assert (_names(ann), _names(bob), _names(eve), _names(boss)) == (["mine", "ours"], ["ours"], [], [])
    for client in (bob, eve, boss, _as(server, "root", "admin")):
        for method, path in (("GET", ""), ("GET", "/entities"), ("DELETE", ""), ("PUT", "/default")):
            assert _refused(client.request(method, f"{VIEWS}/{mine['id']}{path}")) == (404, "catalog.no_view")
        assert _refused(client.put(f"{VIEWS}/mine", json={"name": "x", "title": "X"})) == (404, "catalog.no_view")
    assert _refused(eve.post(VIEWS, json={"name": "x", "title": "X", "owner": "red"}))[0] == 403
    assert _refused(ann.post(VIEWS, json={"name": "x", "title": "X", "visible_to": "everybody"}))[0] == 403
    assert _refused(ann.put(f"{VIEWS}/mine", json={**_said(mine), "visible_to": "everybody"}))[0] == 403
    shown = _create(boss, "shown", visible_to="everybody", kind="System")
    viewer = _as(server, "vic", "viewer")
    assert _names(viewer) == ["shown"]
    assert [_refused(one) for one in (
        viewer.put(f"{VIEWS}/shown", json=_said(shown)), viewer.delete(f"{VIEWS}/shown"), ann.delete(f"{VIEWS}/shown")
    )] == [(403, "not_allowed.catalog.view.edit")] * 3  # fmt: skip
    assert ann.get(f"{VIEWS}/shown").json()["may_edit"] is False
    bobs = bob.put(f"{VIEWS}/ours", json={**_said(ours), "title": "Ours, too"}, headers={"if-match": '"1"'})
    assert (bobs.json()["title"], bobs.headers["etag"]) == ("Ours, too", '"2"')
    late = ann.put(f"{VIEWS}/ours", json=_said(ours), headers={"if-match": '"1"'})
    assert _refused(late) == (412, "precondition.version")
    assert [ann.delete(f"{VIEWS}/{one}").status_code for one in ("mine", "ours")] == [204, 204]
    assert boss.delete(f"{VIEWS}/shown").status_code == 204


def _said(view: Document) -> Document:
    kept = ("name", "title", "owner", "visible_to", "kind", "filters", "query", "text", "columns", "sort")
    return {key: view[key] for key in kept}


def test_a_name_means_the_nearest_view(server: Served) -> None:
    ann, root = _as(server, "ann"), _as(server, "root", "admin")
    everybodys = _create(root, "nearest", visible_to="everybody")
    assert ann.get(f"{VIEWS}/nearest").json()["id"] == everybodys["id"]
    _create(ann, "nearest", owner="red")
    mine = _create(ann, "nearest")
    assert ann.get(f"{VIEWS}/nearest").json()["id"] == mine["id"]
    assert _names(ann, name="nearest") == ["nearest"] * 3
    assert _refused(ann.post(VIEWS, json={"name": "nearest", "title": "x"})) == (409, "catalog.view_name")
    _create(_as(server, "boss", "platform"), "nearest", visible_to="everybody")
    assert _refused(_as(server, "vic", "viewer").get(f"{VIEWS}/nearest")) == (409, "catalog.which_view")
    assert ann.get(VIEWS, params={"limit": 1, "name": ""}).status_code == 200


def _nested(levels: int) -> Document:
    return {"$not": _nested(levels - 1)} if levels else {"kind": "x"}


def test_what_could_not_be_listed_is_refused(server: Served) -> None:
    ann = _as(server, "ann")
    for wrong, code in (
        ({"filters": ["=x"]}, "catalog.bad_filter"),
        ({"query": {"$or": []}}, "catalog.bad_query"),
        ({"query": {"kind": {"$in": ["x" * 100] * 200}}}, "catalog.view_too_large"),
        ({"query": {"spec.x": 10**400}}, "input.invalid"),
        ({"query": {"spec.x": "\ud800"}}, "input.invalid"),
        ({"query": {"spec.x": float("nan")}}, "input.invalid"),
        ({"query": _nested(300)}, "catalog.bad_query"),
        ({"sort": "asc,desc"}, "catalog.bad_order"),
        ({"columns": ["password"]}, "catalog.bad_column"),
        ({"owner": "component:default/cart"}, "catalog.bad_view_owner"),
        ({"name": "Not A Name"}, "input.invalid"),
    ):
        body = json.dumps({"name": "x", "title": "X", **wrong})
        answer = ann.post(VIEWS, content=body, headers={"content-type": "application/json"})
        assert _refused(answer) == (422, code), wrong
    assert _refused(ann.get(VIEWS, params={"cursor": "x"})) == (422, "input.cursor")


def test_an_owner_has_no_more_views_than_is_told(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_views, "MOST", 1)
    dee = _as(server, "dee")
    server.platform.groups_of = lambda subject: frozenset({"group:default/teal"})
    mine = _create(dee, "one")
    too_many = (409, "catalog.too_many_views")
    assert _refused(dee.post(VIEWS, json={"name": "two", "title": "Two"})) == too_many
    _create(dee, "other", owner="teal")
    assert _refused(dee.put(f"{VIEWS}/one", json={**_said(mine), "owner": "teal"})) == too_many
    assert dee.put(f"{VIEWS}/one", json=_said(mine)).status_code == 200


def test_a_view_lists_exports_and_opens_the_catalog(
    server: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAXIWAY_URL", server.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", server.token("developer", "user:default/cleo"))

    def taxiway(*arguments: str) -> str:
        capsys.readouterr()
        code = run(["catalog", *arguments])
        out, err = capsys.readouterr()
        assert code == 0, err
        return out

    columns = ("--column", "properties.parts", "--column", "properties.size", "--column", "running")
    taxiway("views", "create", "sizes", "--kind", "system", *columns, "--sort", "properties.parts,asc,number")
    listed = taxiway("list", "--view", "sizes").split()
    assert listed == ["kind", "name", "parts", "size", "System", "desk", "1", "small", "System", "shop", "2", "big"]
    rows = list(csv.reader(io.StringIO(taxiway("export", "--format", "csv", "--view", "sizes"))))
    assert rows == [
        ["kind", "metadata.name", "properties.parts", "properties.size"],
        *(["System", "desk", "1", "small"], ["System", "shop", "2", "big"]),
    ]
    lifecycle = '{"spec.lifecycle": "experimental"}'
    taxiway("views", "update", "sizes", "--kind", "component", "--query", lifecycle, "--title", "Tried out")
    cleo = _as(server, "cleo")
    page = cleo.get(f"{VIEWS}/sizes/entities", params={"limit": 1}).json()
    assert ([item["metadata"]["name"] for item in page["items"]], page["total"]) == (["till"], 1)
    taxiway("views", "default", "sizes")
    assert [one["is_default"] for one in cleo.get(VIEWS, params={"kind": "component"}).json()["items"]] == [True]
    assert "Tried out" in taxiway("views")
    taxiway("views", "default", "sizes", "--off")
    assert cleo.get(f"{VIEWS}/sizes").json()["is_default"] is False
    assert run(["catalog", "list", "--view", "sizes", "--kind", "api"]) == 2
    both = cleo.get("/api/catalog/v1/export", params={"view": "sizes", "filter": "kind=api"})
    assert _refused(both) == (422, "catalog.filter_and_view")
    taxiway("views", "default", "sizes")
    taxiway("views", "remove", "sizes")
    assert _names(cleo, kind="component") == []
    with server.platform.store.read() as conn:
        told = conn.execute(select(event.c.type, event.c.owner).where(event.c.actor == "user:default/cleo")).all()
    assert {(kind.split(".")[3], owner) for kind, owner in told} == {
        (what, "user:default/cleo") for what in ("created", "updated", "deleted")
    }


def test_numbers_are_sorted_as_numbers_where_a_list_asks_for_it(server: Served) -> None:
    client = server.client(server.token())
    halls = [_entity("Depot", f"hall-{slots}", "example.com/v1", slots=slots) for slots in (9, 10, 100)]
    body = "\n".join(json.dumps(document) for document in [*halls, _entity("Depot", "bare", "example.com/v1")])
    assert client.post("/api/catalog/v1/push/halls", content=body).json()["problems"] == []
    compute_pending(server.platform.system("catalog"))

    def page(order: str) -> list[str]:
        query = {"filter": "kind=depot", "orderField": order}
        items = client.get("/api/catalog/entities/by-query", params=query).json()["items"]
        return [item["metadata"]["name"] for item in items]

    assert page("spec.slots,asc,number") == ["north", "hall-9", "hall-10", "hall-100", "bare"]
    assert page("spec.slots,desc,number") == ["hall-100", "hall-10", "hall-9", "north", "bare"]
    assert page("spec.slots,asc") == ["hall-10", "hall-100", "north", "hall-9", "bare"], "as Backstage does"
    asked = {"query": {"kind": "depot"}, "orderBy": {"field": "spec.slots", "order": "desc", "by": "number"}}
    found = client.post("/api/catalog/entities/by-query", json=asked).json()["items"]
    assert [item["metadata"]["name"] for item in found] == page("spec.slots,desc,number")


def test_computed_values_come_when_they_are_asked_for(server: Served) -> None:
    client = server.client(server.token())
    plain = client.get("/api/catalog/entities/by-query", params={"filter": "kind=system"}).json()["items"]
    assert [item for item in plain if "properties" in item] == []
    query = {"filter": "kind=system", "fields": "metadata.name,properties.parts", "orderField": "metadata.name,asc"}
    asked = client.get("/api/catalog/entities/by-query", params=query).json()["items"]
    assert asked == [
        {"metadata": {"name": "desk"}, "properties": {"parts": 1}},
        {"metadata": {"name": "shop"}, "properties": {"parts": 2}},
    ]


def test_a_kind_tells_which_columns_there_are_and_which_can_be_sorted(server: Served) -> None:
    kinds = {kind["name"]: kind for kind in server.client(server.token()).get("/api/catalog/v1/kinds").json()["items"]}
    told = [(one["path"], one["type"]) for one in kinds["Depot"]["columns"]]
    assert told == [("spec.opened", "date"), ("properties.rank", "integer")]
    assert [(one["title"], one["path"]) for one in kinds["Depot"]["more_columns"]] == [("Slots", "spec.slots")]
    assert [(one["path"], one["type"]) for one in kinds["System"]["more_columns"]][:2] == [
        *(("properties.parts", "integer"), ("properties.size", "string")),
    ]
