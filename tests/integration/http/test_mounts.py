"""What plugins put into the server: raw mounts, operations for cards, portal additions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from factories.served import Served, served
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.plugin import MountedRoutes, Plugin, PluginContext, PluginOperation, PortalCard, PortalPage


async def raw(scope: Any, receive: Any, send: Any) -> None:
    """Says who calls and where, and reads a body of any size."""
    scope["taxiway.authorize"]("system.read", None)
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    text = f"{scope['taxiway.principal'].subject} {scope['path']} {size}"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": text.encode()})


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    card = PortalCard("weather", "Weather", ["component"], "facts", "/api/plugins/v1/outside/weather")
    return [
        ("mounted_routes", MountedRoutes("raw", "raw", raw, basic=True)),
        ("mounted_routes", MountedRoutes("strict", "strict", raw)),
        ("operation", PluginOperation("weather", "weather", "system.read", lambda query: {"in": query["city"]})),
        ("operation", PluginOperation("closed", "closed", "outside.nobody_declared_this", lambda query: {})),
        ("portal_card", card),
        ("portal_page", PortalPage("weather", "Weather", [card])),
    ]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    point = SimpleNamespace(
        name="outside",
        value="outside:PLUGIN",
        dist=SimpleNamespace(name="taxiway-outside"),
        load=lambda: Plugin("outside", "1", contribute),
    )
    with served(
        tmp_path_factory.mktemp("data"), features=[ACCESS], plugins=[point], limits={"body_bytes": 1000}
    ) as running:
        yield running


def test_git_clients_are_challenged_and_send_a_token_as_the_password(server: Served) -> None:
    answer = server.client().get("/raw/team/repo.git/info/refs")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Basic realm="Taxiway"')
    answer = server.client(auth=("anything", server.token("viewer"))).get("/raw/team/repo.git/info/refs")
    assert answer.text == "user:default/tester /raw/team/repo.git/info/refs 0"
    assert server.client(auth=("anything", "wrong")).get("/raw/x").status_code == 401


def test_a_password_is_no_key_where_it_was_not_asked_for(server: Served) -> None:
    basic = server.client(auth=("anything", server.token()))
    assert basic.get("/strict/x").status_code == 401
    assert basic.get("/api/system/v1/info").status_code == 401
    assert server.client(server.token()).get("/strict/x").status_code == 200


def test_a_raw_mount_authorizes_and_bounds_its_own_bodies(server: Served) -> None:
    client = server.client(server.token())
    assert client.post("/raw/pack", content=b"x" * 5000).text.endswith(" 5000")
    assert server.session("user:default/powerless").get("/raw/x").status_code == 403


def test_a_cards_operation_answers_under_the_plugins_name(server: Served) -> None:
    client = server.client(server.token("viewer"))
    assert client.get("/api/plugins/v1/outside/weather?city=Oslo").json() == {"in": "Oslo"}
    assert client.get("/api/plugins/v1/outside/closed").status_code == 403
    assert server.client().get("/api/plugins/v1/outside/weather").status_code == 401


def test_additions_to_the_portal_and_the_plugin_itself_are_listed(server: Served) -> None:
    client = server.client(server.token("viewer"))
    portal = client.get("/api/plugins/v1/portal").json()
    assert [card["key"] for card in portal["cards"]] == ["weather"]
    assert portal["pages"][0]["cards"][0]["display"] == "facts"
    (plugin,) = client.get("/api/plugins/v1/plugins").json()["items"]
    assert (plugin["name"], plugin["state"], plugin["distribution"]) == ("outside", "loaded", "taxiway-outside")
    assert {"point": "mounted_routes", "key": "raw"} in plugin["contributions"]


def test_settings_are_shown_with_their_source_and_without_secrets(server: Served) -> None:
    assert server.client(server.token("developer")).get("/api/system/v1/config").status_code == 403
    items = {item["key"]: item for item in server.client(server.token()).get("/api/system/v1/config").json()["items"]}
    assert items["limits.body_bytes"]["value"] == 1000
    assert items["limits.body_bytes"]["source"] == "flag"
