"""The conformance of routes, operations, cards and pages, on the forge's routes and on the plugin outside the tree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from factories.host import Host
from outside_plugin.src.taxiway_weather import PLUGIN as WEATHER
from outside_plugin.src.taxiway_weather import WeatherSettings
from taxiway.plugin import MountedRoutes, PluginOperation, PortalCard, PortalPage
from taxiway.plugin.testing import (
    MountedRoutesConformance,
    PluginOperationConformance,
    PortalCardConformance,
    PortalPageConformance,
    memory_host,
    misfit,
)
from taxiway.plugins.git_local import PLUGIN as GIT
from taxiway.plugins.git_local.settings import GitLocalSettings


class TestForgeRoutes(MountedRoutesConformance):
    guarded = ("GET", "/shop.git/info/refs?service=git-upload-pack")

    @pytest.fixture
    def routes(self, tmp_path: Path) -> MountedRoutes:
        found: dict[str, Any] = dict(GIT.contribute(Host(tmp_path, GitLocalSettings()).context))
        found["forge"].create_repository("shop", description="", owner=None, default_branch="main", request_key="1")
        routes: MountedRoutes = found["mounted_routes"]
        return routes


class TestForgeRoutesForAPush(TestForgeRoutes):
    guarded = ("POST", "/shop.git/git-receive-pack")


def contributed(root: Path, point: str, key: str) -> Any:
    context = memory_host(root, "weather", WeatherSettings(forecast="rain")).context
    return next(value for found, value in WEATHER.contribute(context) if (found, value.key) == (point, key))


class TestWeatherCard(PortalCardConformance):
    @pytest.fixture
    def card(self, tmp_path: Path) -> PortalCard:
        found: PortalCard = contributed(tmp_path, "portal_card", "weather")
        return found


class TestWeatherPage(PortalPageConformance):
    @pytest.fixture
    def page(self, tmp_path: Path) -> PortalPage:
        found: PortalPage = contributed(tmp_path, "portal_page", "weather")
        return found


class TestForecast(PluginOperationConformance):
    display = "facts"
    query = {"ref": "component:default/orders"}

    @pytest.fixture
    def operation(self, tmp_path: Path) -> PluginOperation:
        found: PluginOperation = contributed(tmp_path, "operation", "weather.today")
        return found


class TestCounts(PluginOperationConformance):
    display = "facts"

    @pytest.fixture
    def operation(self, tmp_path: Path) -> PluginOperation:
        found: PluginOperation = contributed(tmp_path, "operation", "weather.counts")
        return found


@pytest.mark.parametrize(
    ("display", "fitting", "wrong"),
    [
        ("table", [{"a": 1}], "text"),
        ("facts", {"forecast": "rain"}, [{"value": 3}]),
        ("chart", {"series": [{"name": "rate", "unit": "1/s", "points": [[1, 0.5], [2, None]]}]}, [{"name": "rate"}]),
        ("timeline", {"items": [{"title": "Rain", "at": 1}]}, [{"at": 1}]),
        ("log", ["one", {"text": "two"}], [{"message": "three"}]),
        ("markdown", {"markdown": "# Rain"}, {"html": "<b>"}),
        ("links", [{"title": "Map", "url": "https://example.org"}], [{"title": "Map", "url": "javascript:alert(1)"}]),
        ("links", [], [{"title": "Map", "url": "//example.org"}]),
    ],
)
def test_answers_that_the_portal_cannot_draw_are_told(display: str, fitting: Any, wrong: Any) -> None:
    assert misfit(display, fitting) == ""
    assert misfit(display, wrong) != ""


def test_a_display_that_there_is_not_names_those_that_there_are() -> None:
    assert "table, facts" in misfit("gauge", {})
