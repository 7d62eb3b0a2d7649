"""Each shipped golden path, from its form to an answer of the service. `python-service` has test_main_job.py."""

from __future__ import annotations

import shutil

import pytest

from .conftest import MakeServer
from .http import fetch

DEVELOPER = "user:default/alex.demo"
ANSWERS = ("--owner", "group:default/checkout", "--description", 'Made by a test: "quoted" & more')


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is missing: install Node.js 20 or newer")
def test_services_on_node_and_static_sites_go_live(make_server: MakeServer) -> None:
    server = make_server("--demo")
    token = server.token(role="developer", subject=DEVELOPER)
    made = server.cli("create", "node-service", "--name", "boxes", *ANSWERS, token=token)
    url = made.stdout.split("Open the service: ")[1].split()[0]
    status, text = fetch(url, "/items", {"name": "a box"})
    assert (status, '"name":"a box"' in text) == (201, True)
    assert fetch(url, "/items")[0] == 200
    assert "http_requests_total" in fetch(url, "/metrics")[1]

    made = server.cli("create", "static-site", "--name", "handbook", *ANSWERS, token=token)
    url = made.stdout.split("Open the site: ")[1].split()[0]
    status, text = fetch(url, "/")
    assert status == 200
    assert "<h1>handbook</h1>" in text
    assert fetch(url, "/nothing-here")[0] == 404
