"""Every point has its conformance class, and every plugin, ours and an outside one, keeps the contract as a whole."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

from outside_plugin.src.taxiway_weather import PLUGIN as WEATHER
from taxiway.core.plugins.loader import GROUP
from taxiway.plugin import POINTS, Plugin, testing
from taxiway.plugin.testing import PluginConformance

SHIPPED = [point.load() for point in entry_points(group=GROUP) if point.value.startswith("taxiway.plugins.")]


def test_every_point_has_its_conformance_class() -> None:
    missing = [point for point, kind in POINTS.items() if not hasattr(testing, f"{kind.__name__}Conformance")]
    assert missing == []
    assert len(SHIPPED) >= 7


class TestPlugins(PluginConformance):
    @pytest.fixture(params=[*SHIPPED, WEATHER], ids=lambda plugin: str(plugin.name))
    def plugin(self, request: pytest.FixtureRequest) -> Plugin:
        found: Plugin = request.param
        return found
