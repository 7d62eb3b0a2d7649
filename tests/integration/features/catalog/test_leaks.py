"""What somebody may not read leaves no trace: in lists, counts, facets, filters, search, graph, export, history.

One caller may read what the red team owns. Whatever is asked, the answer does not have a word of the blue team's
entities, and is the same as before they were there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from factories.served import Served, served
from taxiway.core.permissions import Grant
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog import service
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.catalog.service import pushing
from taxiway.features.search.contrib import FEATURE as SEARCH
from taxiway.plugin import SourcedEntity

BASE = "/api/catalog"
READS = ("catalog.entity.read", "catalog.location.read")


def _entity(kind: str, name: str, owner: str, description: str, **spec: Any) -> SourcedEntity:
    document = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, "description": description, "tags": [f"{owner}-tag"], "labels": {"team": owner}},
        "spec": {"type": "service", "lifecycle": "production", "owner": owner, **spec},
    }
    return SourcedEntity(document, f"file:/{name}.yaml")


RED = [
    _entity("Component", "front", "red", "visible", dependsOn=["component:middle"]),
    _entity("Component", "middle", "red", "visible"),
]
BLUE = [
    _entity("Component", "whale", "blue", "krill", dependsOn=["component:middle"], subcomponentOf="front"),
    _entity("API", "whale-api", "blue", "krill", definition="paths: {/krill: {}}"),
    _entity("Component", "tail", "blue", "krill", dependsOn=["component:whale"], providesApis=["whale-api"]),
]
SECRETS = ("whale", "krill", "blue")


def _post(path: str, **body: Any) -> tuple[str, str, dict[str, Any]]:
    return ("POST", f"{BASE}/{path}", {"json": body})


def _get(path: str, **params: Any) -> tuple[str, str, dict[str, Any]]:
    return ("GET", path if path.startswith("/") else f"{BASE}/{path}", {"params": params})


HIDDEN = ["component:default/whale", "api:default/whale-api"]
FACETS = ("kind", "spec.owner", "metadata.tags", "metadata.name", "relations.dependencyOf", "relations.hasPart")
RELATED = ("relations.dependencyof", "relations.haspart", "relations.dependencyof=component:default/whale")
QUESTIONS = [
    _get("entities"),
    _get("entities", limit="1"),
    _get("entities/by-query", limit="0"),
    _get("entities/by-query"),
    _get("entities/by-query", fullTextFilterTerm="l", fullTextFilterFields="metadata.name,metadata.description"),
    _get("entities/by-query", orderField="metadata.labels.team,asc"),
    *[_get("entities/by-query", filter=related) for related in RELATED],
    *[_get("entities", filter=related) for related in RELATED],
    _post("entities/by-query", query={"relations": {"$contains": {"type": "dependencyOf", "targetRef": HIDDEN[0]}}}),
    _post("entities/by-query", query={"metadata.labels.team": {"$exists": True}}),
    _post("entities/by-refs", entityRefs=["component:default/front", "component:default/middle", *HIDDEN]),
    *[_get("entity-facets", facet=facet) for facet in FACETS],
    _post("entity-facets", facets=list(FACETS)),
    _get("entities/by-name/component/default/front"),
    _get("entities/by-name/component/default/middle"),
    *[_get(f"entities/by-name/component/default/{name}/ancestry") for name in ("front", "middle")],
    *[_get(f"v1/graph/component/default/{name}", depth="5") for name in ("front", "middle")],
    *[_get("v1/export", format=form) for form in ("ndjson", "csv")],
    _get("v1/history/component/default/middle"),
    _get("v1/problems"),
    _get("v1/kinds"),
    *[_get(f"v1/{what}/component/default/front") for what in ("ownership", "properties", "edits", "provenance")],
    _get("v1/overlays"),
    _get("entities/unprocessed/failed"),
    *[_get("/api/search/query", term=term) for term in ("whale", "whal", "wahle", "krill", "blue", "", "front", "t")],
    _get("/api/search/query", term="front", **{"filters[owner]": "group:default/blue"}),
    _get("/api/search/query", term="middle", **{"filters[relations.dependencyof]": HIDDEN[0]}),
    _get("v1/views"),
    _get("v1/views", name="shared"),
    *[_get(f"v1/views/{view}/entities") for view in ("shared", "related")],
    *[_get("v1/export", view=view, format=form) for view in ("shared", "related") for form in ("ndjson", "csv")],
]
VIEWS: list[tuple[str, dict[str, Any]]] = [
    ("shared", {"columns": ["spec.owner", "relations.dependencyOf"], "sort": "spec.owner,asc"}),
    ("related", {"query": {"relations": {"$contains": {"type": "hasPart"}}}}),
]
"""Views that everybody sees."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data: Path = tmp_path_factory.mktemp("data")
    overlays = [{"name": "krill", "overlay": {"fields": ["metadata.title", "metadata.labels.*"]}}]
    with served(data, features=[ACCESS, CATALOG, SEARCH], catalog={"pushed": overlays}) as running:
        for permission in READS:
            running.platform.permissions[permission] = Grant(developer="own")
        running.platform.groups_of = lambda subject: frozenset({"group:default/red"})
        admin = running.client(running.token())
        for name, body in VIEWS:
            view = {"name": name, "title": name, "visible_to": "everybody", **body}
            assert admin.post(f"{BASE}/v1/views", json=view).status_code == 201
        # Of the blue team's own view not even the name is told.
        blue = {"name": "krill", "title": "Whales", "owner": "group:default/blue", "filters": ["metadata.name=whale"]}
        assert admin.post(f"{BASE}/v1/views", json=blue).status_code == 201
        yield running


