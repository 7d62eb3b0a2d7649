"""`url:` locations on other hosts: only configured ones, and never what lies behind them in this network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from factories.catalog import component
from factories.other_system import Asked, OtherSystem, Reply, other_system
from factories.served import served
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.docs.contrib import FEATURE as DOCS

LOCATIONS = "/api/catalog/locations"
FILES = {
    "/shop/catalog-info.yaml": component("orders", extra="  definition: {$text: ./api.txt}\n"),
    "/shop/api.txt": "the text",
    "/shop/all.yaml": "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: all}\n"
    "spec: {targets: [./catalog-info.yaml, 'http://169.254.169.254/x', 'file:/etc/passwd', /etc/passwd]}\n",
}


@pytest.fixture
def host() -> Iterator[OtherSystem]:
    def respond(asked: Asked) -> Reply:
        path = asked.path
        if path == "/away.yaml":
            return Reply(status=302, headers={"location": "http://127.0.0.1:1/secret"})
        return Reply(FILES[path].encode()) if path in FILES else Reply(status=404)

    with other_system(respond) as running:
        yield running


@pytest.fixture
def admin(tmp_path: Path, host: OtherSystem) -> Iterator[httpx.Client]:
    catalog = {"url_hosts": [host.host]}
    with (
        served(tmp_path / "data", features=[ACCESS, CATALOG, DOCS], catalog=catalog) as running,
        running.client(running.token()) as client,
    ):
        yield client


def test_a_file_on_a_configured_host_is_read_with_what_lies_beside_it(admin: httpx.Client, host: OtherSystem) -> None:
    target = f"{host.url}/shop/catalog-info.yaml"
    answer = admin.post(LOCATIONS, json={"type": "url", "target": target})
    assert answer.status_code == 201, answer.text
    found = admin.get("/api/catalog/entities/by-name/component/default/orders").json()
    assert found["spec"]["definition"] == "the text"
    assert found["metadata"]["annotations"]["backstage.io/managed-by-location"] == f"url:{target}"
    provenance = admin.get("/api/catalog/v1/provenance/component/default/orders").json()
    lines = {field["pointer"]: field["line"] for field in provenance["fields"]}
    assert (lines["/spec/type"], lines["/spec/definition"]) == (8, 11), "a placeholder stands where it is written"
    seen = len(host.asked)
    admin.get("/api/catalog/v1/provenance/component/default/orders")
    assert len(host.asked) == seen, "it is remembered"
    changed = FILES["/shop/catalog-info.yaml"].replace("service", "website")
    host.respond = lambda asked: Reply(changed.replace("{$text: ./api.txt}", "x").encode())
    assert admin.post("/api/catalog/refresh", json={"entityRef": "component:default/orders"}).status_code == 200
    assert admin.get("/api/catalog/entities/by-name/component/default/orders").json()["spec"]["type"] == "website"


def test_what_leads_elsewhere_is_refused_and_the_rest_is_read(admin: httpx.Client, host: OtherSystem) -> None:
    answer = admin.post(LOCATIONS, json={"type": "url", "target": f"{host.url}/shop/all.yaml"})
    assert answer.status_code == 201, answer.text
    assert admin.get("/api/catalog/entities/by-name/component/default/orders").status_code == 200
    problems = admin.get("/api/catalog/v1/problems").json()["items"]
    assert len(problems) == 3, problems


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/catalog-info.yaml",
        "http://localhost/catalog-info.yaml",
        "http://[::1]/catalog-info.yaml",
        "https://10.0.0.1/catalog-info.yaml",
        "http://2130706433/catalog-info.yaml",
        "https://github.com.evil.example/acme/shop/blob/main/catalog-info.yaml?private_token=hush",
        "https://eve:hush@github.com.evil.example/catalog-info.yaml",
    ],
)
def test_other_hosts_are_not_reached(admin: httpx.Client, target: str) -> None:
    answer = admin.post(LOCATIONS, json={"type": "url", "target": target})
    assert answer.status_code == 400
    assert "catalog.url_hosts" in answer.json()["error"]["message"]
    assert "hush" not in answer.json()["error"]["message"]


def test_a_redirect_away_from_the_host_is_refused(admin: httpx.Client, host: OtherSystem) -> None:
    answer = admin.post(LOCATIONS, json={"type": "url", "target": f"{host.url}/away.yaml"})
    assert answer.status_code == 400
    assert "not among the hosts" in answer.json()["error"]["message"]
