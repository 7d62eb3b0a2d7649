"""Overlays: fields from other sources, laid over entities and taken away again; and where each value comes from."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from pydantic import BaseModel

from factories.catalog import component
from factories.served import Served, served
from taxiway.cli.main import run
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.catalog.overlays import Layer, merged
from taxiway.features.catalog.service import removals
from taxiway.features.catalog.service.kinds import follow_kind
from taxiway.features.search.contrib import FEATURE as SEARCH
from taxiway.plugin import SourcedEntity, SourcedTree, SourceEnd, SourceItem, SourcePart, SourceRequest
from taxiway.worker.main import Worker

API = "/api/catalog"
V1 = f"{API}/v1"
FIELDS = ["metadata.annotations.acme.dev/*", "metadata.tags", "spec.lifecycle", "metadata.title"]
Document = dict[str, Any]


class Options(BaseModel):
    pass


class Script:
    """A source that says what the test has it say."""

    key = "script"
    options = Options

    def __init__(self) -> None:
        self.says: dict[str, list[Document]] = {}
        self.file: str | None = None

    def read(self, request: SourceRequest) -> Iterator[SourceItem]:
        if self.file is not None:
            yield SourcedTree(OneFile(self.file), ["overlay.yaml"])
        for number, document in enumerate(self.says.get(request.name, [])):
            yield SourcedEntity(document, f"url:https://cmdb.example/{document['metadata']['name']}", number + 1)
        yield SourcePart("all")
        yield SourceEnd()


class OneFile:
    """A repository with one file of overlays."""

    state = ""

    def __init__(self, text: str) -> None:
        self.text = text

    def read(self, path: str) -> bytes:
        return self.text.encode()

    def match(self, pattern: str) -> list[str]:
        return [pattern]

    def location(self, path: str) -> str:
        return f"url:https://forge.example/overlays/{path}"


@pytest.fixture(scope="module")
def script() -> Script:
    return Script()


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, script: Script, roots: Path) -> Iterator[Served]:
    catalog = {
        "file_roots": [str(roots)],
        "sources": [
            {"name": "cmdb", "type": "script", "every": "12h", "overlay": {"fields": FIELDS, "precedence": 20}},
            {"name": "plain", "type": "script", "every": "12h"},
        ],
        "pushed": [
            {"name": "scan", "overlay": {"fields": ["metadata.labels.*", *FIELDS]}},
            {"name": "defaults", "overlay": {"fields": ["spec.*", *FIELDS], "precedence": -1, "lists": "replace"}},
            {"name": "whole", "overlay": {"fields": ["metadata.title"], "undeclared": "ignore"}},
        ],
    }
    data = tmp_path_factory.mktemp("data")
    with served(data, features=[ACCESS, CATALOG, SEARCH], catalog=catalog) as running:
        running.platform.registry.add("entity_source", script, "test")
        worker = Worker(running.platform, ())
        worker.start()
        yield running
        worker.stop()


@pytest.fixture(scope="module")
def admin(server: Served) -> Iterator[httpx.Client]:
    with server.client(server.token()) as client:
        yield client


@pytest.fixture
def register(admin: httpx.Client, roots: Path) -> Callable[[str, str], Path]:
    def work(name: str, text: str) -> Path:
        file = roots / f"{name}.yaml"
        file.write_text(text)
        answer = admin.post(f"{API}/locations", json={"type": "file", "target": str(file)})
        assert answer.status_code == 201, answer.text
        return file

    return work


@pytest.fixture
def read(server: Served, script: Script, admin: httpx.Client) -> Callable[..., Any]:
    def work(*documents: Document, source: str = "cmdb") -> Any:
        script.says[source] = list(documents)
        run_id = admin.post(f"{V1}/sources/{source}/read").json()["run_id"]
        for _ in server.platform.runs.follow(run_id):
            pass
        return server.platform.runs.get(run_id)

    return work


def _said(name: str, kind: str = "Component", spec: Document | None = None, **metadata: Any) -> Document:
    return {"kind": kind, "metadata": {"name": name, **metadata}, **({"spec": spec} if spec is not None else {})}


def _push(admin: httpx.Client, source: str, *documents: Document, complete: bool = False) -> Any:
    body = b"\n".join(map(orjson.dumps, documents)) or b"\n"
    answer = admin.post(f"{V1}/push/{source}", params={"complete": complete}, content=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _get(admin: httpx.Client, name: str) -> Any:
    answer = admin.get(f"{API}/entities/by-name/component/default/{name}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def _titleless(admin: httpx.Client, name: str) -> bool:
    return "title" not in _get(admin, name)["metadata"]


def _named(admin: httpx.Client, filter_: str) -> list[str]:
    found = admin.get(f"{API}/entities/by-query", params={"filter": filter_}).json()["items"]
    return [item["metadata"]["name"] for item in found]


def _problems(admin: httpx.Client, ref: str) -> list[Any]:
    found: list[Any] = admin.get(f"{V1}/problems", params={"ref": ref}).json()["items"]
    return found


def _layers(admin: httpx.Client, **params: Any) -> list[tuple[str, str, str]]:
    items = admin.get(f"{V1}/overlays", params=params).json()["items"]
    return [(item["ref"], item["source_id"], item["state"]) for item in items]


def test_an_overlay_adds_fields_that_everything_sees_and_its_end_brings_the_owners_back(
    admin: httpx.Client, register: Callable[[str, str], Path], read: Callable[..., Any]
) -> None:
    register("one", component("one"))
    before = _get(admin, "one")
    run = read(_said("one", annotations={"acme.dev/tier": "gold"}, tags=["pci"], spec={"lifecycle": "deprecated"}))
    assert (run.state, run.steps[0].output["created"]) == ("succeeded", 1)
    found = _get(admin, "one")
    assert found["metadata"]["annotations"]["acme.dev/tier"] == "gold"
    assert (found["metadata"]["tags"], found["spec"]["lifecycle"]) == (["python", "pci"], "deprecated")
    assert found["metadata"]["uid"] == before["metadata"]["uid"]
    assert found["metadata"]["etag"] != before["metadata"]["etag"]
    assert found["metadata"]["annotations"]["backstage.io/managed-by-location"].endswith("one.yaml")
    for filter_ in ("metadata.annotations.acme.dev/tier=gold", "spec.lifecycle=deprecated", "metadata.tags=pci"):
        assert _named(admin, filter_) == ["one"]
    newest = admin.get(f"{V1}/history/component/default/one").json()["items"][0]
    assert newest["via"] == "overlay source:cmdb"
    assert {change["path"] for change in newest["diff"]} >= {"/spec/lifecycle", "/metadata/annotations/acme.dev~1tier"}
    assert (
        read(_said("one", annotations={"acme.dev/tier": "gold"}, tags=["pci"], spec={"lifecycle": "deprecated"}))
        .steps[0]
        .output["unchanged"]
        == 1
    )
    read(_said("one", annotations={"acme.dev/tier": "gold"}))
    assert (_get(admin, "one")["spec"]["lifecycle"], _named(admin, "metadata.tags=pci")) == ("production", [])
    read()
    assert _get(admin, "one") == before


def test_the_owner_goes_on_changing_its_own_and_an_unchanged_one_is_left_alone(
    admin: httpx.Client, register: Callable[[str, str], Path], read: Callable[..., Any]
) -> None:
    file = register("two", component("two"))
    read(_said("two", title="From the CMDB", annotations={"acme.dev/tier": "gold"}))
    etag = _get(admin, "two")["metadata"]["etag"]
    admin.post(f"{API}/refresh", json={"entityRef": "component:default/two"})
    assert _get(admin, "two")["metadata"]["etag"] == etag
    file.write_text(component("two", kind="website"))
    admin.post(f"{API}/refresh", json={"entityRef": "component:default/two"})
    found = _get(admin, "two")
    assert (found["spec"]["type"], found["metadata"]["title"]) == ("website", "From the CMDB")
    read()
    assert (_titleless(admin, "two"), _get(admin, "two")["spec"]["type"]) == (True, "website")


def test_of_several_overlays_the_highest_wins_and_one_below_zero_fills_what_is_missing(
    admin: httpx.Client, register: Callable[[str, str], Path], read: Callable[..., Any]
) -> None:
    register("three", component("three"))
    assert _push(admin, "scan", _said("three", title="Scan", labels={"seen": "yes"}))["created"] == 1
    _push(admin, "defaults", _said("three", title="Default", spec={"lifecycle": "experimental", "system": "shop"}))
    read(_said("three", title="CMDB"))
    found = _get(admin, "three")
    assert (found["metadata"]["title"], found["metadata"]["labels"]) == ("CMDB", {"seen": "yes"})
    assert (found["spec"]["lifecycle"], found["spec"]["system"]) == ("production", "shop")
    assert {"type": "partOf", "targetRef": "system:default/shop"} in found["relations"]
    read()
    assert _get(admin, "three")["metadata"]["title"] == "Scan"
    assert _push(admin, "scan", complete=True)["deleted"] == 1
    assert _get(admin, "three")["metadata"]["title"] == "Default"
    _push(admin, "defaults", complete=True)
    assert (_titleless(admin, "three"), _get(admin, "three")["spec"].get("system")) == (True, None)


def test_an_overlay_waits_for_its_entity_and_outlives_it(
    admin: httpx.Client, register: Callable[[str, str], Path]
) -> None:
    _push(admin, "scan", _said("four", title="Early"))
    assert admin.get(f"{API}/entities/by-name/component/default/four").status_code == 404
    assert _layers(admin, state="waiting") == [("component:default/four", "push:scan", "waiting")]
    register("four", component("four"))
    assert _get(admin, "four")["metadata"]["title"] == "Early"
    assert _layers(admin, ref="component:default/four") == [("component:default/four", "push:scan", "applied")]
    uid = _get(admin, "four")["metadata"]["uid"]
    assert admin.delete(f"{API}/entities/by-uid/{uid}").status_code == 204
    assert _layers(admin, state="waiting", source_id="push:scan") == [
        ("component:default/four", "push:scan", "waiting")
    ]
    admin.post(f"{API}/refresh", json={"entityRef": "component:default/four"})
    _push(admin, "scan", complete=True)


def test_what_was_not_declared_is_not_written_and_told_with_a_remedy(
    admin: httpx.Client, register: Callable[[str, str], Path]
) -> None:
    register("five", component("five"))
    told = _push(admin, "scan", _said("five", title="T", description="no", spec={"owner": "me"}))
    assert "metadata.description, spec.owner" in told["problems"][0]["detail"]
    found = _get(admin, "five")
    assert (found["metadata"]["title"], found["spec"]["owner"]) == ("T", "checkout")
    [problem] = _problems(admin, "component:default/five")
    assert (problem["code"], problem["line"], problem["source_id"]) == ("undeclared", 1, "push:scan")
    assert "settings" in problem["remedy"]
    assert found["status"]["items"][0]["level"] == "error"
    whole = _push(admin, "whole", _said("five", title="W", description="no", spec={"owner": "me"}))
    assert (whole["created"], whole["problems"]) == (1, [])
    _push(admin, "whole", complete=True)
    _push(admin, "scan", _said("five", title="T"))
    assert _problems(admin, "component:default/five") == []
    _push(admin, "scan", complete=True)


def test_a_file_of_overlays_tells_the_line_of_what_it_may_not_write(
    admin: httpx.Client, script: Script, register: Callable[[str, str], Path], read: Callable[..., Any]
) -> None:
    register("fifteen", component("fifteen"))
    script.file = "# overlays\n---\nkind: Component\nmetadata:\n  name: fifteen\n  title: Filed\n  description: no\n"
    read()
    assert _get(admin, "fifteen")["metadata"]["title"] == "Filed"
    [problem] = _problems(admin, "component:default/fifteen")
    assert (problem["line"], problem["location"]) == (7, "url:https://forge.example/overlays/overlay.yaml")
    [item] = _get(admin, "fifteen")["status"]["items"]
    assert "overlay.yaml, line 7). Add them to the overlay's fields" in item["message"]
    script.file = None
    read()
    assert _problems(admin, "component:default/fifteen") == []


def test_an_overlay_that_would_make_an_entity_invalid_is_left_out_and_the_others_stay(
    admin: httpx.Client, register: Callable[[str, str], Path], read: Callable[..., Any]
) -> None:
    file = register("six", component("six"))
    read(_said("six", tags=["NOT A TAG"], title="Bad"))
    _push(admin, "scan", _said("six", title="Good"))
    assert (_get(admin, "six")["metadata"]["title"], _get(admin, "six")["metadata"]["tags"]) == ("Good", ["python"])
    [problem] = _problems(admin, "component:default/six")
    assert (problem["code"], problem["source_id"]) == ("overlay", "source:cmdb")
    assert "/metadata/tags/1" in problem["detail"]
    assert _layers(admin, ref="component:default/six")[1][2] == "refused"
    file.write_text(component("six", kind="website"))
    admin.post(f"{API}/refresh", json={"entityRef": "component:default/six"})
    read(_said("six", tags=["NOT A TAG"], title="Bad"))
    assert len(_problems(admin, "component:default/six")) == 1, "told once, whoever wrote last"
    read(_said("six", title="Mended"))
    assert (_get(admin, "six")["metadata"]["title"], _problems(admin, "component:default/six")) == ("Mended", [])
    read()
    _push(admin, "scan", complete=True)


def test_an_overlay_may_not_touch_people_unless_it_is_trusted(admin: httpx.Client, read: Callable[..., Any]) -> None:
    lead = _said("lead", kind="Group", spec={"type": "team", "children": []})
    _push(admin, "owner", {"apiVersion": "backstage.io/v1alpha1", **lead})
    run = read(_said("lead", kind="group", title="Mine"))
    assert run.steps[0].output["problems"] == 1
    [problem] = _problems(admin, "group:default/lead")
    assert problem["code"] == "untrusted"
    read()


def test_an_overlay_that_suddenly_says_nothing_is_held_for_review(
    server: Served, admin: httpx.Client, register: Callable[[str, str], Path], read: Callable[..., Any]
) -> None:
    names = [f"many-{number:02}" for number in range(15)]
    register("many", "---\n".join(component(name) for name in names))
    read(*[_said(name, title="Laid") for name in names])
    run = read()
    assert run.steps[0].output["held"] == 15
    assert _get(admin, "many-00")["metadata"]["title"] == "Laid"
    assert len(admin.get(f"{V1}/sources/cmdb/held").json()["items"]) == 15
    assert admin.post(f"{V1}/sources/cmdb/review", json={"decision": "remove"}).json()["removed"] == 15
    assert _titleless(admin, "many-00"), "the entity stays, the overlay goes"
    read(*[_said(name, title="Laid") for name in names])
    removals.remove_source(server.platform.system("test"), "source:cmdb")
    assert _titleless(admin, "many-14")


def test_an_orphan_keeps_its_overlay_and_what_it_is_without_it(admin: httpx.Client, read: Callable[..., Any]) -> None:
    own = {**_said("seven", spec={"type": "service", "lifecycle": "production", "owner": "checkout"})}
    other = {**own, "metadata": {"name": "eight"}}
    version = {"apiVersion": "backstage.io/v1alpha1"}
    read({**version, **own}, {**version, **other}, source="plain")
    read(_said("seven", title="Laid"))
    read({**version, **other}, source="plain")
    found = _get(admin, "seven")
    assert (found["metadata"]["title"], found["metadata"]["annotations"]["backstage.io/orphan"]) == ("Laid", "true")
    read()
    annotations = _get(admin, "seven")["metadata"]["annotations"]
    assert (_titleless(admin, "seven"), annotations["backstage.io/orphan"]) == (True, "true")


def test_sources_tell_what_they_lay_over_entities(
    admin: httpx.Client, register: Callable[[str, str], Path], read: Callable[..., Any]
) -> None:
    register("nine", component("nine"))
    read(_said("nine", title="Nine"), _said("nowhere", title="Waits"))
    told = admin.get(f"{V1}/sources/source:cmdb").json()
    assert (told["overlay"]["precedence"], told["layers"], told["layers_waiting"]) == (20, 2, 1)
    assert told["entities"] == 0
    read()
    pushed = {item["id"]: item for item in admin.get(f"{V1}/sources").json()["items"] if item["type"] == "push"}
    assert set(pushed) >= {"push:scan", "push:defaults", "push:whole"}
    assert admin.get(f"{V1}/sources/push:scan").json()["overlay"]["lists"] == "union"


def test_a_source_that_is_no_overlay_any_more_takes_its_layers_away(
    server: Served, admin: httpx.Client, register: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    register("ten", component("ten"))
    _push(admin, "scan", _said("ten", title="Laid"))
    settings = server.platform.settings
    without = settings.model_copy(update={"catalog": settings.catalog.model_copy(update={"pushed": ()})})
    monkeypatch.setattr(server.platform, "loaded", replace(server.platform.loaded, settings=without))
    assert _push(admin, "scan")["created"] == 0
    assert _titleless(admin, "ten")


def test_an_overlay_that_a_changed_kind_does_not_allow_is_left_out(server: Served, admin: httpx.Client) -> None:
    def declare(type_: str) -> None:
        schema = {"type": "object", "properties": {"size": {"type": type_}}}
        spec = {"apiVersions": ["acme.dev/v1"], "plural": "Depots", "schema": schema}
        _push(admin, "depots", {"apiVersion": "taxiway.dev/v1", **_said("Depot", kind="Kind", spec=spec)})
        follow_kind(server.platform.system("catalog"), "kind:default/depot")

    def size() -> Any:
        return admin.get(f"{API}/entities/by-name/depot/default/north").json()["spec"].get("size")

    declare("integer")
    _push(admin, "plain", {"apiVersion": "acme.dev/v1", **_said("north", kind="Depot", spec={"name": "North"})})
    _push(admin, "defaults", _said("north", kind="Depot", spec={"size": 5}))
    assert size() == 5
    declare("string")
    assert (size(), _problems(admin, "depot:default/north")[0]["code"]) == (None, "overlay")
    declare("integer")
    assert (size(), _problems(admin, "depot:default/north")) == (5, [])
    _push(admin, "defaults", complete=True)


def test_files_are_applied_to_an_overlay_by_command(
    server: Served,
    admin: httpx.Client,
    register: Callable[[str, str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TAXIWAY_URL", server.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", server.token())
    register("fourteen", component("fourteen"))
    file = tmp_path / "overrides.yaml"
    file.write_text("kind: Component\nmetadata: {name: fourteen, title: By hand}\n")
    assert run(["catalog", "apply", str(file), "--source", "scan", "--dry-run"]) == 0
    assert _titleless(admin, "fourteen")
    assert run(["catalog", "apply", str(file), "--source", "scan"]) == 0
    assert _get(admin, "fourteen")["metadata"]["title"] == "By hand"
    capsys.readouterr()
    assert run(["catalog", "provenance", "fourteen"]) == 0
    [title] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("metadata.title")]
    assert title.split()[1:5] == ["By", "hand", "push:scan", "push:scan:1"]
    assert run(["catalog", "overlays", "--ref", "fourteen"]) == 0
    assert "applied" in capsys.readouterr().out
    _push(admin, "scan", complete=True)


def test_whatever_the_order_an_entity_is_its_own_with_its_overlays(admin: httpx.Client) -> None:
    chance = random.Random(4)
    own: dict[str, Document] = {}
    said: dict[str, dict[str, Document]] = {"scan": {}, "defaults": {}}
    names, terms = ["u", "v", "w"], {"scan": (10, "union"), "defaults": (-1, "replace")}
    for _ in range(40):
        source, complete = chance.choice(["owner", "scan", "defaults"]), chance.random() < 0.4
        told = {}
        for name in chance.sample(names, chance.randint(0, 3)):
            metadata = {"tags": chance.sample(["a", "b", "c"], 2), "title": chance.choice("xyz")}
            told[name] = {key: metadata[key] for key in metadata if chance.random() < 0.6}
        kept = own if source == "owner" else said[source]
        if complete:
            kept.clear()
        kept.update(told)
        spec = {"type": "service", "lifecycle": "production", "owner": "checkout"} if source == "owner" else None
        version = {"apiVersion": "backstage.io/v1alpha1"}
        _push(admin, source, *[{**version, **_said(n, spec=spec, **m)} for n, m in told.items()], complete=complete)
        for name in names:
            answer = admin.get(f"{API}/entities/by-name/component/default/{name}")
            assert (answer.status_code == 200) == (name in own)
            layers = [Layer(f"push:{one}", said[one].get(name, {}), *terms[one]) for one in said]
            if name in own:
                found = {key: value for key, value in answer.json()["metadata"].items() if key in ("tags", "title")}
                assert found == merged(own[name], layers)
    for source in ("owner", *said):
        _push(admin, source, complete=True)
    assert not _layers(admin, source_id="push:scan")


def _fields(client: httpx.Client, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    answer = client.get(f"{V1}/provenance/component/default/{name}")
    assert answer.status_code == 200, answer.text
    return {item["pointer"]: item for item in answer.json()["fields"]}, answer.json()


def test_every_value_tells_its_source_file_line_and_since_when(
    server: Served, admin: httpx.Client, register: Callable[[str, str], Path], read: Callable[..., Any]
) -> None:
    file = register(
        "eleven", "# first\n---\n" + component("eleven", extra='  dependsOn: ["component:zeta", "component:alpha"]\n')
    )
    text = file.read_text().splitlines()
    _push(admin, "scan", _said("other"), _said("eleven", title="Scan", tags=["pci"]))
    read(_said("eleven", title="CMDB", spec={"lifecycle": "deprecated"}))
    fields, told = _fields(admin, "eleven")
    sources = {source["id"]: source for source in told["sources"]}
    assert [source["id"] for source in told["sources"]][:2] == ["source:cmdb", "push:scan"]
    [owner] = [source for source in told["sources"] if source["role"] == "owner"]
    assert (owner["name"], owner["location"], owner["line"], owner["lines"]) == (*[f"file:{file}"] * 2, 3, "read")
    for pointer, key in (("/spec/type", "type:"), ("/metadata/description", "description:"), ("/spec/owner", "owner:")):
        assert (fields[pointer]["source_id"], text[fields[pointer]["line"] - 1].split()[0]) == (owner["id"], key)
    assert text[fields["/spec/dependsOn/0"]["line"] - 1].strip() == 'dependsOn: ["component:zeta", "component:alpha"]'
    assert fields["/metadata/namespace"]["source_id"] is None, "the file does not say it"
    title = fields["/metadata/title"]
    assert (title["value"], title["source_id"], title["over"]) == (
        *("CMDB", "source:cmdb"),
        [{"source_id": "push:scan", "value": "Scan"}],
    )
    assert fields["/spec/lifecycle"]["over"] == [{"source_id": owner["id"], "value": "production"}]
    assert (fields["/metadata/tags/1"]["source_id"], fields["/metadata/tags/1"]["line"]) == ("push:scan", 2)
    assert (sources["push:scan"]["lines"], sources["source:cmdb"]["lines"]) == ("document", "unknown")
    assert "url_hosts" in sources["source:cmdb"]["lines_detail"]
    history = admin.get(f"{V1}/history/component/default/eleven").json()["items"]
    assert (title["since_at"], fields["/spec/type"]["since_at"]) == (history[0]["at"], history[-1]["at"])
    assert not any(field["at_least"] for field in fields.values())
    read()
    _push(admin, "scan", complete=True)


def test_a_file_that_says_something_else_by_now_gives_no_wrong_line(
    admin: httpx.Client, register: Callable[[str, str], Path]
) -> None:
    file = register("twelve", component("twelve"))
    file.write_text("# later\n" + component("twelve", kind="website"))
    fields, _ = _fields(admin, "twelve")
    assert (fields["/spec/type"]["line"], fields["/metadata/name"]["line"]) == (None, 5)
    file.unlink()
    fields, told = _fields(admin, "twelve")
    assert (fields["/metadata/name"]["line"], told["sources"][0]["lines"]) == (None, "unknown")
    assert "cannot be read" in told["sources"][0]["lines_detail"]


def test_a_computed_property_tells_its_rule(admin: httpx.Client, register: Callable[[str, str], Path]) -> None:
    rule = {"name": "tier", "cel": "entity.spec.type + '!'"}
    extension = {
        "apiVersion": "taxiway.dev/v1",
        **_said("x", kind="KindExtension", spec={"kind": "Component", "properties": [rule]}),
    }
    _push(admin, "kinds", extension)
    register("thirteen", component("thirteen"))
    found = _fields(admin, "thirteen")[0]["/properties/tier"]
    assert found["rule"] == "entity.spec.type + '!'"
    _push(admin, "kinds", complete=True)
