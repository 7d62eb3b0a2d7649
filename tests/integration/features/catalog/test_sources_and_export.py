"""What the catalog reads from, and everything it holds as lines, by API and by command."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from factories.catalog import component
from factories.served import Served
from taxiway.cli.main import run
from taxiway.features.catalog.service import locations

API = "/api/catalog"
FORMULA = component("evil").replace("description: The evil of the shop", "title: '=1+2'\n  description: 'a,\"b\"'")


@pytest.fixture
def filled(server: Served, admin: httpx.Client, publish: Any, monkeypatch: pytest.MonkeyPatch) -> httpx.Client:
    """Two sources; the second has a conflict, and a document that is not valid."""
    publish("shop", {"catalog-info.yaml": component("orders") + "---\n" + FORMULA})
    thief = component("orders") + "---\n" + component("never").replace("type: service", "type: 3")
    publish("thief", {"catalog-info.yaml": thief}, owner="group:default/thieves")
    for name in ("shop", "thief"):
        assert admin.post(f"{API}/locations", json={"type": "git", "target": f"{name}//"}).status_code == 201
    monkeypatch.setenv("TAXIWAY_URL", server.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", server.token("viewer", "user:default/vera"))
    return admin


def test_sources_tell_what_they_came_to(
    filled: httpx.Client, server: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    items = filled.get(f"{API}/v1/sources").json()["items"]
    told = [(i["target"], i["owner"], i["entities"], i["problems"], i["conflicts"], i["trusted"]) for i in items]
    assert told == [
        ("shop//", "group:default/checkout", 3, 0, 0, False),
        ("thief//", "group:default/thieves", 1, 2, 1, False),
    ]
    assert all(item["refreshed_at"] and item["changed_at"] and len(item["commit"]) == 40 for item in items)
    first = filled.get(f"{API}/v1/sources", params={"limit": 1}).json()
    second = filled.get(f"{API}/v1/sources", params={"cursor": first["next_cursor"]}).json()
    assert [*first["items"], *second["items"]] == items
    assert filled.get(f"{API}/v1/sources", params={"text": "THIEF/"}).json()["items"] == items[1:]
    assert filled.get(f"{API}/v1/sources", params={"text": "th_ef"}).json()["items"] == []
    assert filled.get(f"{API}/v1/sources/{items[1]['id']}").json() == {**items[1], "last_run": None}
    assert filled.get(f"{API}/v1/sources/nope").status_code == 404
    run_id = filled.post(f"{API}/v1/locations/{items[1]['id']}/ingest").json()["run_id"]
    assert filled.get(f"{API}/v1/sources/{items[1]['id']}").json()["last_run"] == {"id": run_id, "state": "queued"}
    assert run(["catalog", "sources"]) == 0
    assert "thief//" in capsys.readouterr().out
    assert run(["catalog", "unregister", "git:thief//"]) == 4  # as a viewer
    assert "catalog.location.delete" in capsys.readouterr().err
    assert run(["catalog", "unregister", "git:shop"]) == 1
    assert "no location is registered as git:shop" in capsys.readouterr().err
    monkeypatch.setenv("TAXIWAY_TOKEN", server.token("admin"))
    assert run(["catalog", "unregister", "git:thief//"]) == 0
    assert "with 1 entity" in capsys.readouterr().err
    assert [i["target"] for i in filled.get(f"{API}/v1/sources").json()["items"]] == ["shop//"]
    monkeypatch.setattr(locations, "AT_ONCE", 0)  # so that a run takes it in
    assert run(["catalog", "register", "thief//", "--type", "git", "--output", "json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == []
    assert "taxiway runs watch" in said.err


def test_everything_comes_out_as_lines(filled: httpx.Client) -> None:
    answer = filled.get(f"{API}/v1/export")
    assert answer.headers["content-type"] == "application/x-ndjson"
    documents = [json.loads(line) for line in answer.text.splitlines()]
    assert documents == filled.get(f"{API}/entities").json()
    some = filled.get(f"{API}/v1/export", params={"filter": "kind=component", "fields": "metadata.name,spec.owner"})
    assert [json.loads(line) for line in some.text.splitlines()] == [
        {"metadata": {"name": "evil"}, "spec": {"owner": "checkout"}},
        {"metadata": {"name": "orders"}, "spec": {"owner": "checkout"}},
    ]


def test_a_question_that_is_wrong_is_refused_before_the_first_line(filled: httpx.Client) -> None:
    for wrong in (
        {"filter": "=x"},
        {"fields": "a[0]"},
        {"as_of": "soon"},
        {"as_of": 1, "format": "csv"},
        {"format": "x"},
    ):
        answer = filled.get(f"{API}/v1/export", params=wrong)
        assert answer.status_code == 422, wrong
        assert answer.headers["content-type"] == "application/problem+json"


def test_tables_hold_no_formulas(filled: httpx.Client) -> None:
    answer = filled.get(f"{API}/v1/export", params={"format": "csv", "filter": "kind=component"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="catalog.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["metadata.name"] for row in rows] == ["evil", "orders"]
    assert (rows[0]["metadata.title"], rows[0]["metadata.description"]) == ("'=1+2", 'a,"b"')
    assert (rows[1]["metadata.tags"], rows[1]["spec.system"], rows[1]["kind"]) == ("python", "", "Component")
    paths = "metadata.annotations.backstage.io/managed-by-origin-location,relations"
    chosen = filled.get(f"{API}/v1/export", params={"format": "csv", "filter": "metadata.name=orders", "fields": paths})
    (row,) = csv.reader(io.StringIO(chosen.text.split("\n", 1)[1]))
    assert row[0] == "git:shop//"
    assert json.loads(row[1])[0]["type"] == "ownedBy"


def test_the_catalog_of_a_time_can_be_exported(filled: httpx.Client, server: Served) -> None:
    then = server.platform.clock.now()
    filled.delete(f"{API}/locations/{filled.get(f'{API}/locations').json()[0]['data']['id']}")
    wanted = {"filter": "kind=component", "fields": "metadata.name"}
    assert filled.get(f"{API}/v1/export", params=wanted).text == ""
    lines = filled.get(f"{API}/v1/export", params={**wanted, "as_of": then}).text.splitlines()
    assert [json.loads(line)["metadata"]["name"] for line in lines] == ["evil", "orders"]


def test_commands_write_exports_and_histories(
    filled: httpx.Client, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    target = tmp_path / "out.csv"
    assert run(["catalog", "export", "--format", "csv", "--filter", "kind=component", "--file", str(target)]) == 0
    assert len(target.read_text().splitlines()) == 3
    assert run(["catalog", "export", "--fields", "kind"]) == 0
    assert capfd.readouterr().out.splitlines()[0] == '{"kind":"Component"}'
    assert run(["api", "catalog.export", "--format", "csv"]) == 0
    assert capfd.readouterr().out.startswith("kind,metadata.namespace")
    assert run(["catalog", "history", "orders"]) == 0
    table = capfd.readouterr().out
    assert "created" in table
    assert "user:default/tester" in table
    assert run(["catalog", "history", "orders", "--at", "2001-01-01T00:00:00Z"]) == 2
    assert "history is kept" in capfd.readouterr().err
