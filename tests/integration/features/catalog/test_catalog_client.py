"""Backstage's own npm client against a running server: every method, and the errors it makes of our answers."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from factories.catalog import component
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
    """A folder with the pinned client in it. Skips, with npm's reason, where the registry cannot be reached."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    folder = tmp_path / "client"
    shutil.copytree(SCRIPT, folder)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=0"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        pytest.skip("the npm registry did not answer within two minutes")
    if done.returncode != 0:
        offline = ("ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN", "ETIMEDOUT", "E404", "E403", "ENOTCACHED")
        if any(sign in done.stderr for sign in offline):
            pytest.skip("the npm registry cannot be reached: " + done.stderr.strip().splitlines()[-1][:200])
        pytest.fail(done.stderr)
    return folder


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
