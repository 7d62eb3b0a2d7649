"""What a configured source does not name any more: an orphan, or too much at once, which waits for review."""

from __future__ import annotations

import httpx
import pytest

from factories.catalog import component
from factories.scripted_source import API, SOURCES, Read, Script, names, told_of
from factories.served import Served
from taxiway.cli.main import run
from taxiway.features.catalog.service import removals


def test_what_leaves_becomes_an_orphan_and_goes_after_a_week_and_comes_back_whole(
    server: Served, admin: httpx.Client, script: Script, read: Read
) -> None:
    script.repositories = {name: {"catalog-info.yaml": component(name)} for name in ("a", "b", "c")}
    read()
    before = admin.get(f"{API}/entities/by-name/component/default/a").json()
    kept = script.repositories.pop("a")
    assert read()["orphaned"] == 1
    orphan = admin.get(f"{API}/entities/by-name/component/default/a").json()
    assert orphan["metadata"]["annotations"]["backstage.io/orphan"] == "true"
    assert told_of(admin)["orphans"] == 1
    script.repositories["a"] = kept
    read()
    back = admin.get(f"{API}/entities/by-name/component/default/a").json()
    assert back["metadata"]["annotations"] == before["metadata"]["annotations"]
    del script.repositories["a"]
    read()
    assert removals.remove_old_orphans(server.platform) == 0
    server.platform.store.write(
        lambda tx: tx.conn.exec_driver_sql("UPDATE catalog_orphan SET since_at = since_at - 7 * 86400000000")
    )
    assert removals.remove_old_orphans(server.platform) == 1
    assert names(admin) == ["b", "c"]


def test_too_much_at_once_waits_for_review(
    server: Served,
    admin: httpx.Client,
    script: Script,
    read: Read,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    everything = {f"r{n}": {"catalog-info.yaml": component(f"r{n}")} for n in range(60)}
    script.repositories = dict(everything)
    read()
    script.repositories = {}
    ended = read()
    assert (ended["state"], ended["held"], ended["orphaned"]) == ("succeeded", 60, 0)
    assert len(names(admin)) == 60
    script.repositories = dict(list(everything.items())[13:])
    assert read()["held"] == 13, "more than a fifth"
    assert (told_of(admin)["state"], told_of(admin)["held"]) == ("held", 13)
    held = admin.get(f"{SOURCES}/forge/held?limit=5").json()
    assert len(held["items"]) == 5
    assert held["next_cursor"]
    monkeypatch.setenv("TAXIWAY_URL", server.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", server.token())
    assert run(["catalog", "sources", "review", "forge"]) == 0
    assert "component:default/r0" in capsys.readouterr().out
    assert run(["catalog", "sources", "review", "forge", "--remove"]) == 0
    assert len(names(admin)) == 47
    assert told_of(admin)["state"] == "ok"
    assert admin.post(f"{SOURCES}/forge/review", json={"decision": "remove"}).status_code == 409
    script.repositories = dict(list(everything.items())[22:])
    assert read()["orphaned"] == 9, "up to a fifth, and up to ten, go unasked"
    with server.client(server.token("developer")) as developer:
        assert developer.post(f"{SOURCES}/forge/review", json={"decision": "keep"}).status_code == 403


def test_removing_a_source_is_immediate(admin: httpx.Client, script: Script, read: Read) -> None:
    script.repositories = {"a": {"catalog-info.yaml": component("a")}}
    read()
    assert admin.delete(f"{SOURCES}/forge").json() == {"removed": 1, "kept": 0}
    for answer in (admin.delete(f"{SOURCES}/forge"), admin.get(f"{SOURCES}/forge/held")):
        assert (answer.status_code, answer.json()["code"]) == (404, "catalog.no_source")
    assert names(admin) == []
