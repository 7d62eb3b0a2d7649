"""Events of CDEvents types against the JSON Schemas of the CDEvents specification."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from taxiway.model.cdevents import PREFIX, cdevent
from taxiway.model.event_types import SCHEMAS

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "oracles" / "dora" / "cdevents+spec" / "schemas"
FACTS: dict[str, Any] = {"number": 7, "service": "component:default/shop", "url": "http://127.0.0.1:7007/git/shop.git"}
WORDS = {"outcome": "success"}


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"{FOLDER} is absent: the schemas of CDEvents are read from there")
def test_every_cdevent_has_the_shape_that_its_schema_asks_for() -> None:
    links = [(schema["$id"], schema) for schema in _all("links/*.json")]
    registry = jsonschema_rs.Registry(links)
    known = {schema["properties"]["context"]["properties"]["type"]["default"]: schema for schema in _all("*.json")}
    types = [name for name in SCHEMAS if name.startswith(PREFIX)]
    for name in types:
        facts = {key: FACTS.get(key) or WORDS.get(key, f"some-{key}") for key in SCHEMAS[name]["required"]}
        source = "/taxiway/events"
        data = cdevent("01890a5d", source, name, "2026-11-25T20:10:10Z", facts, "http://127.0.0.1:7007")
        jsonschema_rs.validator_for(known[name], registry=registry, validate_formats=True).validate(data)
        assert data["customData"] == facts
    print(f"CDEvents types with the shape of their schema: {len(types)}/{len(types)}")
    assert len(types) >= 14


def _all(pattern: str) -> list[dict[str, Any]]:
    return [
        json.loads(path.read_text()) for path in sorted(FOLDER.glob(pattern)) if re.match(r"[a-z]+\.json", path.name)
    ]
