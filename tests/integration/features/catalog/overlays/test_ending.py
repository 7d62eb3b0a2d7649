"""Overlays that end: their source says nothing any more, or is no overlay any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from factories.catalog import component
from factories.overlays import V1, get, push, said, titleless
from factories.served import Served
from taxiway.features.catalog.service import removals


def test_an_overlay_that_suddenly_says_nothing_is_held_for_review(
    server: Served, admin: httpx.Client, register: Callable[[str, str], Path], read: Callable[..., Any]
) -> None:
    names = [f"many-{number:02}" for number in range(15)]
    register("many", "---\n".join(component(name) for name in names))
    read(*[said(name, title="Laid") for name in names])
    run = read()
    assert run.steps[0].output["held"] == 15
    assert get(admin, "many-00")["metadata"]["title"] == "Laid"
    assert len(admin.get(f"{V1}/sources/cmdb/held").json()["items"]) == 15
    assert admin.post(f"{V1}/sources/cmdb/review", json={"decision": "remove"}).json()["removed"] == 15
    assert titleless(admin, "many-00"), "the entity stays, the overlay goes"
    read(*[said(name, title="Laid") for name in names])
    removals.remove_source(server.platform.system("test"), "source:cmdb")
    assert titleless(admin, "many-14")


def test_an_orphan_keeps_its_overlay_and_what_it_is_without_it(admin: httpx.Client, read: Callable[..., Any]) -> None:
    own = {**said("seven", spec={"type": "service", "lifecycle": "production", "owner": "checkout"})}
    other = {**own, "metadata": {"name": "eight"}}
    version = {"apiVersion": "backstage.io/v1alpha1"}
    read({**version, **own}, {**version, **other}, source="plain")
    read(said("seven", title="Laid"))
    read({**version, **other}, source="plain")
    found = get(admin, "seven")
    assert (found["metadata"]["title"], found["metadata"]["annotations"]["backstage.io/orphan"]) == ("Laid", "true")
    read()
    annotations = get(admin, "seven")["metadata"]["annotations"]
    assert (titleless(admin, "seven"), annotations["backstage.io/orphan"]) == (True, "true")


def test_a_source_that_is_no_overlay_any_more_takes_its_layers_away(
    server: Served, admin: httpx.Client, register: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    register("ten", component("ten"))
    push(admin, "scan", said("ten", title="Laid"))
    settings = server.platform.settings
    without = settings.model_copy(update={"catalog": settings.catalog.model_copy(update={"pushed": ()})})
    monkeypatch.setattr(server.platform, "loaded", replace(server.platform.loaded, settings=without))
    assert push(admin, "scan")["created"] == 0
    assert titleless(admin, "ten")
