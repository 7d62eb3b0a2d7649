"""A server with one configured source, `forge`, that reads what a test says; a new one for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from factories.scripted_source import SOURCES, Read, Script, ended
from factories.served import Served, served
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.worker.main import Worker


@pytest.fixture
def script() -> Script:
    return Script()


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
def read(server: Served, admin: httpx.Client) -> Read:
    return lambda: ended(server, admin.post(f"{SOURCES}/forge/read").json()["run_id"])
