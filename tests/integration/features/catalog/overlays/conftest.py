"""A server with overlays, read and pushed; one for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from factories.overlays import API, V1, Document, Script
from factories.served import Served, served
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.search.contrib import FEATURE as SEARCH
from taxiway.worker.main import Worker

FIELDS = ["metadata.annotations.acme.dev/*", "metadata.tags", "spec.lifecycle", "metadata.title"]


@pytest.fixture(scope="package")
def script() -> Script:
    return Script()


@pytest.fixture(scope="package")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="package")
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


@pytest.fixture(scope="package")
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
