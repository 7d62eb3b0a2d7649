"""The portal in a real browser, under the real security policy, over a server with the demo organisation.

The specs are web/test/e2e/*.spec.ts. This test starts the server, hands them its address, a sign-in link and a viewer's
token, and shows their report when one fails.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from .conftest import MakeServer

ROOT = Path(__file__).parents[2]
SECONDS = 270


@pytest.mark.timeout(300)
def test_people_can_do_their_work_in_the_portal(make_server: MakeServer) -> None:
    for needed, target in (("web/dist/index.html", "web"), ("web/node_modules/@playwright/test", "setup")):
        assert (ROOT / needed).exists(), f"{needed} is missing: run `make {target}` first"
    server = make_server("--demo")
    link = re.search(r"http\S+/sign-in#link_token=\S+", server.log())
    assert link, server.log()
    viewer = server.token(role="viewer", subject="user:default/bea.demo")
    environ = {**os.environ, "TAXIWAY_URL": server.url, "TAXIWAY_LINK": link[0], "TAXIWAY_VIEWER_TOKEN": viewer}
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
