"""Routing tables of the router."""

import json
from pathlib import Path

import pytest

from taxiway.plugins.process.table import Table

pytestmark = pytest.mark.unit


def write(path: Path, upstream: str = "127.0.0.1:1") -> None:
    route = {"path": "/api", "upstream": upstream, "generation": "g"}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({"version": 1, "hosts": {"A.localhost": [route]}}))
    fresh.rename(path)


def test_paths_match_at_segment_ends_only(tmp_path: Path) -> None:
    write(tmp_path / "routes.json")
    table = Table(str(tmp_path / "routes.json"))
    table.refresh()
    found = [table.find("a.localhost", target) is not None for target in ("/api", "/api/x?y", "/api?y", "/apis", "/")]
    assert found == [True, True, True, False, False]


def test_a_table_that_points_off_the_machine_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "routes.json")
    table = Table(str(tmp_path / "routes.json"))
    table.refresh()
    write(tmp_path / "routes.json", "10.0.0.1:80")
    table.refresh()
    assert "not on 127.0.0.1" in table.problem
    assert table.find("a.localhost", "/api") is not None
