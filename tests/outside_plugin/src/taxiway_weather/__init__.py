"""A plugin that lives outside Taxiway: an action, a destination that writes files, a card and a page with their
operations, and a subscriber that counts deployments.

It imports the public contract and nothing else. The tests install it as a package of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from taxiway.model.event import Event, EventDraft
from taxiway.model.run import Created
from taxiway.model.workload import LogLine, ObjectKey, ObjectStatus, Target, WorkloadStatus, object_key
from taxiway.plugin import (
    EventType,
    Plugin,
    PluginContext,
    PluginOperation,
    PluginSettings,
    PortalCard,
    PortalPage,
    Records,
    StepContext,
)


class WeatherSettings(PluginSettings):
    """What the forecast says."""

    forecast: str = "sunny"


FORECAST = EventType(
    "com.example.weather.forecast.v1",
    {
        "type": "object",
        "required": ["city"],
        "properties": {"city": {"type": "string"}},
        "additionalProperties": False,
    },
)


class ForecastAction:
    """Writes the forecast into the workspace."""

    key = "weather:forecast"
    description = "Write the forecast into FORECAST.txt"
    input_schema: Mapping[str, Any] = {
        "type": "object",
        "required": ["city"],
        "properties": {"city": {"type": "string"}},
    }
    output_schema: Mapping[str, Any] = {"type": "object", "properties": {"forecast": {"type": "string"}}}
    recovery = "idempotent"
    supports_dry_run = True

    def __init__(self, forecast: str, emit: Callable[[EventDraft], None]) -> None:
        self._forecast, self._emit = forecast, emit

    def run(self, ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any]:
        (ctx.workspace / "FORECAST.txt").write_text(f"{values['city']}: {self._forecast}\n")
        if not ctx.is_dry_run:
            self._emit(EventDraft(FORECAST.key, f"run:{ctx.run_id}", {"city": values["city"]}))
        ctx.log(f"The forecast for {values['city']} is {self._forecast}")
        return {"forecast": self._forecast}

    def probe(self, ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return None

    def undo(self, ctx: StepContext, created: Sequence[Created]) -> None:
        return None


class FolderDestination:
    """Keeps each desired object as a JSON file: what is there is healthy."""

    key = "folder"

    def __init__(self, root: Path) -> None:
        self._root = root

    def apply(self, target: Target, objects: Sequence[Any]) -> Sequence[ObjectStatus]:
        for item in objects:
            path = self._path(target, object_key(item))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(item, sort_keys=True))
        return self.observe(target, objects)

    def observe(self, target: Target, objects: Sequence[Any]) -> Sequence[ObjectStatus]:
        keys = [object_key(item) for item in objects]
        return [
            ObjectStatus(key, there, "healthy" if there else "missing")
            for key, there in ((key, self._path(target, key).is_file()) for key in keys)
        ]

    def prune(self, target: Target, keys: Sequence[ObjectKey]) -> None:
        for key in keys:
            self._path(target, key).unlink(missing_ok=True)

    def workloads(self, environment: str | None = None, service: str | None = None) -> Sequence[WorkloadStatus]:
        return []

    def logs(self, workload_id: str, after: int, limit: int) -> Sequence[LogLine]:
        return []

    def _path(self, target: Target, key: ObjectKey) -> Path:
        return self._root / target.environment / f"{key.kind}-{key.name}.json"


class CountDeployments:
    """Counts what was deployed. An event that comes again is known by its number."""

    key = "weather_deployments"
    types = ("dev.cdevents.service.deployed.", "dev.cdevents.service.upgraded.")

    def __init__(self, records: Records) -> None:
        self._records = records

    def handle(self, event: Event) -> None:
        found = self._records.get("deployments")
        value = found.value if found is not None else {"count": 0, "seq": 0}
        if event.seq > value["seq"]:
            self._records.put("deployments", {"count": value["count"] + 1, "seq": event.seq})

    def facts(self, query: Mapping[str, str]) -> Mapping[str, Any]:
        """The answer of the page's operation."""
        found = self._records.get("deployments")
        return {"deployments": found.value["count"] if found is not None else 0}


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    """What the plugin plugs in."""
    forecast, counter = ctx.settings.forecast, CountDeployments(ctx.records)
    return [
        ("action", ForecastAction(forecast, ctx.emit)),
        ("event_type", FORECAST),
        ("destination", FolderDestination(ctx.data_dir / "objects")),
        (
            "portal_card",
            PortalCard("weather", "Weather", ("Component",), "facts", "/api/plugins/v1/weather/today?ref={ref}"),
        ),
        (
            "operation",
            PluginOperation("weather.today", "today", "system.read", lambda query: {"forecast": forecast, **query}),
        ),
        ("event_subscriber", counter),
        ("operation", PluginOperation("weather.counts", "counts", "system.read", counter.facts)),
        (
            "portal_page",
            PortalPage(
                "weather",
                "Weather",
                [PortalCard("counts", "In all weathers", (), "facts", "/api/plugins/v1/weather/counts")],
            ),
        ),
    ]


PLUGIN = Plugin("weather", "0.3.0", contribute, WeatherSettings, description="Weather")
