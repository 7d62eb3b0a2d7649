"""The operations of environments and delivery over HTTP, on a served platform."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from factories.delivery import DictForge, RecordingDestination, RecordingDriver, ScriptedEngine
from factories.served import Served, served
from taxiway.features.catalog import service as catalog
from taxiway.features.delivery.reconciler import Reconciler
from taxiway.model.workload import FileChange
from taxiway.plugin import SourcedEntity
from taxiway.worker.main import Worker

SHOP = "component:default/shop"
ENVIRONMENTS, DELIVERY = "/api/environments/v1", "/api/delivery/v1"
COMPONENT = {
    "apiVersion": "backstage.io/v1alpha1",
    "kind": "Component",
    "metadata": {"name": "shop", "annotations": {"taxiway.dev/repository": "shop"}},
    "spec": {"type": "service", "lifecycle": "production", "owner": "user:default/dev"},
}
SCORE = """
apiVersion: score.dev/v1b1
metadata: {name: shop}
service: {ports: {http: {port: 80}}}
containers: {main: {image: ., variables: {PW: "${resources.db.password}"}}}
resources: {db: {type: postgres}, route: {type: route, params: {port: 80}}}
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "data", engines={"pipeline_uid": os.geteuid()}) as running:
        platform = running.platform
        forge = DictForge()
        parts = forge, RecordingDestination(), RecordingDriver(), ScriptedEngine()
        for point, value in zip(("forge", "destination", "resource_driver", "pipeline_engine"), parts, strict=True):
            platform.registry.add(point, value, "test")
        platform.registry.add("secret_store", MemoryStore(), "test")
        catalog.load_library(platform)
        items = [SourcedEntity(COMPONENT, "file:test")]
        platform.store.write(lambda tx: catalog.apply_entities(tx, platform.system("t"), items, "test", full=False))
        forge.create_repository("shop", description="", owner=None, default_branch="main", request_key="x")
        files = {".github/workflows/ci.yml": b"ok", "score.yaml": SCORE.encode(), "app": b"v1"}
        changes = {path: FileChange(raw) for path, raw in files.items()}
        running.commit = forge.commit("shop", "main", changes, message="m", author="dev")
        reconciler: Reconciler = platform.registry.get("background_service", "delivery.reconciler")
        worker = Worker(platform, [(reconciler, None)])
        worker.start()
        yield running
        worker.stop()


class MemoryStore:
    key = "secrets_local"

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def put(self, name: str, value: str) -> None:
        self.values[name] = value

    def get(self, name: str) -> str | None:
        return self.values.get(name)

    def delete(self, name: str) -> None:
        self.values.pop(name, None)


def items(client: httpx.Client, path: str, **query: str) -> list[dict[str, Any]]:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def ended(client: httpx.Client, answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    end = time.monotonic() + 15
    while (run := client.get(answer.headers["location"]).json())["state"] not in ("succeeded", "failed", "undone"):
        assert time.monotonic() < end, run
        time.sleep(0.03)
    return dict(run)


def test_the_way_of_a_release_over_http(server: Served) -> None:
    from taxiway.features.delivery.service.pipelines import start_pipelines

    with server.client(server.token("developer", "user:default/dev")) as dev:
        start_pipelines(server.platform.system("test"), "shop", server.commit, "main")
        end = time.monotonic() + 15
        while not (releases := items(dev, f"{ENVIRONMENTS}/releases", service=SHOP)):
            assert time.monotonic() < end
            time.sleep(0.03)
        body = {"service_ref": SHOP, "environment": "staging", "release_id": releases[0]["id"]}
        headers = {"idempotency-key": "one"}
        first = dev.post(f"{ENVIRONMENTS}/deployments", json=body, headers=headers)
        assert dev.post(f"{ENVIRONMENTS}/deployments", json=body, headers=headers).json() == first.json()
        assert ended(dev, first)["state"] == "succeeded"

        (live,) = items(dev, f"{ENVIRONMENTS}/deployments", service=SHOP, environment="staging")
        assert (live["state"], live["health"], live["commit"]) == ("live", "healthy", releases[0]["commit"])
        matrix = dev.get(f"{ENVIRONMENTS}/matrix").json()
        assert [e["name"] for e in matrix["environments"]] == [
            e["name"] for e in items(dev, f"{ENVIRONMENTS}/environments")
        ]
        assert matrix["services"][0]["cells"]["staging"]["url"] == live["url"]
        database = next(r for r in items(dev, f"{ENVIRONMENTS}/resources", service=SHOP) if r["type"] == "postgres")
        assert database["outputs"]["password"] == "********"
        query = {"service": SHOP, "environment": "staging", "resource": "db"}
        told = dev.get(f"{ENVIRONMENTS}/explain", params=query).json()
        assert told["chosen"] == "recipe:default/postgres-local"

        (workload,) = items(dev, f"{ENVIRONMENTS}/workloads", service=SHOP)
        lines = items(dev, f"{ENVIRONMENTS}/workloads/{workload['id']}/logs", after="1")
        assert [line["text"] for line in lines] == ["line 2", "line 3"]
        with dev.stream("GET", f"{ENVIRONMENTS}/workloads/{workload['id']}/logs/stream") as stream:
            assert next(line for line in stream.iter_lines() if line.startswith("data:"))

        (pipeline,) = items(dev, f"{DELIVERY}/pipelines", service=SHOP)
        assert dev.get(f"{DELIVERY}/pipelines/{pipeline['id']}").json() == pipeline
        assert dev.get(f"{DELIVERY}/pipelines/{pipeline['id']}/logs").status_code == 200
        assert {r["name"]: r["service_ref"] for r in items(dev, f"{DELIVERY}/repositories")}["shop"] == SHOP

        gone = dev.delete(f"{ENVIRONMENTS}/services/component/default/shop", params={"environment": "staging"})
        assert ended(dev, gone)["state"] == "succeeded"
        assert dev.get(f"{ENVIRONMENTS}/matrix").json()["services"] == []


def test_wrong_requests_say_what_to_do(server: Served) -> None:
    with server.client(server.token("developer", "user:default/dev")) as dev:
        body = {"service_ref": SHOP, "environment": "staging", "release_id": "none"}
        assert dev.post(f"{ENVIRONMENTS}/deployments", json=body).status_code == 404
        answer = dev.post(f"{ENVIRONMENTS}/rollbacks", json={"service_ref": SHOP, "environment": "moon"})
        assert answer.status_code == 404
        assert "development" in answer.json()["detail"]
        assert dev.get(f"{ENVIRONMENTS}/deployments", params={"cursor": "x"}).status_code == 422
        answer = dev.delete(f"{ENVIRONMENTS}/services/component/default/shop")
        assert (answer.status_code, "deployed nowhere" in answer.json()["detail"]) == (404, True)
        # The annotation names a repository that nobody of the team owns: it is not theirs to delete.
        answer = dev.post(f"{DELIVERY}/decommissions", json={"service_ref": SHOP})
        assert answer.status_code == 403
    with server.client(server.token("developer", "user:default/other")) as other:
        assert other.post(f"{ENVIRONMENTS}/deployments", json=body).status_code == 403
        job = {"service_ref": SHOP, "environment": "staging"}
        assert other.post(f"{ENVIRONMENTS}/jobs", json=job).status_code == 403
