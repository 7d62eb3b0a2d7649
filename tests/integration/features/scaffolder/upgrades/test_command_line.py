"""`taxiway upgrade` from the list of services to their pull requests."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from taxiway.cli.main import run

from .conftest import APP, FILES, FORM, MADE, Desk

Taxiway = Callable[..., int]


@pytest.fixture
def taxiway(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Taxiway:
    monkeypatch.setenv("TAXIWAY_URL", desk.server.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", desk.server.token("developer", "user:default/dev"))
    return lambda *arguments: run(["upgrade", *arguments])


def test_a_service_is_planned_asked_and_upgraded(
    orders: str, desk: Desk, taxiway: Taxiway, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.commit({"app.py": MADE.replace("line 5", "mine")})
    tier = {"type": "integer", "minimum": 1}
    form = {**FORM, "required": ["owner", "tier"], "properties": {**FORM["properties"], "tier": tier}}
    desk.template({"tier.txt": "${{ values.tier }}\n", "app.py": APP.replace("line 5", "theirs")}, form)
    capsys.readouterr()
    assert taxiway("list", "--state", "behind", "--template", "path") == 0
    assert "component:default/orders" in capsys.readouterr().out
    assert taxiway("plan", "orders") == 0
    shown = capsys.readouterr()
    assert "? tier (new, integer): it needs an answer" in shown.out
    assert "--answer NAME=VALUE" in shown.err
    assert taxiway("start", "orders") == 2
    assert "tier" in capsys.readouterr().err
    assert taxiway("plan", "orders", "--answer", "tier=2") == 0
    shown = capsys.readouterr()
    assert "+ tier.txt (+1 -0)" in shown.out
    assert "! app.py: both sides changed it" in shown.out
    assert taxiway("start", "orders", "--answer", "tier=2") == 0
    assert "orders#1" in capsys.readouterr().out.splitlines()
    assert taxiway("start", "orders", "--answer", "tier=2") == 6
    assert "#1" in capsys.readouterr().err
    assert taxiway("start", "orders", "--answer", "color=2") == 2
    assert "does not ask for color" in capsys.readouterr().err


def test_a_version_is_declined(orders: str, desk: Desk, taxiway: Taxiway, capsys: pytest.CaptureFixture[str]) -> None:
    desk.template({"new.txt": "new\n"})
    assert taxiway("decline", "orders") == 0
    assert "declined" in capsys.readouterr().err


def test_a_fleet_says_what_became_of_each(desk: Desk, taxiway: Taxiway, capsys: pytest.CaptureFixture[str]) -> None:
    ref = desk.template(FILES)
    for name in ("a1", "a2", "a3"):
        desk.make(ref, name)
    desk.template({"new.txt": "new\n"})
    desk.forge.delete_repository("a2", archive=True)
    capsys.readouterr()
    assert taxiway("fleet", "path", "--canary", "1", "--pace", "1") == 1
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.startswith("component:")}
    assert rows["component:default/a1"].endswith("a1#1")
    assert "failed" in rows["component:default/a2"]
    assert rows["component:default/a3"].endswith("not reached")
    assert taxiway("fleet", "path", "--only", "a3", "--output", "json") == 0
    made = json.loads(capsys.readouterr().out)
    assert [item["subject"] for item in made["upgraded"]] == ["component:default/a3"]
