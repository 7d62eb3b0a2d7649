"""SCIM on a running server: what is pushed is in the catalog by itself, and only its token may push."""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import httpx
import pytest

from factories.served import Served, served
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.worker.main import Worker

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
SECONDS = 10.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data: Path = tmp_path_factory.mktemp("scim") / "data"
    catalog = {"sources": [{"name": "people", "type": "scim", "every": "1d"}]}
    scim = EntryPoint("scim", "taxiway.plugins.scim:PLUGIN", "taxiway.plugins")
    with served(data, features=[ACCESS, CATALOG], plugins=[scim], catalog=catalog) as running:
        worker = Worker(running.platform, ())
        worker.start()
        yield running
        worker.stop()


@pytest.fixture
def provider(server: Served) -> Iterator[httpx.Client]:
    token = server.token("platform", scopes=frozenset({"catalog.people.write"}))
    with server.client(token) as client:
        client.headers["content-type"] = "application/scim+json"
        yield client


def _entity(server: Served, path: str, wanted: Any) -> Any:
    """The entity, when `wanted` says that it is as it should be."""
    with server.client(server.token()) as admin:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            answer = admin.get(f"/api/catalog/entities/by-name/{path}")
            found = answer.json() if answer.status_code == 200 else None
            if wanted(found):
                return found
            time.sleep(0.05)
    raise AssertionError(f"{path} is {found}")


def test_what_is_pushed_is_in_the_catalog_by_itself(server: Served, provider: httpx.Client) -> None:
    ada = provider.post("/scim/v2/Users", json={"schemas": [USER], "userName": "ada@example.com", "active": True})
    assert (ada.status_code, ada.headers["content-type"]) == (201, "application/scim+json")
    assert ada.headers["location"] == ada.json()["meta"]["location"]
    _entity(server, "user/default/ada", lambda found: found is not None)
    members = [{"value": ada.json()["id"]}]
    engines = provider.post("/scim/v2/Groups", json={"displayName": "Engines", "members": members}).json()
    user = _entity(server, "user/default/ada", lambda found: found and found["spec"]["memberOf"] == ["Engines"])
    assert {"type": "memberOf", "targetRef": "group:default/engines"} in user["relations"]
    assert user["metadata"]["annotations"]["backstage.io/managed-by-location"].endswith(f"/Users/{ada.json()['id']}")
    url = f"/scim/v2/Groups/{engines['id']}"
    gone = {"Operations": [{"op": "remove", "path": f'members[value eq "{ada.json()["id"]}"]'}]}
    tag = provider.get(url).headers["etag"]
    assert provider.patch(url, json=gone, headers={"if-match": 'W/"99"'}).status_code == 412
    assert provider.patch(url, json=gone, headers={"if-match": tag}).status_code == 200
    _entity(server, "user/default/ada", lambda found: found and found["spec"]["memberOf"] == [])
    assert (
        provider.get("/scim/v2/Users", params={"filter": 'userName eq "ada@example.com"'}).json()["totalResults"] == 1
    )


def test_only_whoever_may_write_people_reaches_it(server: Served, provider: httpx.Client) -> None:
    others = [server.client(), server.client(server.token("developer")), server.client(server.token("viewer"))]
    others.append(server.client(server.token("platform", scopes=frozenset({"catalog.entity.push"}))))
    statuses = []
    for client in others:
        with client:
            statuses += [client.get("/scim/v2/Users").status_code, client.post("/scim/v2/Users", json={}).status_code]
    assert statuses == [401, 401, *[403] * 6]
    push = provider.post("/api/catalog/v1/push/x", content=b"", headers={"content-type": "application/x-ndjson"})
    assert push.status_code == 403


def test_a_body_that_is_too_large_is_refused(provider: httpx.Client) -> None:
    answer = provider.post("/scim/v2/Users", content=b" " * 2_000_001)
    assert (answer.status_code, answer.json()["status"]) == (413, "413")
