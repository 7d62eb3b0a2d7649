"""Settings: which source wins, and what the demo presets."""

from __future__ import annotations

from taxiway.core.settings import load_settings


def test_the_demo_names_the_organisation_unless_it_has_a_name() -> None:
    assert load_settings({}).settings.organisation == "default"
    shown = load_settings({"TAXIWAY_DEMO": "true"})
    assert shown.settings.organisation == "Acme"
    assert shown.sources["organisation"] == "demo"
    assert load_settings({"TAXIWAY_ORGANISATION": "Umbra"}, {"demo": True}).settings.organisation == "Umbra"
