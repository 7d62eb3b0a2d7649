"""The actions of forges have the inputs and outputs that Backstage's modules register: templates run unchanged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from taxiway.plugin.testing.host import memory_host

DATA = json.loads((Path(__file__).parents[2] / "data" / "backstage-actions.json").read_text())
FORGES = ("azure", "bitbucket", "gitea", "gitlab")


@pytest.fixture(scope="module")
def actions(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for name in FORGES:
        plugin = import_module(f"taxiway.plugins.{name}").PLUGIN
        host = memory_host(tmp_path_factory.mktemp(name), name, plugin.settings())
        found |= {value.key: value.made for point, value in plugin.contribute(host.context) if point == "action"}
    return found


def test_each_action_of_backstages_modules_is_there(actions: Mapping[str, Any]) -> None:
    assert set(actions) == set(DATA["actions"])


@pytest.mark.parametrize("key", sorted(DATA["actions"]))
def test_inputs_and_outputs_are_those_of_backstage(actions: Mapping[str, Any], key: str) -> None:
    action, theirs = actions[key], DATA["actions"][key]
    assert _shape(action.input_schema) == _shape(theirs["input"])
    assert _shape(action.output_schema) == _shape(theirs["output"] or {"type": "object"})
    told = action.input_schema["properties"]
    assert all("description" in one or "enum" in one for one in told.values()), "each input says what it is"


def _shape(schema: Any) -> Any:
    """What decides whether a value fits, in one way of writing it."""
    if not isinstance(schema, dict):
        return schema
    shape: dict[str, Any] = {}
    for name, value in schema.items():
        if name == "properties":
            shape[name] = {key: _shape(one) for key, one in value.items()}
        elif name == "items":
            shape[name] = _shape(value)
        elif name == "anyOf":
            shape[name] = sorted((_shape(one) for one in value), key=json.dumps)
        elif name in ("enum", "required", "type") and isinstance(value, list):
            shape[name] = sorted(value) if value else None
        elif name in ("type", "enum", "pattern", "minItems", "minLength", "maxLength", "minimum", "maximum"):
            shape[name] = value
    return {key: value for key, value in shape.items() if value not in (None, {})}
