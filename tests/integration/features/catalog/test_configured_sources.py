"""Configured sources: read in runs, part by part; what leaves is guarded; webhooks read what changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, ConfigDict

from factories.catalog import component
from factories.served import Served, served
from taxiway.cli.main import run
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.catalog.service import configured, removals
from taxiway.features.catalog.service.kinds import follow_kind
from taxiway.kit.clock import MICROSECONDS, ManualClock
from taxiway.model.errors import InputError, NotAllowedError, NotFoundError
from taxiway.plugin import (
    HookRequest,
    SourcedEntity,
    SourcedTree,
    SourceEnd,
    SourceGone,
    SourceItem,
    SourcePart,
    SourceRequest,
)
from taxiway.worker.main import Worker

API = "/api/catalog"
SOURCES = f"{API}/v1/sources"


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    org: str
    token: str = ""


class Script:
    """A source whose repositories are what the test says: files by path, by name."""

    key = "script"
    options = Options

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, str]] = {}
        self.fails: Exception | None = None
        self.requests: list[SourceRequest] = []
        self.read_parts: list[str] = []
        self.people: list[str] = []

    def read(self, request: SourceRequest) -> Iterator[SourceItem]:
        self.requests.append(request)
        self.read_parts = []
        chosen = [str(hint["name"]) for hint in request.hints] or sorted(self.repositories)
        for name in chosen:
            files = self.repositories.get(name)
            if files is None:
                yield SourceGone(part=name)
                continue
            state = {"digest": str(hash(tuple(files.items())))}
            if request.part(name) == state:
                yield SourcePart(name, same=True)
                continue
            self.read_parts.append(name)
            yield SourcedTree(_Tree(name, files), ["catalog-info.yaml"])
            yield SourcePart(name, state)
        if self.fails:
            raise self.fails
        if self.people and not request.hints:
            for name in self.people:
                yield SourcedEntity(_group(name), f"url:https://forge.example/teams/{name}", vouched=True)
            yield SourcePart("teams")
        yield SourceEnd({"at": 1}, complete=not request.hints)

    def receive(self, request: HookRequest) -> Sequence[dict[str, Any]]:
        if request.headers.get("x-signature") != "right":
            raise NotAllowedError("the signature is wrong")
        return [{"name": json.loads(request.body)["name"]}] if request.body else []


class _Tree:
    state = ""

    def __init__(self, name: str, files: dict[str, str]) -> None:
        self.name, self.files = name, files

    def read(self, path: str) -> bytes:
        if path not in self.files:
            raise NotFoundError(f"there is no file {path}")
        return self.files[path].encode()

    def match(self, pattern: str) -> Sequence[str]:
        return [path for path in self.files if path == pattern]

    def location(self, path: str) -> str:
        return f"url:https://forge.example/{self.name}/{path}"


def _group(name: str) -> dict[str, Any]:
    spec = {"type": "team", "children": []}
    return {"apiVersion": "backstage.io/v1alpha1", "kind": "Group", "metadata": {"name": name}, "spec": spec}


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_700_000_000 * MICROSECONDS)


@pytest.fixture
def server(tmp_path: Path, script: Script) -> Iterator[Served]:
    catalog = {"sources": [{"name": "forge", "type": "script", "every": "30m", "org": "acme", "token": "env:TOKEN"}]}
    with served(tmp_path / "data", features=[ACCESS, CATALOG], catalog=catalog) as running:
        running.platform.registry.add("entity_source", script, "test")
        worker = Worker(running.platform, ())
        worker.start()
        yield running
        worker.stop()


@pytest.fixture
def admin(server: Served) -> Iterator[httpx.Client]:
    with server.client(server.token()) as client:
        yield client


@pytest.fixture
def read(server: Served, admin: httpx.Client) -> Callable[[], dict[str, Any]]:
    def work() -> dict[str, Any]:
        return _ended(server, admin.post(f"{SOURCES}/forge/read").json()["run_id"])

    return work


def _ended(server: Served, run_id: str) -> dict[str, Any]:
    for found in server.platform.runs.follow(run_id):
        del found
    ended = server.platform.runs.get(run_id)
    return {"state": ended.state, "error": ended.error, **(ended.steps[0].output or {})}


def _names(client: httpx.Client, kind: str = "component") -> list[str]:
    return sorted(item["metadata"]["name"] for item in client.get(f"{API}/entities?filter=kind={kind}").json())


def _source(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"{SOURCES}/source:forge").json()
    return found


def test_a_source_is_read_in_a_run_and_what_did_not_change_is_not_read_again(
    admin: httpx.Client, script: Script, read: Callable[[], dict[str, Any]]
) -> None:
    text = component("orders") + "---\nkind: Location\napiVersion: backstage.io/v1alpha1\nmetadata: {name: more}\n"
    script.repositories = {
        "shop": {"catalog-info.yaml": text + "spec: {target: ./more.yaml}\n", "more.yaml": component("stock")},
        "web": {"catalog-info.yaml": component("portal")},
    }
    script.people = ["payments"]
    first = read()
    assert (first["state"], first["created"], first["parts_read"]) == ("succeeded", 5, 3)
    assert _names(admin) == ["orders", "portal", "stock"]
    assert _names(admin, "group") == ["payments"]
    assert (script.requests[0].cursor, script.requests[0].options.token) == (None, "env:TOKEN")
    second = read()
    assert (second["parts_unchanged"], script.read_parts, script.requests[1].cursor) == (2, [], {"at": 1})
    script.repositories["web"] = {"catalog-info.yaml": component("portal", extra="  system: shop\n")}
    assert read()["updated"] == 1
    told = _source(admin)
    assert (told["state"], told["type"], told["entities"], told["every_seconds"]) == ("ok", "script", 5, 1800)
    assert told["last_run"]["state"] == "succeeded"
    portal = admin.get(f"{API}/entities/by-name/component/default/portal").json()
    assert portal["metadata"]["annotations"]["backstage.io/managed-by-location"] == (
        "url:https://forge.example/web/catalog-info.yaml"
    )


def test_others_documents_may_not_bring_people_and_faults_are_told_with_their_line(
    admin: httpx.Client, script: Script, read: Callable[[], dict[str, Any]]
) -> None:
    evil = "---\napiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: admins}\n"
    evil += "spec: {type: t, children: []}\n"
    script.repositories = {"shop": {"catalog-info.yaml": component("orders") + evil + "---\n: [\n"}}
    read()
    assert _names(admin, "group") == []
    problems = admin.get(f"{API}/v1/problems?source_id=source:forge").json()["items"]
    assert {problem["code"] for problem in problems} == {"untrusted", "unreadable"}
    assert all(problem["line"] for problem in problems)
    read()
    assert script.read_parts == ["shop"], "a part with a fault is read again"
    script.repositories["shop"]["catalog-info.yaml"] = component("orders")
    read()
    assert admin.get(f"{API}/v1/problems?source_id=source:forge").json()["items"] == []


def test_a_kind_that_was_not_valid_at_first_is_not_trusted_when_it_is(
    server: Served, admin: httpx.Client, script: Script, read: Callable[[], dict[str, Any]]
) -> None:
    relations = [{"field": "rack", "type": "standsIn", "inverse": "holds", "defaultKind": "Rack"}]
    schema = {"type": "object", "properties": {"rack": {"type": "string"}}}
    spec = {"apiVersions": ["acme.dev/v1"], "plural": "Racks", "schema": schema}
    rack = {"apiVersion": "taxiway.dev/v1", "kind": "Kind", "metadata": {"name": "Rack"}, "spec": spec}
    shelf = {**rack, "metadata": {"name": "Shelf"}, "spec": {**spec, "plural": "Shelves", "relations": relations}}
    script.repositories = {"shop": {"catalog-info.yaml": json.dumps(shelf)}}
    read()
    assert admin.post(f"{API}/v1/push/racks", content=json.dumps(rack)).json()["problems"] == []
    follow_kind(server.platform.system("catalog"), "kind:default/rack")
    [problem] = admin.get(f"{API}/v1/problems?source_id=source:forge").json()["items"]
    assert (problem["ref"], problem["code"]) == ("kind:default/shelf", "untrusted")
    assert "Shelf" not in {kind["name"] for kind in admin.get(f"{API}/v1/kinds").json()["items"]}
    script.repositories["shop"] = {"catalog-info.yaml": component("orders")}
    read()
    assert admin.get(f"{API}/v1/problems?source_id=source:forge").json()["items"] == []


def test_what_a_changed_kind_does_not_allow_is_no_problem_any_more_when_its_file_is_corrected(
    server: Served, admin: httpx.Client, script: Script, read: Callable[[], dict[str, Any]]
) -> None:
    def declare(type_: str) -> None:
        schema = {"type": "object", "properties": {"size": {"type": type_}}}
        spec = {"apiVersions": ["acme.dev/v1"], "plural": "Racks", "schema": schema}
        kind = {"apiVersion": "taxiway.dev/v1", "kind": "Kind", "metadata": {"name": "Rack"}, "spec": spec}
        assert admin.post(f"{API}/v1/push/racks", content=json.dumps(kind)).json()["problems"] == []
        follow_kind(server.platform.system("catalog"), "kind:default/rack")

    def problems() -> list[str]:
        found = admin.get(f"{API}/v1/problems?source_id=source:forge").json()["items"]
        return [problem["ref"] for problem in found]

    rack: dict[str, Any] = {"apiVersion": "acme.dev/v1", "kind": "Rack", "metadata": {"name": "r"}, "spec": {"size": 5}}
    script.repositories = {"shop": {"catalog-info.yaml": json.dumps(rack)}}
    declare("integer")
    read()
    declare("string")
    assert problems() == ["rack:default/r"]
    read()
    assert (problems(), script.read_parts) == (["rack:default/r"], ["shop"]), "it is read again, and told once"
    rack["spec"]["size"] = "5"
    script.repositories = {"shop": {"catalog-info.yaml": json.dumps(rack)}}
    read()
    assert problems() == []


def test_what_leaves_becomes_an_orphan_and_goes_after_a_week_and_comes_back_whole(
    server: Served, admin: httpx.Client, script: Script, read: Callable[[], dict[str, Any]]
) -> None:
    script.repositories = {name: {"catalog-info.yaml": component(name)} for name in ("a", "b", "c")}
    read()
    before = admin.get(f"{API}/entities/by-name/component/default/a").json()
    kept = script.repositories.pop("a")
    assert read()["orphaned"] == 1
    orphan = admin.get(f"{API}/entities/by-name/component/default/a").json()
    assert orphan["metadata"]["annotations"]["backstage.io/orphan"] == "true"
    assert _source(admin)["orphans"] == 1
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
    assert _names(admin) == ["b", "c"]


def test_too_much_at_once_waits_for_review(
    server: Served,
    admin: httpx.Client,
    script: Script,
    read: Callable[[], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    everything = {f"r{n}": {"catalog-info.yaml": component(f"r{n}")} for n in range(60)}
    script.repositories = dict(everything)
    read()
    script.repositories = {}
    ended = read()
    assert (ended["state"], ended["held"], ended["orphaned"]) == ("succeeded", 60, 0)
    assert len(_names(admin)) == 60
    script.repositories = dict(list(everything.items())[13:])
    assert read()["held"] == 13, "more than a fifth"
    assert (_source(admin)["state"], _source(admin)["held"]) == ("held", 13)
    held = admin.get(f"{SOURCES}/forge/held?limit=5").json()
    assert len(held["items"]) == 5
    assert held["next_cursor"]
    monkeypatch.setenv("TAXIWAY_URL", server.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", server.token())
    assert run(["catalog", "sources", "review", "forge"]) == 0
    assert "component:default/r0" in capsys.readouterr().out
    assert run(["catalog", "sources", "review", "forge", "--remove"]) == 0
    assert len(_names(admin)) == 47
    assert _source(admin)["state"] == "ok"
    assert admin.post(f"{SOURCES}/forge/review", json={"decision": "remove"}).status_code == 409
    script.repositories = dict(list(everything.items())[22:])
    assert read()["orphaned"] == 9, "up to a fifth, and up to ten, go unasked"
    with server.client(server.token("developer")) as developer:
        assert developer.post(f"{SOURCES}/forge/review", json={"decision": "keep"}).status_code == 403


def test_a_reading_that_ends_early_removes_nothing_and_is_told(
    admin: httpx.Client, script: Script, read: Callable[[], dict[str, Any]]
) -> None:
    script.repositories = {name: {"catalog-info.yaml": component(name)} for name in ("a", "b", "c")}
    read()
    script.repositories = {"d": {"catalog-info.yaml": component("d")}}
    script.fails = InputError("the forge refused the credential: renew it")
    ended = read()
    assert ended["state"] == "failed"
    assert _names(admin) == ["a", "b", "c", "d"]
    told = _source(admin)
    assert (told["state"], told["detail"]) == ("failed", "the forge refused the credential: renew it")
    script.fails = KeyError("full_name")
    assert read()["state"] == "failed"
    told = _source(admin)
    assert told["state"] == "failed"
    assert "'script' failed (KeyError): see the log of run" in told["detail"], "a plugin's own fault is told too"
    script.fails = None
    assert read()["orphaned"] == 3


def test_a_webhook_reads_what_it_touches(
    server: Served, admin: httpx.Client, script: Script, read: Callable[[], dict[str, Any]]
) -> None:
    script.repositories = {name: {"catalog-info.yaml": component(name)} for name in ("a", "b", "c")}
    read()
    script.repositories["a"] = {"catalog-info.yaml": component("a", extra="  system: shop\n")}
    del script.repositories["b"]
    with server.client() as nobody:
        hook = f"{API}/v1/hooks/forge"
        assert nobody.post(hook, content=b"a").status_code == 403
        assert nobody.post(hook, content=b"a", headers={"x-signature": "wrong"}).status_code == 403
        assert nobody.post(f"{API}/v1/hooks/other", content=b"a", headers={"x-signature": "right"}).status_code == 403
        signed = {"x-signature": "right"}
        assert nobody.post(hook, headers=signed).json() == {"run_id": None}
        for name in ("a", "b"):
            answer = nobody.post(hook, json={"name": name}, headers=signed)
            assert answer.status_code == 202
            assert _ended(server, answer.json()["run_id"])["state"] == "succeeded"
    assert [len(one.hints) for one in script.requests] == [0, 1, 1]
    assert admin.get(f"{API}/entities/by-name/component/default/a").json()["spec"]["system"] == "shop"
    assert _source(admin)["orphans"] == 1


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


def test_an_entity_that_somebody_deleted_comes_back_with_the_next_reading(
    admin: httpx.Client, script: Script, read: Callable[[], dict[str, Any]]
) -> None:
    script.repositories = {name: {"catalog-info.yaml": component(name)} for name in ("a", "b")}
    read()
    uid = admin.get(f"{API}/entities/by-name/component/default/a").json()["metadata"]["uid"]
    assert admin.delete(f"{API}/entities/by-uid/{uid}").status_code == 204
    assert _names(admin) == ["b"]
    assert read()["created"] == 1
    assert script.read_parts == ["a"], "only the part that it is in is read again"
    assert _names(admin) == ["a", "b"]


def test_removing_a_source_is_immediate(
    admin: httpx.Client, script: Script, read: Callable[[], dict[str, Any]]
) -> None:
    script.repositories = {"a": {"catalog-info.yaml": component("a")}}
    read()
    assert admin.delete(f"{SOURCES}/forge").json() == {"removed": 1, "kept": 0}
    for answer in (admin.delete(f"{SOURCES}/forge"), admin.get(f"{SOURCES}/forge/held")):
        assert (answer.status_code, answer.json()["code"]) == (404, "catalog.no_source")
    assert _names(admin) == []


def test_the_same_webhook_sent_again_and_again_is_one_reading(
    tmp_path: Path, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = {"sources": [{"name": "forge", "type": "script", "org": "acme"}]}
    with served(tmp_path / "data", features=[ACCESS, CATALOG], catalog=catalog) as running:
        running.platform.registry.add("entity_source", script, "test")
        settings, ctx = configured.named(running.platform, "forge"), running.platform.system("test")
        started = [configured.start_reading(ctx, settings, [{"name": name}], changed=True) for name in "aaabab"]
        begun = SimpleNamespace(id="begun", state="running", input={"source": "forge"})
        monkeypatch.setattr(configured, "_live", lambda *_: [begun])
        assert configured.start_reading(ctx, settings) == "begun"
        assert configured.start_reading(ctx, settings, changed=True) != "begun", "it may have passed what changed"
    assert len(set(started)) == 2, "one that has not begun will see what there is when it begins"
