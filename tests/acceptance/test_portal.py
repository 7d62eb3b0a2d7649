"""The portal in a real browser, under the real security policy, over a server with the demo organisation.

The specs are web/test/e2e/*.spec.ts. This test starts the server, hands them its address, sign-in links and a viewer's
token, and shows their report when one fails.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from . import desk
from .conftest import MakeServer

ROOT = Path(__file__).parents[2]
SECONDS = 540


@pytest.mark.timeout(660)
def test_people_can_do_their_work_in_the_portal(make_server: MakeServer, open_folder: Path, tmp_path: Path) -> None:
    for needed, target in (("web/dist/index.html", "web"), ("web/node_modules/@playwright/test", "setup")):
        assert (ROOT / needed).exists(), f"{needed} is missing: run `make {target}` first"
    paths = open_folder / "paths"
    templates = desk.write_templates(paths)
    given = {**desk.install(open_folder / "site"), "TAXIWAY_CATALOG__FILE_ROOTS": f'["{paths}"]'}
    server = make_server("--demo", environ=given, pipelines=True)
    link = re.search(r"http\S+/sign-in#link_token=\S+", server.log())
    assert link, server.log()
    desk.prepare(server, templates, tmp_path)
    clock = server.data / "clock-offset"
    clock.write_text("-86400")
    old = server.cli("login", "--link", "--data", str(server.data)).stdout.strip()
    clock.unlink()
    environ = {
        **os.environ,
        "TAXIWAY_URL": server.url,
        "TAXIWAY_LINK": link[0],
        "TAXIWAY_FRESH_LINK": server.cli("login", "--link", "--data", str(server.data)).stdout.strip(),
        "TAXIWAY_OLD_LINK": old,
        "TAXIWAY_VIEWER_TOKEN": server.token(role="viewer", subject="user:default/bea.demo"),
    }
    done = subprocess.run(
        [ROOT / "tools" / "web.sh", ".venv", "e2e"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-2000:]}\n{server.log()[-3000:]}"
