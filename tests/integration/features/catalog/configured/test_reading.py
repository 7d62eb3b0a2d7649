"""Configured sources are read in runs, part by part: what did not change is not read again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from factories.catalog import component
from factories.scripted_source import API, SOURCES, Read, Script, names, told_of
from factories.served import served
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.catalog.service import configured, sourcing
from taxiway.features.catalog.service.apply import Judged, apply_judged
from taxiway.model.errors import InputError
from taxiway.plugin import SourceItem, SourcePart, SourceRequest


def test_a_source_is_read_in_a_run_and_what_did_not_change_is_not_read_again(
    admin: httpx.Client, script: Script, read: Read
) -> None:
    text = component("orders") + "---\nkind: Location\napiVersion: backstage.io/v1alpha1\nmetadata: {name: more}\n"
    script.repositories = {
        "shop": {"catalog-info.yaml": text + "spec: {target: ./more.yaml}\n", "more.yaml": component("stock")},
        "web": {"catalog-info.yaml": component("portal")},
    }
    script.people = ["payments"]
    first = read()
    assert (first["state"], first["created"], first["parts_read"]) == ("succeeded", 5, 3)
    assert names(admin) == ["orders", "portal", "stock"]
    assert names(admin, "group") == ["payments"]
    assert (script.requests[0].cursor, script.requests[0].options.token) == (None, "env:TOKEN")
    second = read()
    assert (second["parts_unchanged"], script.read_parts, script.requests[1].cursor) == (2, [], {"at": 1})
    script.repositories["web"] = {"catalog-info.yaml": component("portal", extra="  system: shop\n")}
    assert read()["updated"] == 1
    told = told_of(admin)
    assert (told["state"], told["type"], told["entities"], told["every_seconds"]) == ("ok", "script", 5, 1800)
    assert told["last_run"]["state"] == "succeeded"
    portal = admin.get(f"{API}/entities/by-name/component/default/portal").json()
    assert portal["metadata"]["annotations"]["backstage.io/managed-by-location"] == (
        "url:https://forge.example/web/catalog-info.yaml"
    )


def test_a_reading_that_ends_early_removes_nothing_and_is_told(admin: httpx.Client, script: Script, read: Read) -> None:
    script.repositories = {name: {"catalog-info.yaml": component(name)} for name in ("a", "b", "c")}
    read()
    script.repositories = {"d": {"catalog-info.yaml": component("d")}}
    script.fails = InputError("the forge refused the credential: renew it")
    ended = read()
    assert ended["state"] == "failed"
    assert names(admin) == ["a", "b", "c", "d"]
    told = told_of(admin)
    assert (told["state"], told["detail"]) == ("failed", "the forge refused the credential: renew it")
    script.fails = KeyError("full_name")
    assert read()["state"] == "failed"
    told = told_of(admin)
    assert told["state"] == "failed"
    assert "'script' failed (KeyError): see the log of run" in told["detail"], "a plugin's own fault is told too"
    script.fails = None
    assert read()["orphaned"] == 3


def test_an_entity_that_somebody_deleted_comes_back_with_the_next_reading(
    admin: httpx.Client, script: Script, read: Read
) -> None:
    script.repositories = {name: {"catalog-info.yaml": component(name)} for name in ("a", "b")}
    read()
    uid = admin.get(f"{API}/entities/by-name/component/default/a").json()["metadata"]["uid"]
    assert admin.delete(f"{API}/entities/by-uid/{uid}").status_code == 204
    assert names(admin) == ["b"]
    assert read()["created"] == 1
    assert script.read_parts == ["a"], "only the part that it is in is read again"
    assert names(admin) == ["a", "b"]


def test_a_kind_that_is_declared_while_a_source_is_read_counts_for_the_rest_of_it(
    admin: httpx.Client, script: Script, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reading(request: SourceRequest) -> Iterator[SourceItem]:
        for item in Script.read(script, request):
            if isinstance(item, SourcePart) and item.key == "a":
                spec = {"apiVersions": ["example.com/v1"], "plural": "Robots", "schema": {"type": "object"}}
                kind = {"apiVersion": "taxiway.dev/v1", "kind": "Kind", "metadata": {"name": "Robot"}, "spec": spec}
                admin.post(f"{API}/v1/push/kinds", content=json.dumps(kind)).raise_for_status()
            yield item

    monkeypatch.setattr(sourcing, "BATCH", 1)
    monkeypatch.setattr(script, "read", reading)
    robot = "apiVersion: example.com/v1\nkind: Robot\nmetadata: {name: marvin}\nspec: {}\n"
    script.repositories = {"a": {"catalog-info.yaml": component("a")}, "z": {"catalog-info.yaml": robot}}
    assert read()["problems"] == 0
    assert names(admin, "robot") == ["marvin"]


def test_what_is_removed_while_it_is_read_brings_nothing_any_more(
    admin: httpx.Client, script: Script, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reading(request: SourceRequest) -> Iterator[SourceItem]:
        for item in Script.read(script, request):
            if isinstance(item, SourcePart) and item.key == "b":
                assert names(admin) == ["a"]
                admin.delete(f"{SOURCES}/forge").raise_for_status()
            yield item

    monkeypatch.setattr(sourcing, "BATCH", 1)
    monkeypatch.setattr(script, "read", reading)
    script.repositories = {name: {"catalog-info.yaml": component(name)} for name in ("a", "b", "c")}
    ended = read()
    assert (ended["state"], "was removed while it was read" in str(ended["error"])) == ("failed", True)
    assert (names(admin), told_of(admin)["state"]) == ([], "new")


def test_a_source_that_is_not_set_up_right_is_told_and_costs_nothing_else(tmp_path: Path) -> None:
    catalog = {"sources": [{"name": "odd", "type": "nowhere"}]}
    with served(tmp_path / "data", features=[ACCESS, CATALOG], catalog=catalog) as running:
        configured.start_new(running.platform)
        with running.client(running.token()) as client:
            assert client.get(SOURCES).json()["items"][-1]["state"] == "new"
        with pytest.raises(InputError, match="no plugin reads"):
            configured.opened(running.platform, configured.named(running.platform, "odd"))
    for sources, wrong in (
        ([{"name": "a", "type": "x"}, {"name": "a", "type": "y"}], "two sources"),
        ([{"name": "a", "type": "x", "token": "ghp_plain"}], "name the credential"),
        ([{"name": "A b", "type": "x"}], "pattern"),
    ):
        with pytest.raises(InputError, match=wrong) as refused, served(tmp_path / "x", catalog={"sources": sources}):
            pass
        assert "ghp_plain" not in refused.value.detail


def test_a_large_part_is_written_piece_by_piece_and_comes_to_the_same(
    admin: httpx.Client, script: Script, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def counted(tx: Any, ctx: Any, judged: Judged, *given: Any, **more: Any) -> Any:
        sizes.append(len(judged.records))
        return apply_judged(tx, ctx, judged, *given, **more)

    monkeypatch.setattr(sourcing, "BATCH", 2)
    monkeypatch.setattr(sourcing, "apply_judged", counted)
    text = "---\n".join(component(f"c{number}") for number in range(5))
    script.repositories = {"large": {"catalog-info.yaml": text}, "small": {"catalog-info.yaml": component("c1")}}
    first = read()
    assert (first["created"], first["problems"], max(sizes)) == (5, 1, 2)
    [problem] = admin.get(f"{API}/problems").json()["items"]
    assert (problem["code"], problem["ref"]) == ("duplicate", "component:default/c1")
    second = read()
    assert (second["parts_unchanged"], second["parts_read"], second["problems"]) == (1, 1, 1), (
        "a faulty one is read again"
    )
    script.repositories = {
        "large": {"catalog-info.yaml": component("c4")},
        "small": {"catalog-info.yaml": "# nothing\n"},
    }
    assert read()["orphaned"] == 4
    assert admin.get(f"{API}/problems").json()["items"] == []
