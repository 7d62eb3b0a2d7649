"""Backstage's own npm client against a running server: every method, and the errors it makes of our answers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from factories.catalog import component
from factories.npm_client import npm_client
from factories.served import Served

SCRIPT = Path(__file__).with_name("catalog_client")
ROOT = """apiVersion: backstage.io/v1alpha1
kind: Location
metadata: {name: root}
spec: {targets: ['./a.yaml', './b.yaml']}
"""
API = """apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: orders}
spec: {type: openapi, lifecycle: production, owner: checkout, definition: "{}"}
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    return npm_client(SCRIPT, tmp_path / "client")


def test_backstages_own_client_gets_every_answer_it_asks_for(server: Served, installed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    (folder / "root.yaml").write_text(ROOT)
    provides = "  providesApis: [orders]\n"
    (folder / "a.yaml").write_text(component("cart", extra=provides) + "---\n" + component("worker"))
    (folder / "b.yaml").write_text(API)
    environment = {"CATALOG_URL": server.url, "TOKEN": server.token(), "FOLDER": str(folder)}
    node = ["node", "--no-warnings", "main.mjs"]
    done = subprocess.run(
        node, cwd=installed, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == "passed\n"