def _apply(server: Served, entities: list[SourcedEntity]) -> None:
    ctx = server.platform.system("test")
    server.platform.store.write(lambda tx: service.apply_entities(tx, ctx, entities, "test", full=True))


def _answers(client: httpx.Client, at: str | None = None) -> list[tuple[int, str]]:
    found = []
    for method, path, options in QUESTIONS:
        past = at is not None and ("by-query" in path or "graph" in path or "export" in path or "by-refs" in path)
        parameters = {**options.get("params", {}), **({"as_of": at} if past else {})}
        answer = client.request(method, path, **{**options, "params": parameters})
        found.append((answer.status_code, _plain(answer)))
    return found


def _plain(answer: httpx.Response) -> str:
    # Tags of highlights are new in each answer, and a facet's question is repeated in its answer.
    text = answer.text.replace("filters", "")
    if "preTag" in text:
        for result in answer.json()["results"]:
            tags = result.get("highlight", {})
            for key in ("preTag", "postTag"):
                text = text.replace(tags.get(key, "\0"), "")
    return text


def test_what_may_not_be_read_leaves_no_trace(server: Served) -> None:
    _apply(server, RED)
    client = server.client(server.token("developer", "user:default/rita"))
    before = _answers(client)
    assert [status for status, _ in before if status != 200] == []
    assert '"totalItems":2' in before[2][1]
    _apply(server, [*RED, *BLUE])
    with_blue = server.platform.clock.now()
    assert _answers(client) == before, "the present shows no difference"
    for (method, path, options), (_, text) in zip(QUESTIONS, _answers(client), strict=True):
        assert not any(secret in text for secret in SECRETS), f"{method} {path} {options} shows {text}"
    _apply(server, RED)
    for (_, path, options), (status, text) in zip(QUESTIONS, _answers(client, str(with_blue)), strict=True):
        assert status == 200, (path, text)
        assert not any(secret in text for secret in SECRETS), f"{path} {options} shows of the past {text}"


def test_one_by_one_a_hidden_entity_is_as_absent_as_one_that_never_was(server: Served) -> None:
    _apply(server, [*RED, *BLUE])
    client = server.client(server.token("developer", "user:default/rita"))
    paths = ["entities/by-name/component/default/{}", "entities/by-name/component/default/{}/ancestry"]
    of_one = ("graph", "history", "ownership", "properties", "edits", "provenance")
    paths += [f"v1/{what}/component/default/{{}}" for what in of_one]
    for path in paths:
        hidden, absent = (client.get(f"{BASE}/{path.format(name)}") for name in ("whale", "never"))
        assert hidden.status_code == absent.status_code == 404, path
        assert _shape(hidden.text) == _shape(absent.text)
    theirs, none = (client.get(f"{BASE}/v1/views/{name}") for name in ("krill", "never"))
    assert (theirs.status_code, _shape(theirs.text.replace("krill", "never"))) == (404, _shape(none.text))


def test_a_hidden_overlay_shows_the_value_that_won_and_nothing_else(server: Served) -> None:
    _apply(server, [*RED, *BLUE])
    ctx = server.platform.system("test")
    metadata = {"name": "front", "title": "Won", "labels": {"team": "NOT A LABEL"}}
    said = {"kind": "Component", "metadata": metadata}
    try:
        pushing.push_entities(ctx, "krill", orjson.dumps(said))
        client = server.client(server.token("developer", "user:default/rita"))
        refused = client.get(f"{BASE}/v1/provenance/component/default/front")
        assert (refused.status_code, "krill" in refused.text, "NOT A" in refused.text) == (200, False, False)
        assert [source["role"] for source in refused.json()["sources"]] == ["owner"]
        del metadata["labels"]
        pushing.push_entities(ctx, "krill", orjson.dumps(said))
        won = client.get(f"{BASE}/v1/provenance/component/default/front")
        [title] = [field for field in won.json()["fields"] if field["pointer"] == "/metadata/title"]
        assert (title["value"], title["source_id"], title["line"]) == ("Won", "hidden:0", None)
        assert "krill" not in won.text
        for path in ("v1/overlays", "v1/sources", "v1/problems"):
            assert "krill" not in client.get(f"{BASE}/{path}").text
    finally:
        pushing.push_entities(ctx, "krill", b"", complete=True)


def test_a_powerless_user_gets_nothing_at_all(server: Served) -> None:
    _apply(server, [*RED, *BLUE])
    client = server.session("user:default/powerless")
    client.headers["x-csrf-token"] = client.cookies["taxiway_csrf"]
    for status, text in _answers(client):
        assert status == 403
        assert not any(secret in text for secret in ("apiVersion", "visible", "component:default")), text


def _shape(text: str) -> str:
    text = text.replace("whale", "never")
    return text.partition('"request_id"')[0].partition('"instance"')[0]
