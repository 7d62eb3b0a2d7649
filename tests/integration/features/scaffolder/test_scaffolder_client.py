"""Backstage's own npm client of the scaffolder creates, streams, dry-runs and cancels against a running server."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from factories.npm_client import npm_client
from factories.served import Served

SCRIPT = Path(__file__).with_name("scaffolder_client")
FORM = {"required": ["name", "owner"], "properties": {"name": {"type": "string"}, "owner": {"type": "string"}}}
STEPS = [
    {"id": "fetch", "action": "fetch:template", "input": {"url": "./skeleton", "values": "${{ parameters }}"}},
    {"id": "wait", "action": "debug:wait", "input": {"seconds": 1}},
]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    return npm_client(SCRIPT, tmp_path / "client")


def test_backstages_own_client_gets_every_answer_it_asks_for(
    server: Served, add_template: Callable[..., str], installed: Path
) -> None:
    ref = add_template({"parameters": FORM, "steps": STEPS}, {"skeleton/a.txt": "hello ${{ values.name }}\n"})
    environment = {"URL": server.url, "TOKEN": server.token("developer", "user:default/dev"), "TEMPLATE": ref}
    done = subprocess.run(
        ["node", "--no-warnings", "main.mjs"],
        cwd=installed,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == "passed\n"
