"""A package outside the tree extends Taxiway without a change in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from acceptance.conftest import MakeServer, wait_for

SOURCE = Path(__file__).parents[1] / "outside_plugin"


def install(target: Path) -> None:
    """Install the plugin as a package of its own into `target`."""
    uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    options = ["--python", sys.executable, "--target", str(target), "--no-deps", "--no-build-isolation", "--quiet"]
    # A copy: a hard link would lead into uv's cache, and what one test writes into the module would reach the others.
    subprocess.run([uv, "pip", "install", "--link-mode", "copy", *options, str(SOURCE)], check=True)


def test_an_outside_plugin_adds_an_action_a_destination_and_a_card(make_server: MakeServer, tmp_path: Path) -> None:
    install(tmp_path / "site")
    environ = {
        "PYTHONPATH": str(tmp_path / "site"),
        "TAXIWAY_PLUGINS": '{"weather": {"forecast": "rain"}}',
    }
    server = make_server("--demo", environ=environ)
    with server.client(server.token()) as client:
        plugins = {item["name"]: item for item in client.get("/api/plugins/v1/plugins").json()["items"]}
        assert plugins["weather"]["version"] == "0.3.0"
        points = {item["point"] for item in plugins["weather"]["contributions"]}
        own = {"action", "destination", "event_subscriber", "event_type", "operation", "portal_card", "portal_page"}
        assert points == own
        types = {item["type"] for item in client.get("/api/events/v1/types").json()["items"]}
        assert {"com.example.weather.forecast.v1", "dev.taxiway.run.ended.v1"} <= types
        template = {
            "apiVersion": "scaffolder.backstage.io/v1beta3",
            "kind": "Template",
            "metadata": {"name": "t"},
            "spec": {"steps": [{"id": "w", "action": "weather:forecast", "input": {"city": "Oslo"}}]},
        }
        tried = client.post("/api/scaffolder/v2/dry-run", json={"template": template}).json()
        assert [item["path"] for item in tried["directoryContents"]] == ["FORECAST.txt"]
        assert "rain" in tried["log"][0]["body"]["message"]
        added = client.get("/api/plugins/v1/portal").json()
        (page,) = added["pages"]
        assert (page["key"], page["navigation"]) == ("weather", True)
        assert client.get(page["cards"][0]["operation"]).json() == {"deployments": 0}
        cards = added["cards"]
        card = next(item for item in cards if item["title"] == "Weather")
        answer = client.get(card["operation"].replace("{ref}", "component:default/orders")).json()
        assert answer == {"forecast": "rain", "ref": "component:default/orders"}


def test_a_plugin_that_fails_to_load_is_shown_and_the_server_starts(make_server: MakeServer, tmp_path: Path) -> None:
    install(tmp_path / "site")
    module = tmp_path / "site" / "taxiway_weather" / "__init__.py"
    module.write_text("raise RuntimeError('the sky fell')\n")
    server = make_server(environ={"PYTHONPATH": str(tmp_path / "site")})
    with server.client(server.token()) as client:
        plugins = {item["name"]: item for item in client.get("/api/plugins/v1/plugins").json()["items"]}
        assert plugins["weather"]["state"] == "failed"
        assert "the sky fell" in plugins["weather"]["reason"]
        assert wait_for(lambda: client.get("/readyz").status_code == 200, 5, "ready")
