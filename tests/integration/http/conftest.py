from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from probe import probe_feature

from factories.served import Served, served
from taxiway.api.portal import Portal
from taxiway.features.access.contrib import FEATURE as ACCESS

calls: list[str] = []


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with access and the probe, whose limits are small."""
    portal = tmp_path_factory.mktemp("portal")
    (portal / "assets").mkdir()
    (portal / "assets" / "app-1a2b.js").write_text("1")
    (portal / "index.html").write_text("<html><script>let a = 1</script><div id=root></div></html>")
    folder = tmp_path_factory.mktemp("data")
    with served(
        folder, features=[ACCESS, probe_feature(calls)], portal=Portal(portal), limits={"body_bytes": 5000}
    ) as running:
        yield running


@pytest.fixture
def made() -> list[str]:
    """The names of things that were made in this test."""
    calls.clear()
    return calls
