"""Overlays: fields from other sources, laid over entities; who wins, and what waits."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from factories.catalog import component
from factories.overlays import API, V1, Document, get, layers, problems, push, said, titleless
from factories.served import served
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.catalog.overlays import Layer, merged

OWN = {"apiVersion": "backstage.io/v1alpha1"}
SPEC = {"type": "service", "lifecycle": "production", "owner": "checkout"}


def _named(admin: httpx.Client, filter_: str) -> list[str]:
    found = admin.get(f"{API}/entities/by-query", params={"filter": filter_}).json()["items"]
    return [item["metadata"]["name"] for item in found]


def test_an_overlay_adds_fields_that_everything_sees_and_its_end_brings_the_owners_back(
    admin: httpx.Client, register: Callable[[str, str], Path], read: Callable[..., Any]
) -> None:
    register("one", component("one"))
    before = get(admin, "one")
    run = read(said("one", annotations={"acme.dev/tier": "gold"}, tags=["pci"], spec={"lifecycle": "deprecated"}))
    assert (run.state, run.steps[0].output["created"]) == ("succeeded", 1)
    found = get(admin, "one")
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
        read(said("one", annotations={"acme.dev/tier": "gold"}, tags=["pci"], spec={"lifecycle": "deprecated"}))
        .steps[0]
        .output["unchanged"]
        == 1
    )
    read(said("one", annotations={"acme.dev/tier": "gold"}))
    assert (get(admin, "one")["spec"]["lifecycle"], _named(admin, "metadata.tags=pci")) == ("production", [])
    read()
    assert get(admin, "one") == before


def test_the_owner_goes_on_changing_its_own_and_an_unchanged_one_is_left_alone(
    admin: httpx.Client, register: Callable[[str, str], Path], read: Callable[..., Any]
) -> None:
    file = register("two", component("two"))
    read(said("two", title="From the CMDB", annotations={"acme.dev/tier": "gold"}))
    etag = get(admin, "two")["metadata"]["etag"]
    admin.post(f"{API}/refresh", json={"entityRef": "component:default/two"})
    assert get(admin, "two")["metadata"]["etag"] == etag
    file.write_text(component("two", kind="website"))
    admin.post(f"{API}/refresh", json={"entityRef": "component:default/two"})
    found = get(admin, "two")
    assert (found["spec"]["type"], found["metadata"]["title"]) == ("website", "From the CMDB")
    read()
    assert (titleless(admin, "two"), get(admin, "two")["spec"]["type"]) == (True, "website")


def test_of_several_overlays_the_highest_wins_and_one_below_zero_fills_what_is_missing(
    admin: httpx.Client, register: Callable[[str, str], Path], read: Callable[..., Any]
) -> None:
    register("three", component("three"))
    assert push(admin, "scan", said("three", title="Scan", labels={"seen": "yes"}))["created"] == 1
    push(admin, "defaults", said("three", title="Default", spec={"lifecycle": "experimental", "system": "shop"}))
    read(said("three", title="CMDB"))
    found = get(admin, "three")
    assert (found["metadata"]["title"], found["metadata"]["labels"]) == ("CMDB", {"seen": "yes"})
    assert (found["spec"]["lifecycle"], found["spec"]["system"]) == ("production", "shop")
    assert {"type": "partOf", "targetRef": "system:default/shop"} in found["relations"]
    read()
    assert get(admin, "three")["metadata"]["title"] == "Scan"
    assert push(admin, "scan", complete=True)["deleted"] == 1
    assert get(admin, "three")["metadata"]["title"] == "Default"
    push(admin, "defaults", complete=True)
    assert (titleless(admin, "three"), get(admin, "three")["spec"].get("system")) == (True, None)


def test_an_overlay_waits_for_its_entity_and_outlives_it(
    admin: httpx.Client, register: Callable[[str, str], Path]
) -> None:
    push(admin, "scan", said("four", title="Early"))
    assert admin.get(f"{API}/entities/by-name/component/default/four").status_code == 404
    assert layers(admin, state="waiting") == [("component:default/four", "push:scan", "waiting")]
    register("four", component("four"))
    assert get(admin, "four")["metadata"]["title"] == "Early"
    assert layers(admin, ref="component:default/four") == [("component:default/four", "push:scan", "applied")]
    uid = get(admin, "four")["metadata"]["uid"]
    assert admin.delete(f"{API}/entities/by-uid/{uid}").status_code == 204
    assert layers(admin, state="waiting", source_id="push:scan") == [("component:default/four", "push:scan", "waiting")]
    admin.post(f"{API}/refresh", json={"entityRef": "component:default/four"})
    push(admin, "scan", complete=True)


def test_an_overlay_is_laid_over_what_a_configured_source_brings_of_a_kind_that_is_declared(
    admin: httpx.Client, read: Callable[..., Any]
) -> None:
    spec = {"apiVersions": ["acme.dev/v1"], "plural": "Racks", "schema": {"type": "object"}}
    rack = {"apiVersion": "taxiway.dev/v1", "kind": "Kind", "metadata": {"name": "Rack"}, "spec": spec}
    assert push(admin, "racks", rack)["problems"] == []
    push(admin, "scan", said("r", "Rack", title="Scan"))
    read({"apiVersion": "acme.dev/v1", **said("r", "Rack", spec={"size": 5})}, source="plain")
    found = admin.get(f"{API}/entities/by-name/rack/default/r").json()
    assert (found["metadata"].get("title"), problems(admin, "rack:default/r")) == ("Scan", [])
    read(source="plain")
    push(admin, "scan", complete=True)
    push(admin, "racks", complete=True)


def test_whatever_the_order_an_entity_is_its_own_with_its_overlays(admin: httpx.Client) -> None:
    chance = random.Random(4)
    own: dict[str, Document] = {}
    lain: dict[str, dict[str, Document]] = {"scan": {}, "defaults": {}}
    names, terms = ["u", "v", "w"], {"scan": (10, "union"), "defaults": (-1, "replace")}
    for _ in range(40):
        source, complete = chance.choice(["owner", "scan", "defaults"]), chance.random() < 0.4
        told = {}
        for name in chance.sample(names, chance.randint(0, 3)):
            metadata = {"tags": chance.sample(["a", "b", "c"], 2), "title": chance.choice("xyz")}
            told[name] = {key: metadata[key] for key in metadata if chance.random() < 0.6}
        kept = own if source == "owner" else lain[source]
        if complete:
            kept.clear()
        kept.update(told)
        spec = {"type": "service", "lifecycle": "production", "owner": "checkout"} if source == "owner" else None
        version = {"apiVersion": "backstage.io/v1alpha1"}
        documents = [{**version, **said(n, spec=spec, **m)} for n, m in told.items()]
        if push(admin, source, *documents, complete=complete)["held"]:  # all that it had: that waits for review
            admin.post(f"{V1}/sources/push:{source}/review", json={"decision": "remove"})
        for name in names:
            answer = admin.get(f"{API}/entities/by-name/component/default/{name}")
            assert (answer.status_code == 200) == (name in own)
            stack = [Layer(f"push:{one}", lain[one].get(name, {}), *terms[one]) for one in lain]
            if name in own:
                found = {key: value for key, value in answer.json()["metadata"].items() if key in ("tags", "title")}
                assert found == merged(own[name], stack)
    for source in ("owner", *lain):
        if push(admin, source, complete=True)["held"]:
            admin.post(f"{V1}/sources/push:{source}/review", json={"decision": "remove"})
    assert not layers(admin, source_id="push:scan")


def test_an_overlay_that_says_nothing_any_more_of_too_many_waits_for_review(admin: httpx.Client) -> None:
    names, review = [f"h{number:02}" for number in range(15)], f"{V1}/sources/push:scan/review"
    push(admin, "plain-cmdb", *({**OWN, **said(name, spec=SPEC)} for name in names))
    push(admin, "scan", *(said(name, title="Scan") for name in names), complete=True)
    cut = push(admin, "scan", *(said(name, title="Scan") for name in names[:3]), complete=True)
    assert (cut["deleted"], cut["held"], get(admin, "h14")["metadata"]["title"]) == (0, 12, "Scan")
    told = admin.get(f"{V1}/sources/push:scan").json()
    assert (told["state"], told["held"], told["layers"]) == ("held", 12, 15)
    assert push(admin, "scan", said("h14", title="Again"))["held"] == 11  # named again, it waits no more
    assert admin.post(review, json={"decision": "remove"}).json() == {"removed": 11, "kept": 0}
    assert (titleless(admin, "h13"), get(admin, "h14")["metadata"]["title"]) == (True, "Again")
    assert push(admin, "scan", said("h00"), said("h01"), said("h02"), said("h14"))["held"] == 0
    admin.delete(f"{V1}/sources/push:plain-cmdb")


def test_what_a_pushed_source_owned_before_it_became_an_overlay_goes(tmp_path: Path) -> None:
    terms = {"overlay": {"fields": ["metadata.title"]}}
    catalog = {"pushed": [{"name": "cmdb", **terms}, {"name": "many", **terms}]}
    with served(tmp_path, features=[ACCESS, CATALOG]) as before, before.client(before.token()) as admin:
        push(admin, "cmdb", {**OWN, **said("mine", spec=SPEC)})
        push(admin, "owner", {**OWN, **said("theirs", spec=SPEC)})
        push(admin, "many", *({**OWN, **said(name, spec=SPEC)} for name in ("x", "y")))
    with served(tmp_path, features=[ACCESS, CATALOG], catalog=catalog) as after, after.client(after.token()) as admin:
        assert push(admin, "cmdb", said("theirs", title="CMDB"))["deleted"] == 1
        for _ in range(2):  # until somebody looks, however much it says in the meantime
            told = push(admin, "many", *(said(name, title="Many") for name in ("x", "y", "theirs", *"abcdefghijk")))
            assert (told["held"], told["deleted"]) == (2, 0)
        assert push(admin, "many", said("x", title="Again"))["held"] == 2
        admin.post(f"{V1}/sources/push:many/review", json={"decision": "remove"})
        push(admin, "owner", {**OWN, **said("x", spec=SPEC)})
        assert get(admin, "x")["metadata"]["title"] == "Again"
        admin.delete(f"{V1}/sources/push:many")
        assert titleless(admin, "x")
        assert admin.get(f"{API}/entities/by-name/component/default/mine").status_code == 404
        assert get(admin, "theirs")["metadata"]["title"] == "CMDB"


def test_sources_tell_what_they_lay_over_entities(
    admin: httpx.Client, register: Callable[[str, str], Path], read: Callable[..., Any]
) -> None:
    register("nine", component("nine"))
    read(said("nine", title="Nine"), said("nowhere", title="Waits"))
    told = admin.get(f"{V1}/sources/source:cmdb").json()
    assert (told["overlay"]["precedence"], told["layers"], told["layers_waiting"]) == (20, 2, 1)
    assert told["entities"] == 0
    read()
    pushed = {item["id"]: item for item in admin.get(f"{V1}/sources").json()["items"] if item["type"] == "push"}
    assert set(pushed) >= {"push:scan", "push:defaults", "push:whole"}
    assert admin.get(f"{V1}/sources/push:scan").json()["overlay"]["lists"] == "union"
